"""Registers of the host interface, generated from :mod:`weft.spec.register_map`."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.utils import exact_log2

from ..bus.axi_lite import RegisterBus
from ..spec import register_map
from ..spec.identity import identity
from .instruction_layout import register_layout
from .layouts import ERROR_RECORD, WINDOW_ARRAY
from .step_registers import STEP_INDEX_SHAPE, StepRead, StepRegisters

__all__ = ["SETTINGS", "Registers"]

SETTINGS = data.StructLayout({
    "mem_base": 32, "program_addr": 32, "program_count": 32, "watchdog": 32,
})
"""Values of the registers of these names."""

_SINGLE_REGISTERS = [register for register in register_map.REGISTERS
                     if not register.name.startswith("COUNTER_")]
_STEPS_OFFSET = register_map.STEP_REGISTERS[0].offset
_COUNTERS_OFFSET = register_map.BY_NAME[f"COUNTER_{register_map.COUNTERS[0][0]}"].offset


class Registers(wiring.Component):
    """Register file of the host interface.

    An access is acknowledged ``LATENCY`` cycles after its start. Commands are high in the cycle of
    the acknowledgement; settings change in the next cycle. An access that reads a counter, takes a
    snapshot or clears the counters takes one cycle more, and waits while ``i_counters_busy`` is
    high. An access to a step register may wait as well. A soft reset does not affect the registers.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Members
    -------
    bus : :py:`In(RegisterBus(register_map.ADDR_WIDTH))`
        Register accesses, one at a time.
    o_command : :py:`Out(register_layout("CONTROL"))`
        Bits of CONTROL; each is high for one cycle when the host has set it.
    o_settings : :py:`Out(SETTINGS)`, ``o_windows`` : :py:`Out(WINDOW_ARRAY)`
        Values of the configuration registers; stable while BUSY.
    i_status : :py:`In(register_layout("STATUS"))`
        Value of STATUS. BUSY, ERROR, RESETTING and CLEARING also decide which writes are refused.
    i_record : :py:`In(ERROR_RECORD)`
        Values of ERROR_CODE, ERROR_INDEX and ERROR_ADDR.
    i_waits : :py:`In(register_layout("WAITS"))`
        Current wait conditions.
    i_first_error : :py:`In(1)`
        High in the cycle before ``i_record`` changes to an error. ``i_waits`` is stored in this
        cycle; WAITS reads as the stored value while ``i_record`` contains an error.
    i_pc : :py:`In(32)`
        Value of PC.
    o_counter : :py:`Out(range(len(register_map.COUNTERS)))`, ``i_counter`` : :py:`In(32)`
        Index of a counter, and its value in the last snapshot two cycles later.
    i_counters_busy : :py:`In(1)`
        ``i_counter`` is not valid, and no command for the counters may be issued in the next
        cycle.
    i_done_event, i_error_event : :py:`In(1)`
        Set the bit DONE or ERROR of IRQ_STATUS.
    o_irq : :py:`Out(1)`
        Interrupt; high, one cycle later, while an enabled bit of IRQ_STATUS is set.
    steps : :py:`In(StepRead())`
        Only with ``fixed_point``: reads of step registers by the sequencer. A read of the sequencer
        delays one of the host by a cycle.
    i_clear : :py:`In(1)`
        Only with ``fixed_point``: zero the step registers. ``steps.busy`` is high in the meantime,
        and accesses of the host to step registers wait.
    """

    LATENCY = 2

    def __init__(self, config):
        self.config = config
        super().__init__({
            "bus": In(RegisterBus(register_map.ADDR_WIDTH)),
            "o_command": Out(register_layout("CONTROL")),
            "o_settings": Out(SETTINGS),
            "o_windows": Out(WINDOW_ARRAY),
            "i_status": In(register_layout("STATUS")),
            "i_record": In(ERROR_RECORD),
            "i_waits": In(register_layout("WAITS")),
            "i_first_error": In(1),
            "i_pc": In(32),
            "o_counter": Out(range(len(register_map.COUNTERS))),
            "i_counter": In(32),
            "i_counters_busy": In(1),
            "i_done_event": In(1),
            "i_error_event": In(1),
            "o_irq": Out(1),
            **({"steps": In(StepRead()), "i_clear": In(1)} if config.fixed_point else {}),
        })

    def elaborate(self, platform):
        m = Module()
        bus = self.bus
        stored = {register.name: Signal(32, name=register.name.lower())
                  for register in register_map.REGISTERS if register.access in ("RW", "W1C")}
        values = self._read_only(m) | stored

        # -- cycle 0: address decoding -----------------------------------------------------------
        deciding = Signal()
        hits = {}
        for register in _SINGLE_REGISTERS:
            hits[register.name] = hit = Signal(name=f"is_{register.name.lower()}")
            m.d.sync += hit.eq(bus.addr[2:] == register.offset >> 2)
        hits["COUNTERS"] = is_counter = Signal()
        select_width = len(self.o_counter)
        m.d.comb += self.o_counter.eq(bus.addr[2:])
        m.d.sync += is_counter.eq((self.o_counter < len(register_map.COUNTERS)) & (
            bus.addr[2 + select_width:] == _COUNTERS_OFFSET >> 2 + select_width))

        if self.config.fixed_point:
            steps = self._add_steps(m, hits, values)

        # -- cycle 1, for counters cycle 2 or later: permission, write, read data ----------------
        about_counters = Signal()
        decided = Signal()
        settled = Signal()
        command = data.View(register_layout("CONTROL"), bus.data)
        waits = about_counters & (self.i_counters_busy | ~settled)
        if self.config.fixed_point:
            waits = waits | (hits["STEPS"] & ~steps.o_valid)
        m.d.comb += [
            about_counters.eq(Mux(bus.write, hits["CONTROL"]
                                  & (command.SNAPSHOT | command.CLEAR_COUNTERS), is_counter)),
            decided.eq(deciding & ~waits),
        ]
        m.d.sync += [deciding.eq(bus.en | (deciding & ~decided)), settled.eq(deciding)]
        permitted = Signal()
        accept = Signal()
        refusals = {"COUNTERS": 1, "STEPS": self.i_status.BUSY}
        for register in _SINGLE_REGISTERS:
            refusals[register.name] = refused = Signal(name=f"refuse_{register.name.lower()}")
            m.d.comb += refused.eq(self._refusal(register, stored))
        m.d.comb += [
            permitted.eq(Cat(hit & ~(bus.write & refusals[name])
                             for name, hit in hits.items()).any()),
            accept.eq(decided & bus.write & permitted),
        ]
        if self.config.fixed_point:
            m.d.sync += steps.i_write.eq(Mux(accept & hits["STEPS"], bus.strb, 0))
        strobed = Signal(32)
        m.d.comb += strobed.eq(Cat(bit.replicate(8) for bit in bus.strb))
        for register in _SINGLE_REGISTERS:
            named = sum((1 << bits.width) - 1 << bits.offset for bits in register.fields)
            written = strobed & named
            if register.access == "WO":
                m.d.sync += self.o_command.eq(
                    Mux(accept & hits[register.name], bus.data & written, 0))
            # written one cycle later, which is safe: bus.data is stable until the acknowledgement
            write = Signal(name=f"write_{register.name.lower()}")
            m.d.sync += write.eq(accept & hits[register.name])
            with m.If(write):
                if register.access == "RW":
                    value = stored[register.name]
                    m.d.sync += value.eq((bus.data & written) | (value & ~written))
                if register.access == "W1C":
                    value = stored[register.name]
                    m.d.sync += value.eq(value & ~(bus.data & written))

        # an event takes precedence over a write that clears its bit in the same cycle
        irq_status = data.View(register_layout("IRQ_STATUS"), stored["IRQ_STATUS"])
        with m.If(self.i_done_event):
            m.d.sync += irq_status.DONE.eq(1)
        with m.If(self.i_error_event):
            m.d.sync += irq_status.ERROR.eq(1)

        # balanced AND-OR tree: at most one register is selected
        terms = [Mux(hits[name], value, 0) for name, value in values.items()]
        while len(terms) > 1:
            terms = [a | b for a, b in zip(terms[::2], terms[1::2])] + (
                [terms[-1]] if len(terms) % 2 else [])
        m.d.sync += [
            bus.ack.eq(decided),
            bus.error.eq(~permitted),
            bus.read_data.eq(terms[0]),
            self.o_irq.eq((stored["IRQ_STATUS"] & stored["IRQ_ENABLE"]).any()),
        ]
        self._drive_settings(m, stored)
        return m

    def _add_steps(self, m, hits, values):
        """Add the step registers, the decoding of their addresses, and their value. Return them.

        They are written in the cycle of the acknowledgement, in which ``bus`` is still stable.
        """
        bus = self.bus
        m.submodules.steps = steps = StepRegisters(self.config)
        connect(m, steps.read, flipped(self.steps))
        hits["STEPS"] = is_step = Signal()
        values["STEPS"] = steps.o_value
        m.d.comb += [
            steps.i_index.eq(bus.addr[2:]),
            steps.i_data.eq(bus.data),
            steps.i_clear.eq(self.i_clear),
        ]
        m.d.sync += is_step.eq(
            bus.addr[2 + STEP_INDEX_SHAPE:] == _STEPS_OFFSET >> 2 + STEP_INDEX_SHAPE)
        return steps

    def _drive_settings(self, m, stored):
        """Drive ``o_settings`` and ``o_windows`` from the ``stored`` registers."""
        m.d.comb += [getattr(self.o_settings, name).eq(stored[name.upper()])
                     for name in SETTINGS.members]
        for index in range(register_map.WINDOWS):
            control = data.View(register_layout(f"WINDOW{index}_CTRL"),
                                stored[f"WINDOW{index}_CTRL"])
            m.d.comb += [
                self.o_windows[index].base.eq(stored[f"WINDOW{index}_BASE"]),
                self.o_windows[index].last.eq(stored[f"WINDOW{index}_LAST"]),
                self.o_windows[index].read.eq(control.READ),
                self.o_windows[index].write.eq(control.WRITE),
            ]

    def _refusal(self, register, stored):
        """Return 1 bit, high if the current write would be refused by ``register``."""
        status, bus = self.i_status, self.bus
        if register.access == "RO":
            return 1
        if register.access == "W1C":
            return 0
        if register.access == "WO":
            command = data.View(register_layout("CONTROL"), bus.data & bus.strb[0].replicate(8))
            idle = ~(status.BUSY | status.ERROR | status.RESETTING | status.CLEARING)
            return ((command.START | command.CLEAR) & ~idle) | (
                command.START + command.CLEAR + command.SOFT_RESET > 1)
        refused = status.BUSY
        if register.name.startswith("WINDOW"):
            lock = register_map.BY_NAME[register.name[:7] + "_CTRL"].bits("LOCK")
            refused = refused | stored[register.name[:7] + "_CTRL"][lock.offset]
        if register.align > 1:
            refused = refused | (bus.strb[0] & (bus.data[:exact_log2(register.align)] != 0))
        return refused

    def _read_only(self, m):
        """Return the values of the registers that a host cannot write, by name."""
        waits_at_error = Signal(32)
        with m.If(self.i_first_error):
            m.d.sync += waits_at_error.eq(self.i_waits)

        record = self.i_record
        return {
            **identity(self.config),
            "STATUS": self.i_status.as_value(),
            "ERROR_CODE": Cat(record.code, record.unit),
            "ERROR_INDEX": record.index,
            "ERROR_ADDR": record.addr,
            "WAITS": Mux(record.code != 0, waits_at_error, self.i_waits.as_value()),
            "PC": self.i_pc,
            "COUNTERS": self.i_counter,
        }
