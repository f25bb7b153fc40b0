"""Control subsystem: registers, fetch, validation, sequencing, watchdog and soft reset."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..bus.axi4 import Axi4Lite, Axi4Read
from ..bus.axi_lite import AxiLiteSubordinate
from ..spec import register_map
from ..spec.config import UNITS
from ..staggered_reset import add_with_staggered_reset
from .clear import ClearControl
from .counters import PerformanceCounters
from .fetch import Fetcher
from .layouts import datapath_counters
from .registers import Registers
from .run_control import RunControl
from .sequencer import Sequencer
from .soft_reset import SoftReset
from .unit_interface import UnitSignature
from .validate import Validator
from .watchdog import Watchdog

__all__ = ["ControlSubsystem"]


class ControlSubsystem(wiring.Component):
    """Control logic that executes programs of the host on the four units.

    This component only connects its submodules.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    s_axil : :py:`In(Axi4Lite(addr_width=register_map.ADDR_WIDTH))`
        Register access for the host.
    axi : :py:`Out(Axi4Read(...))`
        Instruction fetch.
    load, matmul, vector, store : :py:`Out(UnitSignature())`
        ``halt`` is driven for LOAD and STORE only. MATMUL and VECTOR complete all issued
        instructions.
    i_bus_idle : :py:`In(2)`
        Bit 0: LOAD has no address on the bus and no outstanding beat. Bit 1: STORE has no address
        on the bus and no outstanding beat or response.
    o_clear : :py:`Out(1)`
        Reset of the four units and the bus arbiter. High for ``SoftReset.CLEAR_CYCLES`` cycles, so
        that outstanding memory responses arrive while their receiver is in reset. Registers and
        on-chip memories are not reset. The control subsystem resets its own blocks before.
    o_clear_memories : :py:`Out(1)`
        High for one cycle: zero scratchpad, weight buffer and accumulators.
    o_clearing : :py:`Out(1)`
        High from the cycle of ``o_clear_memories`` until all memories are zero: zero the parameters
        and tables of VECTOR.
    i_clearing : :py:`In(1)`
        High from at most four cycles after ``o_clear_memories`` until all memories are zero. The
        value during a soft reset does not matter.
    o_clear_ring : :py:`Out(1)`
        Only with ``fixed_point``: empty the ring. High for one cycle, before the first instruction
        of a program and with ``o_clear_memories``.
    i_progress : :py:`In(1)`
        Progress in the datapath: a handshake on ``m_axi``, or a vector enters the array.
    i_counters : :py:`In(datapath_counters(config))`
        Increments of the performance counters of the datapath.
    o_irq : :py:`Out(1)`
        Interrupt, high while an enabled cause is set.
    o_queued : :py:`Out(4)`
        Bit u: an instruction enters the queue of unit u in this cycle.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "s_axil": In(Axi4Lite(addr_width=register_map.ADDR_WIDTH)),
            "axi": Out(Axi4Read(addr_width=config.addr_width, data_width=config.bus_width)),
            "load": Out(UnitSignature()),
            "matmul": Out(UnitSignature()),
            "vector": Out(UnitSignature()),
            "store": Out(UnitSignature()),
            "i_bus_idle": In(2),
            "o_clear": Out(1),
            "o_clear_memories": Out(1),
            "o_clearing": Out(1),
            "i_clearing": In(1),
            "i_progress": In(1),
            "i_counters": In(datapath_counters(config)),
            "o_irq": Out(1),
            "o_queued": Out(len(UNITS)),
            **({"o_clear_ring": Out(1)} if config.fixed_point else {}),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.axil = axil = AxiLiteSubordinate(register_map.ADDR_WIDTH)
        m.submodules.registers = registers = Registers(self.config)
        m.submodules.counters = counters = PerformanceCounters(self.config)
        m.submodules.reset = reset = SoftReset()
        m.submodules.clear = clear = ClearControl()
        # a soft reset resets the following blocks, but not those above
        fetch, validator = Fetcher(self.config), Validator(self.config)
        sequencer, run, watchdog = Sequencer(self.config), RunControl(), Watchdog()
        # RunControl is reset first; otherwise it could take the reset of another for a completion
        last_clear = add_with_staggered_reset(m, reset.o_clear, (
            ("run", run), ("watchdog", watchdog), ("fetch", fetch), ("validator", validator),
            ("sequencer", sequencer)))

        connect(m, flipped(self.s_axil), axil.s_axil)
        connect(m, axil.bus, registers.bus)
        connect(m, fetch.axi, flipped(self.axi))
        connect(m, fetch.o, validator.i)
        connect(m, validator.o, sequencer.i)
        if self.config.fixed_point:
            connect(m, validator.steps, registers.steps)
            m.d.comb += registers.i_clear.eq(clear.o_clear)
        for name in UNITS:
            connect(m, getattr(sequencer, name.lower()), flipped(getattr(self, name.lower())))

        # registers on long paths from and to the units; i_stop has a register in the sequencer
        halt, halt_fetch, begin, progress = Signal(), Signal(), Signal(), Signal()
        bus_idle = Signal()
        m.d.sync += [
            bus_idle.eq(self.i_bus_idle.all() & fetch.o_idle),
            halt.eq(run.o_halt | reset.o_halt),
            halt_fetch.eq(run.o_stop_fetch | reset.o_halt),
            begin.eq(run.o_begin),
            progress.eq(sequencer.o_progress | self.i_progress),
        ]

        busy = self.i_clearing | reset.o_resetting      # a soft reset restarts the clear of VECTOR
        if self.config.fixed_point:
            busy = busy | registers.steps.busy
            m.d.comb += self.o_clear_ring.eq(begin | clear.o_clear)
        self._connect_program(m, registers, fetch, validator, sequencer, begin, halt_fetch)
        m.d.comb += [
            sequencer.i_clear.eq(run.o_begin),
            sequencer.i_stop.eq(run.o_stop | reset.o_halt),
            sequencer.i_halt.eq(halt),
        ]
        self._connect_run(m, registers, run, validator, sequencer, watchdog, bus_idle)
        m.d.comb += [
            reset.i_request.eq(registers.o_command.SOFT_RESET),
            reset.i_bus_idle.eq(bus_idle),
            self.o_clear.eq(last_clear),
            clear.i_request.eq(registers.o_command.CLEAR),
            clear.i_clearing.eq(busy),
            self.o_clear_memories.eq(clear.o_clear),
            self.o_clearing.eq(clear.o_clearing),

            watchdog.i_enable.eq(run.o_busy & ~reset.o_resetting),
            watchdog.i_limit.eq(registers.o_settings.watchdog),
            watchdog.i_progress.eq(progress),
            watchdog.i_unit_status.eq(sequencer.o_unit_status),
            watchdog.i_fetch_waiting.eq(fetch.o_waiting),
            watchdog.i_pc.eq(sequencer.o_pc),
        ]
        self._connect_registers(m, registers, run, reset, clear, sequencer, counters)
        self._connect_counters(m, registers, counters, run, fetch, sequencer)
        self._connect_units(m, registers, counters, validator, sequencer)
        return m

    def _connect_program(self, m, registers, fetch, validator, sequencer, begin, halt_fetch):
        """Connect address, length and windows of the program."""
        settings = registers.o_settings
        program = Signal(33)        # host address; stable from the cycle before START on
        m.d.sync += program.eq(settings.mem_base + settings.program_addr)
        m.d.comb += [
            fetch.i_start.eq(begin),
            fetch.i_addr.eq(program),
            fetch.i_count.eq(settings.program_count),
            fetch.i_windows.eq(registers.o_windows),
            fetch.i_halt.eq(halt_fetch),
            validator.i_mem_base.eq(settings.mem_base),
            validator.i_program.eq(program),
            validator.i_windows.eq(registers.o_windows),
        ]

    def _connect_run(self, m, registers, run, validator, sequencer, watchdog, bus_idle):
        """Connect start, completion and errors of a program."""
        m.d.comb += [
            run.i_start.eq(registers.o_command.START),
            run.i_count.eq(registers.o_settings.program_count),
            run.i_retired_count.eq(sequencer.o_retired_count),
            run.i_refused.eq(validator.o_error),
            run.i_refused_record.eq(validator.o_record),
            run.i_failed.eq(sequencer.o_error),
            run.i_failed_record.eq(sequencer.o_record),
            run.i_expired.eq(watchdog.o_expired),
            run.i_expired_record.eq(watchdog.o_record),
            run.i_can_start.eq(sequencer.o_can_start),
            run.i_quiescent.eq(sequencer.o_quiescent),
            run.i_bus_idle.eq(bus_idle),
        ]

    def _connect_registers(self, m, registers, run, reset, clear, sequencer, counters):
        """Connect the values of the read-only registers, and the interrupt."""
        m.d.comb += [
            registers.i_status.BUSY.eq(run.o_busy),
            registers.i_status.DONE.eq(run.o_done),
            registers.i_status.ERROR.eq(run.o_error),
            registers.i_status.RESETTING.eq(reset.o_resetting),
            registers.i_status.CLEARING.eq(clear.o_clearing),
            registers.i_record.eq(run.o_record),
            registers.i_first_error.eq(run.o_first_error),
            registers.i_pc.eq(sequencer.o_pc),
            registers.i_counter.eq(counters.o),
            registers.i_counters_busy.eq(counters.o_busy),
            counters.i_select.eq(registers.o_counter),
            registers.i_done_event.eq(run.o_done_event),
            registers.i_error_event.eq(run.o_error_event),
            self.o_irq.eq(registers.o_irq),
        ]

    def _connect_counters(self, m, registers, counters, run, fetch, sequencer):
        """Connect the commands of the performance counters, and the increments not of all units."""
        m.d.comb += [
            counters.i_snapshot.eq(registers.o_command.SNAPSHOT),
            counters.i_clear.eq(registers.o_command.CLEAR_COUNTERS),
            counters.i.CYCLES.eq(run.o_busy),
            counters.i.MAC_BUSY.eq(self.i_counters.mac_busy),
            counters.i.MATMUL_WAIT_WEIGHTS.eq(self.i_counters.matmul_wait_weights),
            counters.i.FETCH_WAIT_MEMORY.eq(fetch.o_waiting),
            counters.i.LOAD_WAIT_MEMORY.eq(self.load.wait_memory),
            counters.i.STORE_WAIT_MEMORY.eq(self.store.wait_memory),
            counters.i.BYTES_READ.eq(Mux(self.i_counters.bytes_read, self.config.bus_bytes, 0)),
            counters.i.BYTES_WRITTEN.eq(self.i_counters.bytes_written),
            counters.i.INSTRUCTIONS.eq(sequencer.o_iteration_count),
        ]

    def _connect_units(self, m, registers, counters, validator, sequencer):
        """Connect the status and the counters of each unit."""
        for number, name in enumerate(UNITS):
            unit, status = getattr(self, name.lower()), sequencer.o_unit_status[number]
            m.d.comb += [
                self.o_queued[number].eq(validator.o.valid & validator.o.ready
                                         & (validator.o.payload.unit == number)),
                registers.i_status.UNITS[number].eq(status.busy),
                registers.i_waits[f"{name}_TOKENS"].eq(status.missing_tokens),
                registers.i_waits[f"{name}_QUEUED"].eq(status.queued),
                registers.i_waits[f"{name}_BUSY"].eq(status.busy),
                registers.i_waits[f"{name}_MEMORY"].eq(status.wait_memory),
                counters.i[f"{name}_BUSY"].eq(unit.busy),
                counters.i[f"{name}_WAIT_TOKEN"].eq(status.missing_tokens.any()),
                counters.i[f"{name}_CONFLICT"].eq(unit.conflict),
            ]
