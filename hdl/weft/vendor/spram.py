"""SPRAM of the iCE40 UltraPlus, as ``SB_SPRAM256KA`` or as a model.

Source: Lattice FPGA-TN-02022, "iCE40 SPRAM Usage Guide".
"""

from amaranth.hdl import Cat, ClockSignal, Instance, Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["FORMS", "Spram"]

FORMS = ("portable", "ice40")


class Spram(wiring.Component):
    """Single-port RAM of 16384 words of 16 bits, with one read or one write per cycle.

    The word of a read is valid one cycle later and stable until the next access. The output after
    a write is undefined, and so are all words at power-on.

    Parameters
    ----------
    form : :class:`str`
        ``"ice40"`` for the primitive, or ``"portable"`` for a model that any simulator supports.

    Members
    -------
    i_en : :py:`In(1)`
        Start an access.
    i_write : :py:`In(2)`
        Enables of the bytes to write. The access is a read if both are low.
    i_addr : :py:`In(14)`, ``i_data`` : :py:`In(16)`
        Index of the word, and the word to write.
    o_data : :py:`Out(16)`
        The word that was read.

    Raises
    ------
    ValueError
        If ``form`` is unknown.
    """

    WORDS = 16384

    def __init__(self, form):
        if form not in FORMS:
            raise ValueError(f"SPRAM form must be one of {', '.join(FORMS)}, not {form!r}")
        self.form = form
        super().__init__({
            "i_en": In(1), "i_write": In(2), "i_addr": In(14), "i_data": In(16),
            "o_data": Out(16),
        })

    def elaborate(self, platform):
        m = Module()
        if self.form == "ice40":
            low, high = self.i_write
            m.submodules.spram = Instance(
                "SB_SPRAM256KA",
                i_CLOCK=ClockSignal(), i_CHIPSELECT=self.i_en, i_WREN=self.i_write.any(),
                # a mask bit covers four data bits
                i_MASKWREN=Cat(low, low, high, high),
                i_ADDRESS=self.i_addr, i_DATAIN=self.i_data,
                i_STANDBY=0, i_SLEEP=0, i_POWEROFF=1,      # POWEROFF is active low
                o_DATAOUT=self.o_data)
            return m
        m.submodules.words = words = memory.Memory(shape=16, depth=self.WORDS, init=[])
        read = words.read_port()
        write = words.write_port(granularity=8)
        m.d.comb += [
            read.en.eq(self.i_en & ~self.i_write.any()),
            read.addr.eq(self.i_addr),
            write.en.eq(self.i_write & self.i_en.replicate(2)),
            write.addr.eq(self.i_addr),
            write.data.eq(self.i_data),
            self.o_data.eq(read.data),
        ]
        return m
