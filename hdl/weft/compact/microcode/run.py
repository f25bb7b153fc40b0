"""Microprogram of power-up, start and end of a program, errors, soft reset and CLEAR."""

from ...spec import register_map
from ...spec.isa import SEQUENCER, ErrorCode
from ..array_unit import MODE, TABLE_WORDS
from ..microinstruction import Condition, Operation, Source
from .register_bits import (
    BUSY,
    CLEAR,
    CLEARING,
    DONE,
    ERROR,
    LAST_LIVE_COUNTER,
    LIVE_COUNTERS,
    RESET,
    RESETTING,
    field_mask,
)
from .requantize import PARAMETERS

__all__ = ["run"]

_TOKENS = 16


def run(u):
    """Emit the first part of the microprogram; execution starts at its first word."""
    # the words of all slots, and the multiplier and shift of MAP
    u.consecutive(*(f"parameter{index}" for index in range(PARAMETERS * u.config.param_channels)),
                  "map_multiplier", "map_shift")
    u.consecutive("pending_commands", "outstanding", "live_CYCLES",
                  *(f"live_{name}" for name in LIVE_COUNTERS))
    _boot(u)
    _idle(u)
    _ends(u)
    _clear(u)


def _boot(u):
    """Emit the clearing of the registers after a reset, and the subroutine ``zeros`` for it."""
    # a hardware reset does not clear the register file
    u.zeros("CONTROL", f"COUNTER_{register_map.COUNTERS[-1][0]}")
    u.zeros("pending_commands", LAST_LIVE_COUNTER)
    u.go("idle")
    u.label("zeros")            # zeros A registers from register X on
    u.store("zeros_left")
    u.load(0)
    u.store("@X")
    u.do(Operation.NEXT_INDEX)
    u.less_one("zeros_left")
    u.nonzero("zeros")
    u.back()


def _idle(u):
    """Emit ``reset``, a soft reset, and ``idle``, which waits for commands and starts programs."""
    u.label("reset")            # a response can be outstanding only after a watchdog error
    u.load("STATUS")
    u.and_(BUSY)
    u.zero("reset_registers")
    u.call("stop_clock")
    u.label("reset_registers")
    u.zeros("ERROR_CODE", "PC")
    u.store("pending_commands")
    u.load("STATUS")
    u.and_(CLEARING)            # a soft reset during CLEAR begins it again
    u.store("STATUS")
    u.nonzero("clear", slot=lambda: u.load(CLEAR))
    u.load("outstanding")       # nonzero if the watchdog ended the wait for a response
    u.zero("idle", slot=lambda: u.load(RESETTING))
    u.store("STATUS")
    u.label("wait_outstanding")     # also the entry for a soft reset during a bus access
    u.branch(Condition.READ_VALID, "outstanding_read")
    u.branch(Condition.WRITE_VALID, "outstanding_write")
    u.branch(Condition.POLL, "service")
    u.go("wait_outstanding")
    u.label("outstanding_read")
    u.do(Operation.ACCEPT_BEAT)
    u.go("outstanding_done")
    u.label("outstanding_write")
    u.do(Operation.ACCEPT_RESPONSE)
    u.label("outstanding_done")
    u.load(0)
    u.store("outstanding")
    u.go("reset")

    u.label("idle")
    u.branch(Condition.WRITE_PENDING, "idle_service")
    u.go("idle")
    u.label("idle_service")
    u.call("service")
    u.and_(RESET)
    u.nonzero("reset")
    u.load("pending_commands")
    u.and_(CLEAR)
    u.nonzero("clear", slot=lambda: u.load("pending_commands"))
    u.zero("idle", slot=lambda: u.load(0))
    u.store("pending_commands", "PC")       # the command is START
    u.array("token", _TOKENS)
    u.zeros("token0", f"token{_TOKENS - 1}")
    u.read_source(Source.CLOCK)
    u.store("clock_begin")
    u.load("MEM_BASE")
    u.add("PROGRAM_ADDR")
    u.store("instruction_addr")
    u.load(0)
    u.store("wrapped")
    u.no_carry("next")
    u.increment("wrapped")
    u.go("next")


