"""Fetching, decoding and refusing instructions, and their tokens."""

from ...config import UNITS
from ...control import isa, regmap
from ...control.isa import ErrorCode
from ..micro import Condition, Operation, Source
from .host import FIELD

__all__ = ["accept", "decode", "end", "field", "flag", "memory_end", "nonzero_fields",
           "reserved"]

_WORDS = isa.INSTRUCTION_BYTES // 4
_QUEUED, _HANDED, _DONE = range(3)
_MOST_TOKENS = 255
_WINDOW = 4         # registers from one window to the next


def field(u, instruction, name):
    """A = a field of the instruction."""
    spec = isa.BY_NAME[instruction].field(name)
    word, bit = divmod(spec.offset, 32)
    whole, rest = divmod(bit, 8)
    spans = bit + spec.width > 32
    u.load(f"i{word}")
    if whole:
        u.down(whole, f"i{word + 1}" if spans else 0)
    if rest:
        u.count(rest, Operation.SHIFT)
    if spec.width < 32 and (spans or rest or bit + spec.width < 32):
        u.and_((1 << spec.width) - 1)
    if spec.signed:
        u.xor(1 << spec.width - 1)
        u.sub(1 << spec.width - 1)


def flag(u, instruction, name):
    """A is not 0 if a field of one bit is set."""
    spec = isa.BY_NAME[instruction].field(name)
    word, bit = divmod(spec.offset, 32)
    u.load(f"i{word}")
    u.and_(1 << bit)


def nonzero_fields(u, instruction, *names):
    """Fields go to variables of their names; those that count are refused if they are 0."""
    for name in names:
        field(u, instruction, name)
        u.store(name)
        if name == "bytes" or name.endswith("count"):
            u.zero("bad_field")


def reserved(u, instruction):
    """Refuse reserved bits, and ``each``, which this engine does not do."""
    spec = isa.BY_NAME[instruction]
    words: dict[int, list] = {}
    for word in range(_WORDS):
        mask = spec.reserved_mask >> 32 * word & 0xFFFFFFFF
        if mask:
            words.setdefault(mask, []).append(word)
    for place, (mask, group) in enumerate(sorted(words.items(), reverse=True)):
        if place:
            u.store("reserved")
        u.load(f"i{group[0]}")
        for word in group[1:]:
            u.or_(f"i{word}")
        if mask != 0xFFFFFFFF:
            u.and_(mask)
        if place:
            u.or_("reserved")
    u.nonzero("bad_reserved")
    if any(known.name == "each" for known in spec.fields):
        flag(u, instruction, "each")
        u.nonzero("bad_field")


def memory_end(u, size, label):
    """Refuse with ``label`` if A, the end of what is touched, lies behind ``size``."""
    u.sub(size + 1)
    u.carry(label)


def accept(u):
    """The instruction is right: wait for its tokens, then its unit is busy."""
    u.call("accepted")


def end(u):
    """The instruction is done."""
    u.go("done")


def decode(u):
    """Emit fetching and what all instructions share."""
    u.array("i", _WORDS)
    _next(u)
    _tokens(u)
    _window(u)
    _beat(u)
    _reach(u)
    _sync(u)


def _sync(u):
    """All words but the first are reserved."""
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
    u.label("done")
    u.load("unit")
    u.do(Operation.EVENT, _DONE)
    u.add(u.register(f"live_{UNITS[0]}_BUSY"))
    u.do(Operation.INDEX)
    u.take(Source.CLOCK)
    u.sub("begun")
    u.add_to("@X")
    u.increment("live_INSTRUCTIONS")
    u.load("i0")
    u.and_(0xF << isa.BY_NAME["LOAD"].field("signal").offset)
    u.nonzero("give")
    u.label("given")
    u.load("at")
    u.add(isa.INSTRUCTION_BYTES)
    u.store("at")
    u.no_carry("next")
    u.increment("wrapped")
    u.label("next")
    u.poll()
    u.load("PC")
    u.xor("PROGRAM_COUNT")
    u.zero("finished")
    u.copy(isa.SEQUENCER, "unit")
    u.copy(1, "right")
    u.load("wrapped")
    u.nonzero("bad_fetch")
    u.load("at")
    u.store("first", "addr")
    u.add(isa.INSTRUCTION_BYTES - 1)
    u.store("last")
    u.call("window")
    u.zero("bad_fetch")
    u.copy(_WORDS, "left")
    u.label("fetch")
    u.load("addr")
    u.call("beat")
    u.load(u.register("i0") + _WORDS)   # a host's writes use X, too
    u.sub("left")
    u.do(Operation.INDEX)
    u.take(Source.SHIFTER)
    u.store("@X")
    u.load("addr")
    u.add(4)
    u.store("addr")
    u.decrement("left")
    u.nonzero("fetch")
    u.load("i0")
    u.and_(0xFF)
    u.store("opcode")
    u.count(4, Operation.SHIFT)
    u.sub(1)
    u.store("unit")
    u.load("opcode")
    before = 0
    for instruction in isa.INSTRUCTIONS:
        u.xor(before ^ instruction.opcode)
        u.zero(f"do_{instruction.name}")
        before = instruction.opcode
    u.go("bad_opcode")


