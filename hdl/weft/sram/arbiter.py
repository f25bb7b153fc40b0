"""Fair arbitration among ports that each request some of the banks of a memory."""

import itertools

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["BankArbiter"]


class BankArbiter(wiring.Component):
    """Least-recently-granted arbiter for ports that each need one or more banks.

    Ports that need different banks are granted in the same cycle. The arbiter stores an order of
    priority: a port is ready if no valid port of higher priority needs one of its banks. A granted
    port moves to the lowest priority. A port therefore waits for at most ``ports - 1`` cycles, and
    ports that continuously request the same bank receive equal shares.

    Parameters
    ----------
    ports, banks : :class:`int`
        Number of ports, and number of banks.

    Members
    -------
    i_valid : :py:`In(ports)`
        Port ``p`` requests an access in this cycle.
    i_need : :py:`In(ArrayLayout(banks, ports))`
        Bit ``b`` of element ``p``: the access of port ``p`` needs bank ``b``. Ignored for a port
        that is not valid.
    o_ready : :py:`Out(ports)`
        Port ``p`` is granted if it is valid. Bit ``p`` does not depend on bit ``p`` of ``i_valid``.
    i_stop : :py:`In(1)`
        No port is ready.
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
            # one bit per pair of ports represents the order
            one_first = Signal(init=1, name=f"order_{one}_{other}")
            m.d.comb += clash.eq((self.i_need[one] & self.i_need[other]).any())
            with m.If(served[one] ^ served[other]):
                m.d.sync += one_first.eq(served[other])
            blocked[one].append(clash & self.i_valid[other] & ~one_first)
            blocked[other].append(clash & self.i_valid[one] & one_first)

        for port, reasons in enumerate(blocked):
            m.d.comb += self.o_ready[port].eq(~(Cat(reasons).any() | self.i_stop))
        return m
