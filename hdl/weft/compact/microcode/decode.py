"""Microprogram that fetches, decodes and completes instructions, and handles tokens."""

from ...spec import isa
from ...spec.config import UNITS
from ...spec.isa import ErrorCode
from ..microinstruction import Operation, Source
from .fields import accept, end
from .memory import memory
from .register_bits import field_mask

__all__ = ["decode"]

_WORDS = isa.INSTRUCTION_BYTES // 4
_QUEUED, _ISSUED, _DONE = range(3)     # operand of Operation.EVENT
_MAX_TOKENS = 255


def decode(u):
    """Emit the code that all instructions share, and the SYNC instructions."""
    u.array("i", _WORDS)
    _next(u)
    _accepted(u)
    _take_tokens(u)
    _token_missing(u)
    _give_tokens(u)
    memory(u)
    _sync(u)


def _sync(u):
    """Emit the SYNC instructions. All their words except the first are reserved."""
    for name in isa.UNITS:
        u.label(f"do_SYNC_{name}")
        u.load("i0")
        u.and_(isa.BY_NAME[f"SYNC_{name}"].reserved_mask & 0xFFFFFFFF)
        u.go("sync")
    u.label("sync")
    for word in range(1, _WORDS):
        u.or_(f"i{word}")
    u.nonzero("bad_reserved")
    accept(u)
    end(u)


def _next(u):
    """Emit ``done``, which completes an instruction, and ``next``, which fetches the next one.

    ``next`` then branches to the code of the instruction.
    """
    u.label("done")
    u.load("unit")
    u.do(Operation.EVENT, _DONE)
    u.add(u.register(f"live_{UNITS[0]}_BUSY"))
    u.do(Operation.SET_INDEX)
    u.read_source(Source.CLOCK)
    u.sub("begin_cycle")
    u.add_to("@X")
    u.increment("live_INSTRUCTIONS")
    u.load("i0")
    u.and_(0xF << isa.BY_NAME["LOAD"].field("signal").offset)
    u.nonzero("give_tokens")
    u.label("tokens_given")
    u.load("instruction_addr")
    u.add(isa.INSTRUCTION_BYTES)
    u.store("instruction_addr")
    u.no_carry("next")
    u.increment("wrapped")
    u.label("next")
    u.poll()
    u.load("PC")
    u.xor("PROGRAM_COUNT")
    u.zero("finished")
    u.copy(isa.SEQUENCER, "unit")
    u.copy(1, "access")
    u.load("wrapped")
    u.nonzero("bad_fetch")
    u.load("instruction_addr")
    u.store("first", "addr")
    u.add(isa.INSTRUCTION_BYTES - 1)
    u.store("last")
    u.call("window")
    u.zero("bad_fetch")
    u.copy(_WORDS, "left")
    u.label("fetch")
    u.load("addr")
    u.call("beat")
    u.load(u.register("i0") + _WORDS)   # X is reloaded: a write of the host overwrites it
    u.sub("left")
    u.do(Operation.SET_INDEX)
    u.read_source(Source.SHIFTER)
    u.store("@X")
    u.load("addr")
    u.add(4)
    u.store("addr")
    u.decrement("left")
    u.nonzero("fetch")
    u.load("i0")
    u.and_(0xFF)
    u.store("opcode")
    u.repeat(4, Operation.SHIFT)
    u.sub(1)
    u.store("unit")
    u.load("opcode")
    previous = 0
    for instruction in isa.INSTRUCTIONS:
        u.xor(previous ^ instruction.opcode)
        u.zero(f"do_{instruction.name}")
        previous = instruction.opcode
    u.go("bad_opcode")


def _accepted(u):
    """Emit ``accepted``, a subroutine that takes the tokens of an instruction and starts it."""
    u.label("accepted")
    u.load(0)
    u.do(Operation.SET_MODE)
    u.increment("PC")
    u.read_source(Source.CLOCK)
    u.store("begin_cycle")
    u.load("unit")
    u.do(Operation.EVENT, _QUEUED)
    u.load("i0")
    u.and_(0xF << isa.BY_NAME["LOAD"].field("wait").offset)
    u.nonzero("take_tokens")
    u.label("issued")
    u.load("unit")
    u.do(Operation.EVENT, _ISSUED)
    u.back()


def _take_tokens(u):
    """Emit the code that takes the tokens of the field ``wait``.

    Bit u of ``missing_tokens`` is set if no token from unit u is available.
    """
    u.label("take_tokens")
    u.load(0)
    u.store("missing_tokens")
    u.load(u.register("token0"))
    u.add("unit")
    u.do(Operation.SET_INDEX)
    u.load(1)
    u.label("take_token")
    u.store("bit")
    u.load("i0")
    u.shift_bytes(1)
    u.and_("bit")
    u.zero("next_token")
    u.load("@X")
    u.nonzero("token_available")
    u.load("bit")
    u.add_to("missing_tokens")
    u.go("next_token")
    u.label("token_available")
    u.decrement("@X")
    u.label("next_token")
    for _ in range(len(UNITS)):
        u.do(Operation.NEXT_INDEX)
    _next_unit(u, "take_token")
    u.load("missing_tokens")
    u.zero("issued")
    u.go("token_missing")


def _next_unit(u, loop):
    """Emit the step of ``bit`` to the next unit, and a branch to ``loop`` if there is one."""
    u.load("bit")
    u.double()
    u.store("bit")
    u.sub(1 << len(UNITS))
    u.nonzero(loop, slot=lambda: u.load("bit"))


def _token_missing(u):
    """Emit the handling of a missing token, which no other instruction can give any more.

    The engine reports WATCHDOG at once if the watchdog is enabled, and otherwise waits forever.
    """
    u.label("token_missing")
    u.or_(field_mask("WAITS", "LOAD_QUEUED"))
    u.store("WAITS")
    u.load("unit")
    u.store("left")
    u.label("shift_waits")
    u.zero("wait_forever")
    u.load(0)
    u.shift_bytes(3, "WAITS")
    u.store("WAITS")
    u.decrement("left")
    u.nonzero("shift_waits")
    u.label("wait_forever")
    u.poll()
    u.load("WATCHDOG")
    u.zero("wait_forever")
    u.load(0)
    u.store("ERROR_ADDR")
    u.copy(ErrorCode.WATCHDOG, "code")
    u.go("fail_accepted")


def _give_tokens(u):
    """Emit the code that gives the tokens of the field ``signal``."""
    u.label("give_tokens")
    u.load("unit")
    u.double(2)
    u.add(u.register("token0"))
    u.do(Operation.SET_INDEX)
    u.load(1)
    u.label("give_token")
    u.store("bit")
    u.load("i0")
    u.shift_bytes(1)
    u.repeat(4, Operation.SHIFT)
    u.and_("bit")
    u.zero("skip_token")
    u.increment("@X")
    u.xor(_MAX_TOKENS + 1)
    u.zero("token_overflow")
    u.label("skip_token")
    u.do(Operation.NEXT_INDEX)
    _next_unit(u, "give_token")
    u.go("tokens_given")
    u.label("token_overflow")
    u.load(0)
    u.store("ERROR_ADDR")
    u.copy(ErrorCode.TOKEN_OVERFLOW, "code")
    u.label("fail_accepted")    # PC is already the index of the next instruction
    u.less_one("PC")
    u.store("ERROR_INDEX")
    u.go("fail_unit")
