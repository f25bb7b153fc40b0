"""Top level of the accelerator, which connects the blocks."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from .accelerator_ports import accelerator_ports
from .array.matmul import MatmulUnit
from .bus.axi4 import connect_half
from .bus.read_arbiter import ReadArbiter
from .control.subsystem import ControlSubsystem
from .dma.load import LoadUnit
from .dma.store import StoreUnit
from .sram.accumulator import AccumulatorMemory
from .sram.scratchpad import Scratchpad
from .sram.weight_halves import WeightHalves
from .sram.weights import WeightBuffer
from .staggered_reset import add_with_staggered_reset
from .vector.unit import VectorUnit

__all__ = ["Accelerator"]


class Accelerator(wiring.Component):
    """Inference accelerator for int8 networks with two AXI ports.

    A host writes a program and its data to the memory behind ``m_axi``. It sets the address windows
    and starts the program through the registers behind ``s_axil``. The documentation pages on
    registers and on the instruction set describe these interfaces.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration without ``compact``; :func:`weft.instance.make_accelerator` accepts any.
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
        Only with ``observe``. Bit u is high in a cycle in which an instruction enters the queue of
        unit u, is issued to the unit, or completes. The events of one bit are in program order.

    Raises
    ------
    ValueError
        If ``config`` is ``compact``.
    """

    def __init__(self, config, *, observe=False):
        if config.compact:
            raise ValueError(f"configuration {config.name!r} is compact: use "
                             "weft.make_accelerator to create its serial engine")
        self.config = config
        self.observe = observe
        super().__init__(accelerator_ports(config, observe=observe))

    def elaborate(self, platform):
        m = Module()
        config = self.config

        m.submodules.control = control = ControlSubsystem(config)
        m.submodules.scratchpad = spad = Scratchpad(config)
        m.submodules.weights = weights = \
            WeightBuffer(config) if config.tile_lines == 1 else WeightHalves(config)
        m.submodules.accumulators = acc = AccumulatorMemory(config)
        load = LoadUnit(config)
        matmul = MatmulUnit(config, spad_latency=spad.read_latency,
                            data_latency=spad.DATA_LATENCY, wgt_latency=weights.read_latency,
                            acc_latency=acc.UPDATE_LATENCY)
        vector = VectorUnit(config)
        store = StoreUnit(config=config, read_latency=spad.read_latency)
        arbiter = ReadArbiter(config)

        # a soft reset resets these components, after those in the control subsystem
        last_clear = add_with_staggered_reset(m, control.o_clear, (
            ("load", load), ("store", store), ("arbiter", arbiter), ("vector", vector),
            ("matmul", matmul)))

        connect(m, flipped(self.s_axil), control.s_axil)
        connect(m, control.axi, arbiter.first)
        connect(m, load.axi, arbiter.second)
        for half in (arbiter.axi, store.axi):
            connect_half(m, self.m_axi, half)

        for number, (name, unit) in enumerate((("load", load), ("matmul", matmul),
                                               ("vector", vector), ("store", store))):
            connect(m, getattr(control, name), unit.unit)
            if self.observe:
                m.d.comb += [
                    self.o_queued[number].eq(control.o_queued[number]),
                    self.o_issued[number].eq(unit.unit.cmd.valid & unit.unit.cmd.ready),
                    self.o_done[number].eq(unit.unit.done),
                ]
        connect(m, load.spad, spad.load)
        connect(m, load.wgt, weights.load)
        if config.fixed_point:
            connect(m, load.ring, matmul.ring)
            m.d.comb += [unit.i_ring_clear.eq(control.o_clear_ring) for unit in (load, matmul)]
        if config.weights_4bit and config.tile_lines > 1:
            connect(m, load.wgt_upper, weights.load_upper)
        connect(m, matmul.spad, spad.matmul)
        connect(m, matmul.wgt, weights.matmul)
        if config.tile_lines > 1:
            connect(m, matmul.wgt_lower, weights.matmul_lower)
        connect(m, matmul.acc, acc.update)
        connect(m, vector.acc, acc.read)
        connect(m, vector.spad, spad.vector)
        connect(m, vector.spad_out, spad.vector_out)
        connect(m, store.spad, spad.store)

        # a soft reset discards the requests at the memory ports but keeps the contents
        m.d.sync += [spad.i_flush.eq(last_clear), weights.i_flush.eq(spad.i_flush)]
        for memory in (spad, weights, acc):
            m.d.comb += memory.i_clear.eq(control.o_clear_memories)
        axi = self.m_axi
        m.d.comb += [
            vector.i_clear.eq(control.o_clearing),
            control.i_clearing.eq(spad.o_clearing | weights.o_clearing | acc.o_clearing
                                  | vector.o_clearing),
            control.i_bus_idle.eq(Cat(load.o_idle, store.o_idle)),
            control.i_counters.mac_busy.eq(matmul.o_mac_busy),
            control.i_counters.matmul_wait_weights.eq(matmul.o_wait_weights),
            control.i_counters.bytes_read.eq(arbiter.o_beat),
            control.i_counters.bytes_written.eq(store.o_bytes),
            control.i_progress.eq(
                matmul.o_mac_busy | vector.o_progress | arbiter.o_beat | store.o_bytes.any()
                | (axi.arvalid & axi.arready) | (axi.awvalid & axi.awready)
                | (axi.bvalid & axi.bready)),
            self.irq.eq(control.o_irq),
        ]
        return m
