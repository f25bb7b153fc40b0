"""Registers: what a host's writes do, and how programs begin and end."""

from ...control import regmap
from ...control.isa import SEQUENCER, ErrorCode
from ..micro import Condition, Function, Operation, Source

__all__ = ["FIELD", "LIVE", "host", "number"]

LIVE = ("MAC_BUSY", "BYTES_READ", "BYTES_WRITTEN", "INSTRUCTIONS",
        "LOAD_BUSY", "MATMUL_BUSY", "VECTOR_BUSY", "STORE_BUSY")
"""Counters that are kept beside CYCLES; the others read as 0."""

LAST_LIVE = f"live_{LIVE[-1]}"
_TOKENS = 16


def number(name):
    """The word address of a register."""
    return regmap.BY_NAME[name].offset >> 2


def FIELD(register, *names):
    """The bits of some fields of a register."""
    found = 0
    for name in names:
        bits = regmap.BY_NAME[register].bits(name)
        found |= (1 << bits.width) - 1 << bits.offset
    return found


_START, _RESET, _CLEAR = (FIELD("CONTROL", name) for name in ("START", "SOFT_RESET", "CLEAR"))
_BUSY, _DONE, _ERROR, _RESETTING, _CLEARING = (
    FIELD("STATUS", name) for name in ("BUSY", "DONE", "ERROR", "RESETTING", "CLEARING"))


def host(u):
    """Emit all of this; the program begins here."""
    u.neighbours("event", "owed", "live_CYCLES", *(f"live_{name}" for name in LIVE))
    _boot(u)
    _idle(u)
    _ends(u)
    _clear(u)
    _service(u)
    _control(u)


def _boot(u):
    # a hardware reset finds what was there before
    u.zeros("CONTROL", f"COUNTER_{regmap.COUNTERS[-1][0]}")
    u.zeros("event", LAST_LIVE)
    u.go("idle")
    u.label("zeros")            # A registers from X on
    u.store("zeros_left")
    u.load(0)
    u.store("@X")
    u.do(Operation.NEXT_INDEX)
    u.less_one("zeros_left")
    u.nonzero("zeros")
    u.back()


def _idle(u):
    u.label("reset")            # nothing is owed by the bus
    u.load("STATUS")
    u.and_(_BUSY)
    u.zero("reset_registers")
    u.call("stop_clock")
    u.label("reset_registers")
    u.zeros("ERROR_CODE", "PC")
    u.store("event", "STATUS")
    u.load("owed")              # a watchdog has given up on it
    u.zero("idle")
    u.load(_RESETTING)
    u.store("STATUS")
    u.label("owed")             # so does a soft reset
    u.branch(Condition.READ_VALID, "owed_read")
    u.branch(Condition.WRITE_VALID, "owed_write")
    u.branch(Condition.WRITE_WAITS, "owed_service")
    u.go("owed")
    u.label("owed_service")
    u.call("service")
    u.go("owed")
    u.label("owed_read")
    u.do(Operation.TAKE_BEAT)
    u.go("owed_over")
    u.label("owed_write")
    u.do(Operation.TAKE_ANSWER)
    u.label("owed_over")
    u.load(0)
    u.store("owed")
    u.go("reset")

    u.label("idle")
    u.branch(Condition.WRITE_WAITS, "idle_service")
    u.go("idle")
    u.label("idle_service")
    u.call("service")
    u.and_(_RESET)
    u.nonzero("reset")
    u.load("event")
    u.and_(_CLEAR)
    u.nonzero("clear")
    u.load("event")
    u.zero("idle")
    u.load(0)                   # START
    u.store("event", "PC")
    u.array("token", _TOKENS)
    u.zeros("token0", f"token{_TOKENS - 1}")
    u.take(Source.CLOCK)
    u.store("clock_begin")
    u.load("MEM_BASE")
    u.add("PROGRAM_ADDR")
    u.store("at")
    u.load(0)
    u.store("wrapped")
    u.no_carry("next")
    u.increment("wrapped")
    u.go("next")


