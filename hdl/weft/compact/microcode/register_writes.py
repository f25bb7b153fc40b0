"""Microprogram that serves the host's register writes."""

from ...spec import register_map
from ..microinstruction import Function, Operation, Source
from .register_bits import (
    BUSY,
    CLEAR,
    CLEARING,
    ERROR,
    LAST_LIVE_COUNTER,
    LIVE_COUNTERS,
    RESET,
    RESETTING,
    START,
    field_mask,
    register_number,
)

__all__ = ["register_writes"]


def register_writes(u):
    """Emit the subroutines ``serve`` and ``service``."""
    _service(u)
    _control(u)


def _service(u):
    """Emit ``service``, which serves one register write, and ``serve``.

    ``service`` returns A = the commands that have not been executed yet. ``serve`` calls it and
    executes a soft reset.
    """
    u.label("serve")
    u.call("service")
    u.nonzero("reset")
    u.back()
    u.label("service")
    u.read_source(Source.BUS_ADDRESS)
    u.and_(0x3FF)
    u.store("word")
    u.read_source(Source.BUS_ADDRESS)
    u.and_(0x400)               # all bytes must be written
    u.zero("refuse")
    for name, label in (("CONTROL", "control"), ("IRQ_STATUS", "acknowledge_irq")):
        u.load("word")
        u.xor(register_number(name))
        u.zero(label)
    u.load("STATUS")
    u.and_(BUSY)
    u.nonzero("refuse")
    u.load("word")
    u.xor(register_number("IRQ_ENABLE"))
    u.zero("enable_irq")
    u.load("word")
    u.sub(register_number("MEM_BASE"))
    u.no_carry("refuse")
    u.sub(register_number("PROGRAM_COUNT") - register_number("MEM_BASE"))
    u.no_carry("aligned")
    u.sub(register_number("WATCHDOG") + 1 - register_number("PROGRAM_COUNT"))
    u.no_carry("plain")
    u.load("word")
    u.sub(register_number("WINDOW0_BASE"))
    u.no_carry("refuse")
    u.sub(4 * register_map.WINDOWS)
    u.carry("refuse")
    u.load("word")
    u.and_(3)
    u.store("window_word")
    u.xor(3)
    u.zero("refuse")
    u.load("word")
    u.and_(~3)
    u.or_(2)
    u.do(Operation.SET_INDEX)
    u.load("@X")
    u.and_(field_mask("WINDOW0_CTRL", "LOCK"))
    u.nonzero("refuse")
    u.load("window_word")
    u.xor(2)
    u.nonzero("plain")
    u.read_source(Source.BUS_DATA)
    u.and_(field_mask("WINDOW0_CTRL", "READ", "WRITE", "LOCK"))
    u.store("@X")
    u.go("accept")
    u.label("aligned")
    u.read_source(Source.BUS_DATA)
    u.and_(31)
    u.nonzero("refuse")
    u.label("plain")
    u.load("word")
    u.do(Operation.SET_INDEX)
    u.read_source(Source.BUS_DATA)
    u.store("@X")
    u.go("accept")
    u.label("acknowledge_irq")
    u.read_source(Source.BUS_DATA)
    u.and_("IRQ_STATUS")
    u.xor("IRQ_STATUS")
    u.store("IRQ_STATUS")
    u.go("update_irq")
    u.label("enable_irq")
    u.read_source(Source.BUS_DATA)
    u.and_(3)
    u.store("IRQ_ENABLE")
    u.label("update_irq")
    u.load("IRQ_STATUS")
    u.and_("IRQ_ENABLE")
    u.do(Operation.SET_INTERRUPT)
    u.label("accept")
    u.do(Operation.ACKNOWLEDGE, 0)
    u.label("answered")
    u.load("pending_commands")
    u.back()
    u.label("refuse")
    u.go("answered", slot=lambda: u.do(Operation.ACKNOWLEDGE, 1))


def _control(u):
    """Emit the part of ``service`` for the register CONTROL."""
    u.label("control")
    u.read_source(Source.BUS_DATA)
    u.and_(START | RESET | CLEAR)
    u.store("command")
    u.zero("control_counters")
    u.function(Function.DEC, "command")
    u.and_("command")           # nonzero if more than one of them is set
    u.nonzero("refuse")
    u.load("command")
    u.and_(START | CLEAR)
    u.zero("control_counters")
    u.load("STATUS")
    u.and_(BUSY | ERROR | RESETTING | CLEARING)
    u.nonzero("refuse")
    u.label("control_counters")
    u.read_source(Source.BUS_DATA)
    u.and_(field_mask("CONTROL", "SNAPSHOT"))
    u.zero("control_no_snapshot")
    u.load("STATUS")
    u.and_(BUSY)
    u.zero("snapshot_idle")
    u.read_source(Source.CLOCK)
    u.sub("clock_begin")
    u.label("snapshot_idle")    # A = cycles of the running program, 0 if there is none
    u.add("live_CYCLES")
    u.store("COUNTER_CYCLES")
    for name in LIVE_COUNTERS:
        u.copy(f"live_{name}", f"COUNTER_{name}")
    u.label("control_no_snapshot")
    u.read_source(Source.BUS_DATA)
    u.and_(field_mask("CONTROL", "CLEAR_COUNTERS"))
    u.zero("control_commands")
    u.zeros("live_CYCLES", LAST_LIVE_COUNTER)
    u.read_source(Source.CLOCK)
    u.store("clock_begin")
    u.label("control_commands")
    u.load("command")
    u.zero("accept")
    u.or_("pending_commands")
    u.store("pending_commands")
    u.load("command")
    u.and_(RESET)
    u.zero("control_no_reset")
    u.load("STATUS")
    u.and_(BUSY | CLEARING)
    u.or_(RESETTING)
    u.store("STATUS")
    u.go("accept")
    u.label("control_no_reset")
    u.load("command")
    u.and_(CLEAR)
    u.zero("control_start")
    u.load("STATUS")
    u.or_(CLEARING)
    u.store("STATUS")
    u.go("accept")
    u.label("control_start")
    u.load(BUSY)
    u.store("STATUS")
    u.go("accept")
