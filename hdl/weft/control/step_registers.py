"""Memory of the step registers."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..spec import register_map
from ..vendor.lut_ram import lut_ram_attributes

__all__ = ["STEP_INDEX_SHAPE", "StepRead", "StepRegisters"]

_COUNT = len(register_map.STEP_REGISTERS)
STEP_INDEX_SHAPE = exact_log2(_COUNT)


class StepRead(wiring.Signature):
    """Read access of the sequencer to the step registers.

    Members
    -------
    en : :py:`Out(1)`, ``index`` : :py:`Out(6)`
        Read the register with this index. Allowed while ``busy`` is low.
    value : :py:`In(32)`
        Value of the register that was read in the previous cycle.
    busy : :py:`In(1)`
        The registers are being zeroed. It does not rise while a program runs.
    """

    def __init__(self):
        super().__init__({
            "en": Out(1), "index": Out(STEP_INDEX_SHAPE), "value": In(32), "busy": In(1),
        })


class StepRegisters(wiring.Component):
    """Step registers in a memory with one read port, which host and sequencer share.

    A read of the sequencer takes precedence over one of the host. A reset zeroes the registers, and
    so does ``i_clear``: in one register per cycle.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    i_index : :py:`In(6)`
        Register that the host accesses.
    i_write : :py:`In(4)`, ``i_data`` : :py:`In(32)`
        Bytes of it to write, and their values. Allowed in the cycle after ``o_valid`` was high.
    o_value : :py:`Out(32)`, ``o_valid`` : :py:`Out(1)`
        Value of the register ``i_index`` of the previous cycle, if ``o_valid`` is high.
    i_clear : :py:`In(1)`
        Zero all registers.
    read : :py:`In(StepRead())`
        Reads of the sequencer.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "i_index": In(STEP_INDEX_SHAPE),
            "i_write": In(4),
            "i_data": In(32),
            "o_value": Out(32),
            "o_valid": Out(1),
            "i_clear": In(1),
            "read": In(StepRead()),
        })

    def elaborate(self, platform):
        m = Module()
        # an asynchronous read port and a register behind it: distributed RAM on every FPGA
        m.submodules.storage = storage = memory.Memory(
            shape=32, depth=_COUNT, init=[], attrs=lut_ram_attributes(self.config.multiplier))
        read_port, write_port = storage.read_port(domain="comb"), storage.write_port(granularity=8)
        clearing = Signal(init=1)
        index = Signal(STEP_INDEX_SHAPE)        # register that is zeroed next
        granted = Signal()                      # the host has read in the previous cycle
        value = Signal(32)
        m.d.comb += [
            read_port.addr.eq(Mux(self.read.en, self.read.index, self.i_index)),
            self.read.value.eq(value),
            self.read.busy.eq(clearing),
            self.o_value.eq(value),
            self.o_valid.eq(granted & ~clearing),
            write_port.addr.eq(Mux(clearing, index, self.i_index)),
            write_port.data.eq(Mux(clearing, 0, self.i_data)),
            write_port.en.eq(Mux(clearing, 0b1111, self.i_write)),
        ]
        m.d.sync += [value.eq(read_port.data), granted.eq(~self.read.en & ~clearing)]
        with m.If(clearing):
            m.d.sync += [index.eq(index + 1), clearing.eq(index != _COUNT - 1)]
        with m.If(self.i_clear):
            m.d.sync += [index.eq(0), clearing.eq(1)]
        return m