def _tokens(u):
    first = u.register("token0")
    wait, signal = (isa.BY_NAME["LOAD"].field(name).offset for name in ("wait", "signal"))
    u.label("accepted")
    u.load(0)
    u.do(Operation.MODE)
    u.increment("PC")
    u.take(Source.CLOCK)
    u.store("begun")
    u.load("unit")
    u.do(Operation.EVENT, _QUEUED)
    u.load("i0")
    u.and_(0xF << wait)
    u.nonzero("take")
    u.label("handed")
    u.load("unit")
    u.do(Operation.EVENT, _HANDED)
    u.back()
    u.label("take")
    u.load(0)
    u.store("lacking")
    u.load(first)
    u.add("unit")
    u.do(Operation.INDEX)
    u.load(1)
    u.label("take_one")
    u.store("bit")
    u.load("i0")
    u.down(1)
    u.and_("bit")
    u.zero("take_next")
    u.load("@X")
    u.nonzero("take_there")
    u.load("bit")
    u.add_to("lacking")
    u.go("take_next")
    u.label("take_there")
    u.decrement("@X")
    u.label("take_next")
    for _ in range(len(UNITS)):
        u.do(Operation.NEXT_INDEX)
    u.load("bit")
    u.double()
    u.store("bit")
    u.sub(1 << len(UNITS))
    u.nonzero("take_one", slot=lambda: u.load("bit"))
    u.load("lacking")
    u.zero("handed")
    u.go("starved")

    # nothing else runs: these tokens never come
    u.label("starved")
    u.or_(FIELD("WAITS", "LOAD_QUEUED"))
    u.store("WAITS")
    u.load("unit")
    u.store("left")
    u.label("starved_shift")
    u.zero("starved_wait")
    u.load(0)
    u.down(3, "WAITS")
    u.store("WAITS")
    u.decrement("left")
    u.nonzero("starved_shift")
    u.label("starved_wait")
    u.poll()
    u.load("WATCHDOG")
    u.zero("starved_wait")
    u.load(0)
    u.store("ERROR_ADDR")
    u.copy(ErrorCode.WATCHDOG, "code")
    u.go("fail_late")

    u.label("give")
    u.load("unit")
    u.double(2)
    u.add(first)
    u.do(Operation.INDEX)
    u.load(1)
    u.label("give_one")
    u.store("bit")
    u.load("i0")
    u.down(1)
    u.count(4, Operation.SHIFT)
    u.and_("bit")
    u.zero("give_next")
    u.increment("@X")
    u.xor(_MOST_TOKENS + 1)
    u.zero("overflow")
    u.label("give_next")
    u.do(Operation.NEXT_INDEX)
    u.load("bit")
    u.double()
    u.store("bit")
    u.sub(1 << len(UNITS))
    u.nonzero("give_one", slot=lambda: u.load("bit"))
    u.go("given")
    u.label("overflow")
    u.load(0)
    u.store("ERROR_ADDR")
    u.copy(ErrorCode.TOKEN_OVERFLOW, "code")
    u.label("fail_late")        # the instruction was accepted
    u.less_one("PC")
    u.store("ERROR_INDEX")
    u.go("fail_unit")


