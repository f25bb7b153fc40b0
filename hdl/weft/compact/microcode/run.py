"""How programs begin and end, and resets."""

from ...spec import register_map
from ...spec.isa import SEQUENCER, ErrorCode
from ..microinstruction import Condition, Operation, Source
from .register_bits import (
    BUSY,
    CLEAR,
    CLEARING,
    DONE,
    ERROR,
    FIELD,
    LAST_LIVE,
    LIVE,
    RESET,
    RESETTING,
)

__all__ = ["run"]

_TOKENS = 16


def run(u):
    """Emit all of this; the microprogram begins here."""
    u.neighbours("event", "owed", "live_CYCLES", *(f"live_{name}" for name in LIVE))
    _boot(u)
    _idle(u)
    _ends(u)
    _clear(u)


def _boot(u):
    # a hardware reset finds what was there before
    u.zeros("CONTROL", f"COUNTER_{register_map.COUNTERS[-1][0]}")
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
    u.and_(BUSY)
    u.zero("reset_registers")
    u.call("stop_clock")
    u.label("reset_registers")
    u.zeros("ERROR_CODE", "PC")
    u.store("event", "STATUS")
    u.load("owed")              # a watchdog has given up on it
    u.zero("idle")
    u.load(RESETTING)
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
    u.and_(RESET)
    u.nonzero("reset")
    u.load("event")
    u.and_(CLEAR)
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
               *(register.name for register in register_map.REGISTERS)}
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
    u.load(ERROR)
    u.go("end")
    u.label("finished")
    u.load(DONE)
    u.label("end")              # A is the new STATUS
    u.store("state")
    u.call("stop_clock")
    u.copy("state", "STATUS")
    u.and_(ERROR)              # causes are DONE and ERROR, in this order
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
    u.and_(~CLEARING)
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
