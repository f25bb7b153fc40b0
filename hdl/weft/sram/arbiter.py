"""Fair arbitration among ports that each want some of the banks of a memory."""

import itertools

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["BankArbiter"]


class BankArbiter(wiring.Component):
    """Lets ports through that want different banks; orders those that want the same.

    Ports stand in a line. A port is ready if no valid port before it in the line wants a bank
    that it wants. Those that were served go to the end of the line, so a port waits at
    most ``ports - 1`` cycles, and ports that keep wanting the same bank get equal shares.

    Parameters
    ----------
    ports, banks : :class:`int`
        How many of each.

    Members
    -------
    i_valid : :py:`In(ports)`
        Port ``p`` wants an access in this cycle.
    i_need : :py:`In(ArrayLayout(banks, ports))`
        Bit ``b`` of element ``p``: the access needs bank ``b``. Ignored where not valid.
    o_ready : :py:`Out(ports)`
        Port ``p`` may go ahead; does not depend on bit ``p`` of ``i_valid``.
    i_stop : :py:`In(1)`
        Nobody is ready.
    """

    def __init__(self, *, ports, banks):
        for name, value in (("ports", ports), ("banks", banks)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        self.ports = ports
        self.banks = banks
        super().__init__({
            "i_valid": In(ports),
            "i_need": In(data.ArrayLayout(banks, ports)),
            "o_ready": Out(ports),
            "i_stop": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        served = Signal(self.ports)
        m.d.comb += served.eq(self.i_valid & self.o_ready)

        blocked = [[] for _ in range(self.ports)]
        for one, other in itertools.combinations(range(self.ports), 2):
            clash = Signal(name=f"clash_{one}_{other}")
            # a bit for each pair is the whole line: serving moves a port behind all it passed
            one_first = Signal(init=1, name=f"order_{one}_{other}")
            m.d.comb += clash.eq((self.i_need[one] & self.i_need[other]).any())
            with m.If(served[one] ^ served[other]):
                m.d.sync += one_first.eq(served[other])
            blocked[one].append(clash & self.i_valid[other] & ~one_first)
            blocked[other].append(clash & self.i_valid[one] & one_first)

        for port, reasons in enumerate(blocked):
            m.d.comb += self.o_ready[port].eq(~(Cat(reasons).any() | self.i_stop))
        return m