def _window(u):
    """A is 0 if bytes ``first`` to ``last`` lie in no window with ``right``."""
    u.label("window")
    if u.config.addr_width < 32:
        u.load("last")
        u.and_(-1 << u.config.addr_width)
        u.nonzero("window_none")
    u.load(u.register("WINDOW0_BASE"))
    u.label("window_one")
    u.do(Operation.INDEX)
    u.add(_WINDOW)
    u.store("window")
    u.load("first")
    u.sub("@X")
    u.do(Operation.NEXT_INDEX)
    u.no_carry("window_other")
    u.load("@X")
    u.sub("last")
    u.do(Operation.NEXT_INDEX)
    u.no_carry("window_other")
    u.load("@X")
    u.and_("right")
    u.zero("window_other")
    u.back()
    u.label("window_other")
    u.load("window")
    u.sub(u.register("WINDOW0_BASE") + _WINDOW * regmap.WINDOWS)
    u.nonzero("window_one", slot=lambda: u.load("window"))
    u.label("window_none")
    u.load(0)
    u.back()


def _beat(u):
    """T = the beat at address A of host memory; ``store_beat`` writes T there."""
    read, write = "beat_read", "beat_written"
    u.label("store_beat")
    u.do(Operation.ADDRESS)
    u.do(Operation.WRITE)
    u.go("beat_asked")
    u.label("beat")
    u.do(Operation.ADDRESS)
    u.do(Operation.READ)
    u.label("beat_asked")
    u.store("beat_addr")
    u.take(Source.CLOCK)
    u.store("beat_begin")
    u.label("beat_wait")
    u.branch(Condition.READ_VALID, read)
    u.branch(Condition.WRITE_VALID, write)
    u.branch(Condition.WRITE_WAITS, "beat_service")
    u.load("WATCHDOG")
    u.zero("beat_wait")
    u.take(Source.CLOCK)
    u.sub("beat_begin")
    u.sub("WATCHDOG")
    u.no_carry("beat_wait")
    u.go("expired")
    u.label("beat_service")
    u.call("service")
    u.zero("beat_wait")
    u.go("owed")                # a soft reset waits for what the bus owes

    u.label(read)
    u.do(Operation.TAKE_BEAT)
    u.load(4)
    u.add_to("live_BYTES_READ")
    u.go("beat_taken")
    u.label(write)
    u.do(Operation.TAKE_ANSWER)
    u.label("beat_taken")
    u.take(Source.BUS_ADDRESS)
    u.and_(0x1800)
    u.nonzero("bus_error")
    u.back()

    u.label("bus_error")                # A is 0x1000 for SLVERR, 0x1800 for DECERR
    u.and_(0x800)
    u.zero("bus_slverr")
    u.load(1)
    u.label("bus_slverr")
    u.add(ErrorCode.BUS_SLVERR)
    u.store("code")
    u.load("beat_addr")
    u.and_(~3)
    u.store("ERROR_ADDR")
    u.label("fail_bus")
    u.load("unit")
    u.xor(isa.SEQUENCER)
    u.zero("fail")
    u.go("fail_late")

    u.label("expired")
    u.load(0)
    u.store("ERROR_ADDR")
    u.increment("owed")
    u.load(FIELD("WAITS", "LOAD_BUSY", "LOAD_MEMORY"))
    u.store("WAITS")
    u.load("unit")
    u.xor(isa.UNITS.index("STORE"))
    u.nonzero("expired_load")
    u.load(FIELD("WAITS", "STORE_BUSY", "STORE_MEMORY"))
    u.store("WAITS")
    u.label("expired_load")
    u.copy(ErrorCode.WATCHDOG, "code")
    u.go("fail_bus")


_TOO_FAR = 1 << 28


def _reach(u):
    """``reach`` grows by A * ``pitch``, without overflow where that is too far anyway."""
    u.label("reach_on")
    u.zero("reach_back")
    u.do(Operation.LOW)
    u.load(0)
    u.count(32, Operation.MULTIPLY_UNSIGNED, "pitch")
    u.nonzero("reach_far")
    u.take(Source.LOW)
    u.sub(_TOO_FAR)
    u.carry("reach_far")
    u.take(Source.LOW)
    u.go("reach_add")
    u.label("reach_far")
    u.load(_TOO_FAR)
    u.label("reach_add")
    u.add_to("reach")
    u.label("reach_back")
    u.back()
    for memory, size in (("spad", u.config.spad_bytes), ("acc", u.config.acc_rows)):
        u.label(f"reach_{memory}")      # the same, and refuse what is too far
        u.call("reach_on")
        u.load("reach")
        memory_end(u, size, f"bad_{memory}")
        u.back()