def _ends(u):
    """Emit the end of a program, with one entry for each error and one for success.

    The code writes the error record, STATUS and IRQ_STATUS. The labels at which nothing but the
    listed variables is live are registered for the delay slots.
    """
    u.exits |= {"bad_opcode", "bad_reserved", "bad_field", "bad_fetch", "bad_spad", "bad_wgt",
                "bad_acc", "bad_host", "refuse", "accept"}
    u.live_at_exit |= {"unit", "instruction_addr", "fault_addr", "PC",
                       *(f"live_{name}" for name in (*LIVE_COUNTERS, "CYCLES")),
                       *(register.name for register in register_map.REGISTERS)}
    for name, code in (("bad_opcode", ErrorCode.ILLEGAL_OPCODE),
                       ("bad_reserved", ErrorCode.RESERVED_BITS),
                       ("bad_field", ErrorCode.BAD_FIELD), ("bad_fetch", ErrorCode.HOST_WINDOW)):
        u.label(name)
        if name == "bad_opcode":
            u.load(SEQUENCER)
            u.store("unit")
        u.load(code)
        u.go("bad_instruction")
    u.label("bad_instruction")
    u.store("code")
    u.copy("instruction_addr", "ERROR_ADDR")
    u.go("fail")
    for name, code in (("bad_spad", ErrorCode.SPAD_BOUNDS), ("bad_wgt", ErrorCode.WGT_BOUNDS),
                       ("bad_acc", ErrorCode.ACC_BOUNDS), ("bad_host", ErrorCode.HOST_WINDOW)):
        u.label(name)
        u.load(code)
        u.go("bad_extent")
    u.label("bad_extent")       # the address of the error record is in fault_addr
    u.store("code")
    u.copy("fault_addr", "ERROR_ADDR")
    u.label("fail")             # the instruction was not accepted, so its index is PC
    u.copy("PC", "ERROR_INDEX")
    u.label("fail_unit")
    u.load(0)
    u.shift_bytes(3, "unit")    # unit << 8
    u.or_("code")
    u.store("ERROR_CODE")
    u.load(ERROR)
    u.go("end")
    u.label("finished")
    u.load(DONE)
    u.label("end")              # A is the new STATUS
    u.store("new_status")
    u.call("stop_clock")
    u.copy("new_status", "STATUS")
    u.and_(ERROR)
    u.zero("end_done")
    u.load(field_mask("IRQ_STATUS", "ERROR"))
    u.go("end_irq")
    u.label("end_done")
    u.load(field_mask("IRQ_STATUS", "DONE"))
    u.label("end_irq")
    u.or_("IRQ_STATUS")
    u.store("IRQ_STATUS")
    u.and_("IRQ_ENABLE")
    u.do(Operation.SET_INTERRUPT)
    u.go("idle")

    u.label("stop_clock")
    u.read_source(Source.CLOCK)
    u.sub("clock_begin")
    u.add_to("live_CYCLES")
    u.back()


def _clear(u):
    """Emit CLEAR, which zeros scratchpad, weight buffer, accumulators, tables and parameters."""
    config = u.config
    u.label("clear")            # A is CLEAR, which is also the mode that selects the weights
    assert MODE.const({"to_weights": 1}).as_value().value == CLEAR
    u.do(Operation.SET_MODE)
    u.load(config.wgt_bytes // 4)
    u.call("clear_bytes")
    u.do(Operation.SET_MODE)    # A is 0
    u.load(config.spad_bytes // 4)
    u.call("clear_bytes")
    u.do(Operation.SET_ACC_ADDR)
    u.load(config.acc_rows * config.cols + TABLE_WORDS)
    u.store("left")
    u.label("clear_acc")
    u.load(0)
    u.do(Operation.STORE_ACC)
    u.decrement("left")
    u.nonzero("clear_acc")
    u.zeros("parameter0", "map_shift")
    u.load("STATUS")
    u.and_(~CLEARING)
    u.store("STATUS")
    u.go("idle")
    u.label("clear_bytes")      # zeros A words of four bytes; A is 0 at the end
    u.store("left")
    u.load(0)
    u.store("pending_commands")     # before the poll, so that only a soft reset ends the loop
    u.pointer()
    u.do(Operation.SET_SHIFTER)
    u.label("clear_word")
    u.repeat(4, Operation.WRITE_BYTES)
    u.poll()
    u.decrement("left")
    u.nonzero("clear_word")
    u.back()
