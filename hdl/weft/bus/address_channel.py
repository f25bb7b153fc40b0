"""Address channel of an arbiter between two AXI4 managers, for reads or for writes."""

from amaranth.hdl import Mux
from amaranth.lib import data

from .axi4 import BURST_INCR, CACHE_BUFFERABLE
from .register_slice import RegisterSlice

__all__ = ["AddressChannel"]


class AddressChannel:
    """AR or AW channel of an arbiter between two managers, with a register slice.

    ``first`` has priority. All bursts have ID 0 and consist of whole beats at incrementing
    addresses. The methods add statements to the arbiter's module.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    prefix : :class:`str`
        ``"ar"`` or ``"aw"``.
    axi : interface
        Port towards the memory.
    first, second : interface
        Ports of the managers.

    Attributes
    ----------
    slice : :class:`RegisterSlice`
        Register slice of the channel, to be added to the module as a submodule.
    """

    def __init__(self, config, prefix, axi, first, second):
        self.config = config
        self.prefix = prefix
        self.axi, self.first, self.second = axi, first, second
        self.slice = RegisterSlice(data.StructLayout({"addr": config.addr_width, "len": 8}))

    def _signal(self, port, name):
        return getattr(port, self.prefix + name)

    def requested(self):
        """Return 1 bit, high if a manager requests a burst."""
        return self._signal(self.first, "valid") | self._signal(self.second, "valid")

    def grant(self, m, free, valid):
        """Connect the managers' address channels to the register slice.

        Parameters
        ----------
        free : 1 bit
            A burst can be accepted in this cycle.
        valid : 1 bit
            A manager requests a burst, and nothing but the register slice can stall it.
        """
        first, second = self.first, self.second
        first_valid = self._signal(first, "valid")
        m.d.comb += [
            self._signal(first, "ready").eq(free),
            self._signal(second, "ready").eq(free & ~first_valid),
            self.slice.i.valid.eq(valid),
            self.slice.i.payload.addr.eq(Mux(first_valid, self._signal(first, "addr"),
                                             self._signal(second, "addr"))),
            self.slice.i.payload.len.eq(Mux(first_valid, self._signal(first, "len"),
                                            self._signal(second, "len"))),
        ]

    def drive(self, m):
        """Connect the register slice to the address channel of the port towards the memory."""
        m.d.comb += [
            self._signal(self.axi, "valid").eq(self.slice.o.valid),
            self.slice.o.ready.eq(self._signal(self.axi, "ready")),
            self._signal(self.axi, "addr").eq(self.slice.o.payload.addr),
            self._signal(self.axi, "len").eq(self.slice.o.payload.len),
            self._signal(self.axi, "size").eq(self.config.beat_offset_width),
            self._signal(self.axi, "burst").eq(BURST_INCR),
            self._signal(self.axi, "cache").eq(CACHE_BUFFERABLE),
        ]
