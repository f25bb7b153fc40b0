"""Selection of values by the step in a stage of the extent check's pipeline."""

from amaranth.hdl import Const, Signal

__all__ = ["StepPipeline"]


class StepPipeline:
    """Step number and valid bit of each pipeline stage, and selection of values by step.

    ``step[n]`` is the index in ``table`` of the step in stage n, if ``valid[n]`` is high.
    """

    def __init__(self, m, table, step, valid, latency):
        self.m = m
        self.table = table
        self.step, self.valid = [step], [valid]
        for stage in range(1, latency + 1):
            self.step.append(Signal.like(step, name=f"s{stage}_step"))
            self.valid.append(Signal(name=f"s{stage}_valid"))
            m.d.sync += [self.step[stage].eq(self.step[stage - 1]),
                         self.valid[stage].eq(self.valid[stage - 1])]

    def select(self, stage, target, choose, domain="sync", large=None):
        """Assign to ``target`` the value that ``choose`` returns for the step in ``stage``.

        ``choose`` maps a :class:`Step` to a key and a value, or to ``None`` for the value 0. Steps
        with equal keys have equal values and share a case. The assignment is in ``domain``. The
        signal ``large``, if given, becomes 1 if the value does not fit into ``target``.
        """
        m = self.m
        choices = {}
        for number, step in enumerate(self.table.steps):
            source = choose(step)
            if source is not None:
                key, value = source
                choices.setdefault(key, (value, []))[1].append(number)
        m.d[domain] += target.eq(0)
        if large is not None:
            m.d[domain] += large.eq(0)
        with m.Switch(self.step[stage]):
            for value, numbers in choices.values():
                with m.Case(*numbers):
                    m.d[domain] += target.eq(value)
                    if large is not None:
                        m.d[domain] += large.eq(value[len(target):].any())

    def flag(self, stage, target, condition):
        """Assign 1 to ``target`` if the step in ``stage`` meets ``condition``, and otherwise 0."""
        self.select(stage, target, lambda step: (True, Const(1)) if condition(step) else None,
                    "comb")
