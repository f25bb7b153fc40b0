"""Top level of the serial engine: connections of its units, and the host's register accesses."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from ..accelerator_ports import accelerator_ports
from ..bus.axi_lite import AxiLiteSubordinate
from ..spec import register_map
from .array_unit import ArrayUnit
from .beat_unit import BeatUnit
from .byte_unit import ByteUnit
from .core import Core
from .microinstruction import Operation
from .program import microprogram

__all__ = ["CompactAccelerator"]

_UNIT_PORTS = ("op", "go", "step", "count", "a", "r", "operand")


class CompactAccelerator(wiring.Component):
    """Int8 inference accelerator that executes one instruction at a time.

    The ports, registers and instructions are those of :class:`weft.accelerator.Accelerator`, in a
    tenth of the area. Instructions execute in program order; the field ``each`` is not
    supported. ``docs/blocks/compact.md`` has the full contract.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        A configuration with ``compact`` set.
    observe : :class:`bool`
        Add the ports ``o_queued``, ``o_issued`` and ``o_done`` for simulation traces.

    Members
    -------
    s_axil : :py:`In(Axi4Lite(addr_width=12))`
        Registers.
    m_axi : :py:`Out(Axi4(addr_width, bus_width))`
        Host memory: instructions, weights, activations.
    irq : :py:`Out(1)`
        High while an enabled interrupt cause is set.
    o_queued, o_issued, o_done : :py:`Out(4)`
        Only with ``observe``. Bit u is high for one cycle when an instruction of unit u has been
        accepted, when it starts, and when it is done.

    Raises
    ------
    ValueError
        If ``config.compact`` is not set.
    """

    def __init__(self, config, *, observe=False):
        if not config.compact:
            raise ValueError(f"configuration {config.name!r} does not set compact; use "
                             "weft.accelerator.Accelerator")
        self.config = config
        self.observe = observe
        super().__init__(accelerator_ports(config, observe=observe))

    def elaborate(self, platform):
        m = Module()
        words, registers = microprogram(self.config)
        m.submodules.core = core = Core(words, registers)
        m.submodules.bytes = byte_unit = ByteUnit(self.config)
        m.submodules.array = array = ArrayUnit(self.config)
        m.submodules.beat = beat_unit = BeatUnit(self.config)
        m.submodules.axil = axil = AxiLiteSubordinate(register_map.ADDR_WIDTH)
        connect(m, flipped(self.s_axil), axil.s_axil)
        connect(m, beat_unit.m_axi, flipped(self.m_axi))

        port = core.port
        units = (byte_unit, array, beat_unit)
        for unit in units:
            m.d.comb += [getattr(unit.port, name).eq(getattr(port, name))
                         for name in _UNIT_PORTS]
        m.d.comb += [
            port.stall.eq(Cat(unit.port.stall for unit in units).any()),
            byte_unit.i_beat.eq(beat_unit.o_beat),
            byte_unit.i_to_weights.eq(array.o_to_weights),
            array.i_byte.eq(byte_unit.o_byte),
            array.i_byte_valid.eq(byte_unit.o_byte_valid),
            array.i_byte_index.eq(byte_unit.o_byte_index),
            array.i_moving.eq(byte_unit.o_busy),
            array.i_weight_addr.eq(byte_unit.o_weight_addr),
            array.i_weight_data.eq(byte_unit.o_t[:8]),
            array.i_weight_en.eq(byte_unit.o_weight_en),
            beat_unit.i_data.eq(byte_unit.o_t),
            beat_unit.i_strobes.eq(byte_unit.o_strobes),
            core.i_shifter_busy.eq(byte_unit.o_busy),
            core.i_accumulator_busy.eq(array.o_busy),
            core.i_shifter.eq(byte_unit.o_t),
            core.i_accumulator.eq(array.o_word),
            core.i_read_valid.eq(beat_unit.o_read_valid),
            core.i_write_valid.eq(beat_unit.o_write_valid),
        ]
        self._host_accesses(m, core, axil.bus, beat_unit.o_response)
        if self.observe:
            for kind, events in enumerate((self.o_queued, self.o_issued, self.o_done)):
                m.d.comb += [event.eq(port.go & (port.op == Operation.EVENT)
                                      & (port.operand == kind) & (port.a == unit))
                             for unit, event in enumerate(events)]
        return m

    def _host_accesses(self, m, core, bus, response):
        """Connect the register bus: the core serves reads, and the microprogram serves writes."""
        port = core.port
        word = Signal(register_map.ADDR_WIDTH - 2)
        mapped = Signal()
        m.d.comb += word.eq(bus.addr[2:])
        with m.Switch(word):
            with m.Case(*(register.offset >> 2 for register in register_map.REGISTERS)):
                m.d.comb += mapped.eq(1)
        reading = Signal()
        writing = Signal()
        acknowledged = Signal()
        m.d.comb += [
            acknowledged.eq(port.go & (port.op == Operation.ACKNOWLEDGE)),
            core.i_host_read.eq(reading),
            core.i_host_addr.eq(word),
            core.i_write_pending.eq(writing),
            core.i_bus_data.eq(bus.data),
            core.i_bus_address.eq(Cat(word, bus.strb.all(), response)),
            bus.ack.eq(core.o_host_read_done | acknowledged),
            bus.read_data.eq(core.o_host_data & mapped.replicate(32)),
            bus.error.eq(~mapped | (writing & port.operand[0])),
        ]
        with m.If(bus.en):
            m.d.sync += [reading.eq(~bus.write), writing.eq(bus.write)]
        with m.Elif(bus.ack):
            m.d.sync += [reading.eq(0), writing.eq(0)]
        with m.If(port.go & (port.op == Operation.SET_INTERRUPT)):
            m.d.sync += self.irq.eq(port.a != 0)