def _ends(u):
    u.ends |= {"bad_opcode", "bad_reserved", "bad_field", "bad_fetch", "bad_spad", "bad_wgt",
               "bad_acc", "bad_host", "refuse", "accept"}
    u.kept |= {"unit", "at", "place", "PC", *(f"live_{name}" for name in (*LIVE, "CYCLES")),
               *(register.name for register in regmap.REGISTERS)}
    for name, code in (("bad_opcode", ErrorCode.ILLEGAL_OPCODE),
                       ("bad_reserved", ErrorCode.RESERVED_BITS),
                       ("bad_field", ErrorCode.BAD_FIELD), ("bad_fetch", ErrorCode.HOST_WINDOW)):
        u.label(name)
        if name == "bad_opcode":
            u.load(SEQUENCER)
            u.store("unit")
        u.load(code)
        u.go("bad_at")
    u.label("bad_at")
    u.store("code")
    u.copy("at", "ERROR_ADDR")
    u.go("fail")
    for name, code in (("bad_spad", ErrorCode.SPAD_BOUNDS), ("bad_wgt", ErrorCode.WGT_BOUNDS),
                       ("bad_acc", ErrorCode.ACC_BOUNDS), ("bad_host", ErrorCode.HOST_WINDOW)):
        u.label(name)
        u.load(code)
        u.go("bad_place")
    u.label("bad_place")        # addr of the record is in "place"
    u.store("code")
    u.copy("place", "ERROR_ADDR")
    u.label("fail")             # the record's index is PC: the instruction was not accepted
    u.copy("PC", "ERROR_INDEX")
    u.label("fail_unit")
    u.load(0)
    u.down(3, "unit")           # unit << 8
    u.or_("code")
    u.store("ERROR_CODE")
    u.load(_ERROR)
    u.go("end")
    u.label("finished")
    u.load(_DONE)
    u.label("end")              # A is the new STATUS
    u.store("state")
    u.call("stop_clock")
    u.copy("state", "STATUS")
    u.and_(_ERROR)              # causes are DONE and ERROR, in this order
    u.zero("end_done")
    u.load(FIELD("IRQ_STATUS", "ERROR"))
    u.go("end_irq")
    u.label("end_done")
    u.load(FIELD("IRQ_STATUS", "DONE"))
    u.label("end_irq")
    u.or_("IRQ_STATUS")
    u.store("IRQ_STATUS")
    u.and_("IRQ_ENABLE")
    u.do(Operation.INTERRUPT)
    u.go("idle")

    u.label("stop_clock")
    u.take(Source.CLOCK)
    u.sub("clock_begin")
    u.add_to("live_CYCLES")
    u.back()


