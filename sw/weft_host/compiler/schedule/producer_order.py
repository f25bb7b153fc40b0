"""The order of steps where the graph leaves a choice."""

__all__ = ["shortcuts_first"]


def shortcuts_first(steps):
    """The steps, with the longer of two independent producers of an elementwise step last.

    That step takes blocks of its operand while the last producer works (see
    :mod:`weft_host.compiler.schedule.interleave`): the longer that is, the less it costs.
    """
    steps = list(steps)
    for number in range(2, len(steps)):
        first, second, reader = steps[number - 2:number + 1]
        if not reader.takes_blocks or not {first.target, second.target} <= set(reader.sources):
            continue
        independent = first.target not in second.sources
        if independent and first.makes_blocks and first.macs > second.macs:
            steps[number - 2:number] = [second, first]
    return steps
