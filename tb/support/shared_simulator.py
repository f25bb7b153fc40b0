"""Simulator that is elaborated once and runs the testbenches of many tests."""

from amaranth.sim import Simulator

__all__ = ["SharedSimulator"]


class SharedSimulator:
    """Simulator of a component whose testbenches and processes differ from run to run.

    Elaboration and the translation to Python take as long as thousands of cycles. Each run begins
    after a reset of the simulator, which also resets memories.

    Parameters
    ----------
    dut : :class:`amaranth.lib.wiring.Component`
        Component under test, with the one clock domain ``sync``.
    processes, testbenches, background : :class:`int`
        Largest numbers of processes, of testbenches and of background testbenches in a run.
    """

    def __init__(self, dut, *, processes=0, testbenches=1, background=0):
        self.dut = dut
        self._sim = Simulator(dut)
        self._sim.add_clock(1e-8)
        self._functions = None
        self._counts = {"processes": processes, "testbenches": testbenches,
                        "background": background}
        for kind, count in self._counts.items():
            for index in range(count):
                function = self._call(kind, index)
                if kind == "processes":
                    self._sim.add_process(function)
                else:
                    self._sim.add_testbench(function, background=kind == "background")

    def _call(self, kind, index):
        """Return a process that executes the process of the current run with this index."""
        async def process(ctx):
            functions = self._functions[kind]
            if index < len(functions):
                await functions[index](ctx)
        return process

    def run(self, *, processes=(), testbenches=(), background=()):
        """Run until all testbenches have ended, except for background ones."""
        if self._functions is not None:
            self._sim.reset()
        self._functions = {"processes": processes, "testbenches": testbenches,
                           "background": background}
        for kind, functions in self._functions.items():
            if len(functions) > self._counts[kind]:
                raise ValueError(f"there are {len(functions)} {kind}, and the simulator was made "
                                 f"for {self._counts[kind]}")
        self._sim.run()