def _clear(u):
    config = u.config
    u.label("clear")
    u.load(0)
    u.do(Operation.MODE)
    u.load(config.spad_bytes // 4)
    u.call("clear_bytes")
    u.load(4)
    u.do(Operation.MODE)
    u.load(config.wgt_bytes // 4)
    u.call("clear_bytes")
    u.do(Operation.MODE)        # A is 0
    u.do(Operation.ROW)
    u.load(config.acc_rows * config.cols)
    u.store("left")
    u.label("clear_acc")
    u.load(0)
    u.do(Operation.STORE_ROW)
    u.decrement("left")
    u.nonzero("clear_acc")
    u.copy(0, "event")
    u.load("STATUS")
    u.and_(~_CLEARING)
    u.store("STATUS")
    u.go("idle")
    u.label("clear_bytes")      # A words; A is 0 at the end
    u.store("left")
    u.load(0)
    u.pointer()
    u.do(Operation.SHIFTER)
    u.label("clear_word")
    u.count(4, Operation.WRITE_BYTES)
    u.poll()
    u.decrement("left")
    u.nonzero("clear_word")
    u.back()


def _service(u):
    """A host's write: A is the commands that it has given and nobody has taken yet."""
    u.label("serve")
    u.call("service")
    u.nonzero("reset")
    u.back()
    u.label("service")
    u.take(Source.BUS_ADDRESS)
    u.and_(0x3FF)
    u.store("word")
    u.take(Source.BUS_ADDRESS)
    u.and_(0x400)               # registers are written whole
    u.zero("refuse")
    for name, label in (("CONTROL", "control"), ("IRQ_STATUS", "acknowledge_irq")):
        u.load("word")
        u.xor(number(name))
        u.zero(label)
    u.load("STATUS")
    u.and_(_BUSY)
    u.nonzero("refuse")
    u.load("word")
    u.xor(number("IRQ_ENABLE"))
    u.zero("enable_irq")
    u.load("word")
    u.sub(number("MEM_BASE"))
    u.no_carry("refuse")
    u.sub(number("PROGRAM_COUNT") - number("MEM_BASE"))
    u.no_carry("aligned")
    u.sub(number("WATCHDOG") + 1 - number("PROGRAM_COUNT"))
    u.no_carry("plain")
    u.load("word")
    u.sub(number("WINDOW0_BASE"))
    u.no_carry("refuse")
    u.sub(4 * regmap.WINDOWS)
    u.carry("refuse")
    u.load("word")
    u.and_(3)
    u.store("which")
    u.xor(3)
    u.zero("refuse")
    u.load("word")
    u.and_(~3)
    u.or_(2)
    u.do(Operation.INDEX)
    u.load("@X")
    u.and_(FIELD("WINDOW0_CTRL", "LOCK"))
    u.nonzero("refuse")
    u.load("which")
    u.xor(2)
    u.nonzero("plain")
    u.take(Source.BUS_DATA)
    u.and_(FIELD("WINDOW0_CTRL", "READ", "WRITE", "LOCK"))
    u.store("@X")
    u.go("accept")
    u.label("aligned")
    u.take(Source.BUS_DATA)
    u.and_(31)
    u.nonzero("refuse")
    u.label("plain")
    u.load("word")
    u.do(Operation.INDEX)
    u.take(Source.BUS_DATA)
    u.store("@X")
    u.go("accept")
    u.label("acknowledge_irq")
    u.take(Source.BUS_DATA)
    u.and_("IRQ_STATUS")
    u.xor("IRQ_STATUS")
    u.store("IRQ_STATUS")
    u.go("update_irq")
    u.label("enable_irq")
    u.take(Source.BUS_DATA)
    u.and_(3)
    u.store("IRQ_ENABLE")
    u.label("update_irq")
    u.load("IRQ_STATUS")
    u.and_("IRQ_ENABLE")
    u.do(Operation.INTERRUPT)
    u.label("accept")
    u.do(Operation.ACKNOWLEDGE, 0)
    u.label("answered")
    u.load("event")
    u.back()
    u.label("refuse")
    u.go("answered", slot=lambda: u.do(Operation.ACKNOWLEDGE, 1))


def _control(u):
    u.label("control")
    u.take(Source.BUS_DATA)
    u.and_(_START | _RESET | _CLEAR)
    u.store("command")
    u.zero("control_counters")
    u.function(Function.DEC, "command")
    u.and_("command")           # more than one of them clash
    u.nonzero("refuse")
    u.load("command")
    u.and_(_START | _CLEAR)
    u.zero("control_counters")
    u.load("STATUS")
    u.and_(_BUSY | _ERROR | _RESETTING | _CLEARING)
    u.nonzero("refuse")
    u.label("control_counters")
    u.take(Source.BUS_DATA)
    u.and_(FIELD("CONTROL", "SNAPSHOT"))
    u.zero("control_no_snapshot")
    u.load("STATUS")
    u.and_(_BUSY)
    u.zero("snapshot_idle")
    u.take(Source.CLOCK)
    u.sub("clock_begin")
    u.label("snapshot_idle")    # A is 0, or the cycles of the running program
    u.add("live_CYCLES")
    u.store("COUNTER_CYCLES")
    for name in LIVE:
        u.copy(f"live_{name}", f"COUNTER_{name}")
    u.label("control_no_snapshot")
    u.take(Source.BUS_DATA)
    u.and_(FIELD("CONTROL", "CLEAR_COUNTERS"))
    u.zero("control_commands")
    u.zeros("live_CYCLES", LAST_LIVE)
    u.take(Source.CLOCK)
    u.store("clock_begin")
    u.label("control_commands")
    u.load("command")
    u.zero("accept")
    u.or_("event")
    u.store("event")
    u.load("command")
    u.and_(_RESET)
    u.zero("control_no_reset")
    u.load("STATUS")
    u.and_(_BUSY)
    u.or_(_RESETTING)
    u.store("STATUS")
    u.go("accept")
    u.label("control_no_reset")
    u.load("command")
    u.and_(_CLEAR)
    u.zero("control_start")
    u.load("STATUS")
    u.or_(_CLEARING)
    u.store("STATUS")
    u.go("accept")
    u.label("control_start")
    u.load(_BUSY)
    u.store("STATUS")
    u.go("accept")
