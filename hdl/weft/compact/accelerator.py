"""The serial engine behind the ports of the accelerator: wiring, and the host's reads."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..bus.axi4 import Axi4, Axi4Lite
from ..bus.axi_lite import AxiLiteSubordinate
from ..spec import register_map
from ..spec.config import UNITS
from .array_unit import Engine
from .beat_unit import BeatUnit
from .byte_unit import ByteUnit
from .core import Core
from .microinstruction import Operation
from .program import microprogram

__all__ = ["CompactAccelerator"]

_UNIT_PORTS = ("op", "go", "step", "count", "a", "r", "operand")


class CompactAccelerator(wiring.Component):
    """An int8 inference accelerator behind two AXI ports, in a tenth of the area.

    It has the ports, registers and instructions of :class:`weft.accelerator.Accelerator`, but
    carries out one instruction at a time, in the order of the program; see the page on it for
    what that excludes.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        With ``compact``.
    observe : :class:`bool`
        Add the ports ``o_queued``, ``o_handed`` and ``o_done``, for traces of a simulation.

    Members
    -------
    s_axil : :py:`In(Axi4Lite(addr_width=12))`
        Registers.
    m_axi : :py:`Out(Axi4(addr_width, bus_width))`
        Host memory: instructions, weights, activations.
    irq : :py:`Out(1)`
        High while an enabled interrupt cause is set.
    o_queued, o_handed, o_done : :py:`Out(4)`
        Only with ``observe``. Bit u: an instruction of unit u was accepted, has begun, is done.

    Raises
    ------
    ValueError
        If ``config`` is not ``compact``.
    """

    def __init__(self, config, *, observe=False):
        if not config.compact:
            raise ValueError(f"configuration {config.name!r} is not compact")
        self.config = config
        self.observe = observe
        events = ("o_queued", "o_handed", "o_done") if observe else ()
        super().__init__({
            "s_axil": In(Axi4Lite(addr_width=register_map.ADDR_WIDTH)),
            "m_axi": Out(Axi4(addr_width=config.addr_width, data_width=config.bus_width)),
            "irq": Out(1),
            **{name: Out(len(UNITS)) for name in events},
        })

    def elaborate(self, platform):
        m = Module()
        words, registers = microprogram(self.config)
        m.submodules.core = core = Core(words, registers)
        m.submodules.bytes = mover = ByteUnit(self.config)
        m.submodules.engine = engine = Engine(self.config)
        m.submodules.bus = bus = BeatUnit(self.config)
        m.submodules.axil = axil = AxiLiteSubordinate(register_map.ADDR_WIDTH)
        connect(m, flipped(self.s_axil), axil.s_axil)
        connect(m, bus.m_axi, flipped(self.m_axi))

        port = core.port
        units = (mover, engine, bus)
        for unit in units:
            m.d.comb += [getattr(unit.port, name).eq(getattr(port, name))
                         for name in _UNIT_PORTS]
        m.d.comb += [
            port.stall.eq(Cat(unit.port.stall for unit in units).any()),
            mover.i_beat.eq(bus.o_beat),
            mover.i_to_weights.eq(engine.o_to_weights),
            engine.i_byte.eq(mover.o_byte),
            engine.i_byte_valid.eq(mover.o_byte_valid),
            engine.i_byte_index.eq(mover.o_byte_index),
            engine.i_moving.eq(mover.o_busy),
            engine.i_weight_addr.eq(mover.o_weight_addr),
            engine.i_weight_data.eq(mover.o_t[:8]),
            engine.i_weight_en.eq(mover.o_weight_en),
            bus.i_data.eq(mover.o_t),
            bus.i_strobes.eq(mover.o_strobes),
            core.i_shifter_busy.eq(mover.o_busy),
            core.i_accumulator_busy.eq(engine.o_busy),
            core.i_shifter.eq(mover.o_t),
            core.i_accumulator.eq(engine.o_word),
            core.i_read_valid.eq(bus.o_read_valid),
            core.i_write_valid.eq(bus.o_write_valid),
        ]
        self._registers(m, core, axil.bus, bus.o_answer)
        if self.observe:
            for kind, events in enumerate((self.o_queued, self.o_handed, self.o_done)):
                m.d.comb += [event.eq(port.go & (port.op == Operation.EVENT)
                                      & (port.operand == kind) & (port.a == unit))
                             for unit, event in enumerate(events)]
        return m

    def _registers(self, m, core, bus, answer):
        """A host's reads go to the core's registers, its writes to the microprogram."""
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
            core.i_look.eq(reading),
            core.i_look_addr.eq(word),
            core.i_write_waits.eq(writing),
            core.i_bus_data.eq(bus.data),
            core.i_bus_address.eq(Cat(word, bus.strb.all(), answer)),
            bus.ack.eq(core.o_look_done | acknowledged),
            bus.read_data.eq(core.o_register & mapped.replicate(32)),
            bus.error.eq(~mapped | (writing & port.operand[0])),
        ]
        with m.If(bus.en):
            m.d.sync += [reading.eq(~bus.write), writing.eq(bus.write)]
        with m.Elif(bus.ack):
            m.d.sync += [reading.eq(0), writing.eq(0)]
        with m.If(port.go & (port.op == Operation.INTERRUPT)):
            m.d.sync += self.irq.eq(port.a != 0)
