"""Tables of expanded weights: the int8 weight of each code, for all columns of a block."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ..spec.four_bit import CODE_BITS, OFFSET_BITS, SHIFT_BITS, SLOPE_BITS

__all__ = ["WeightTable"]

_OFFSET_FRACTION = 4
_CODES = 1 << CODE_BITS


class WeightTable(wiring.Component):
    """Table of the weights of two blocks: one is read, and the other one is computed.

    A block has 16 entries for each column, which are computed for ``bus_bytes`` columns at a time.
    Three strobes of ``i_header`` shift their slopes and offsets in, one byte of each column at a
    time. After that, 16 strobes of ``i_compute`` add the entries for the codes 0 to 15. The weight
    of a code is ``(slope * code + 8 * offset) >> 7``, limited to int8.

    An entry can be read from the second cycle after its strobe on. Reads are combinational.

    Parameters
    ----------
    config : :class:`Config`

    Attributes
    ----------
    phases : :class:`int`
        Parts of a line, with a column for each byte of a beat.

    Members
    -------
    i_header, i_compute : :py:`In(1)` each
        Shift in a byte of each column; compute an entry. At most one is high.
    i_data : :py:`In(ArrayLayout(8, bus_bytes))`
        With ``i_header``: the bytes.
    i_code : :py:`In(4)`
        With ``i_compute``: the code, which counts from 0.
    i_compute_phase : :py:`In(range(phases))`
        With ``i_compute``: part of the line to which the columns belong.
    i_bank : :py:`In(1)`
        Block that is read; the other one is computed.
    i_phase : :py:`In(range(phases))`
        Part of the line that is read.
    i_codes : :py:`In(ArrayLayout(4, bus_bytes * tile_lines))`
        Codes to look up: a part of a line, or of two lines.
    o_weights : :py:`Out(ArrayLayout(signed(8), bus_bytes * tile_lines))`
        Their weights.
    """

    def __init__(self, config):
        self.config = config
        self.phases = config.cols // config.bus_bytes
        lanes = config.bus_bytes * config.tile_lines
        super().__init__({
            "i_header": In(1),
            "i_compute": In(1),
            "i_data": In(data.ArrayLayout(8, config.bus_bytes)),
            "i_code": In(CODE_BITS),
            "i_compute_phase": In(range(self.phases)),
            "i_bank": In(1),
            "i_phase": In(range(self.phases)),
            "i_codes": In(data.ArrayLayout(CODE_BITS, lanes)),
            "o_weights": Out(data.ArrayLayout(signed(8), lanes)),
        })

    def elaborate(self, platform):
        m = Module()
        width = self.config.bus_bytes
        for column in range(width):
            table = memory.Memory(shape=8, depth=2 * self.phases * _CODES, init=[])
            m.submodules[f"column_{column}"] = table
            write = table.write_port()
            m.d.comb += [
                write.en.eq(self.i_compute),
                write.addr.eq(Cat(self.i_code, self.i_compute_phase, ~self.i_bank)),
                write.data.eq(self._entry(m, column)),
            ]
            for lane in range(column, len(self.i_codes), width):
                read = table.read_port(domain="comb")
                m.d.comb += [
                    read.addr.eq(Cat(self.i_codes[lane], self.i_phase, self.i_bank)),
                    self.o_weights[lane].eq(read.data.as_signed()),
                ]
        return m

    def _entry(self, m, column):
        """Return the entry of the current code; the slope is added up with each code."""
        word = Signal(SLOPE_BITS + OFFSET_BITS, name=f"word_{column}")
        product = Signal(SLOPE_BITS + CODE_BITS, name=f"product_{column}")
        with m.If(self.i_header):
            m.d.sync += [word.eq(Cat(word[8:], self.i_data[column])), product.eq(0)]
        with m.If(self.i_compute):
            m.d.sync += product.eq(product + word[:SLOPE_BITS])
        # the offset has no bits below those of the sum that are dropped first
        dropped = SHIFT_BITS - _OFFSET_FRACTION
        total = Signal(signed(SLOPE_BITS + CODE_BITS - dropped + 2), name=f"total_{column}")
        weight = Signal(signed(len(total) - _OFFSET_FRACTION), name=f"weight_{column}")
        fits = Signal(name=f"fits_{column}")
        entry = Signal(8, name=f"entry_{column}")
        beyond = weight[7:]
        m.d.comb += [
            total.eq(product[dropped:] + word[SLOPE_BITS:].as_signed()),
            weight.eq(total >> _OFFSET_FRACTION),
            fits.eq(beyond.all() | ~beyond.any()),
            entry.eq(Cat(Mux(fits, weight[:7], (~weight[-1]).replicate(7)), weight[-1])),
        ]
        return entry
