"""What touches memory: windows, beats on the bus, and how far an instruction reaches."""

from ...spec import isa, register_map
from ...spec.isa import ErrorCode
from ..microinstruction import Condition, Operation, Source
from .fields import memory_end
from .register_bits import FIELD

__all__ = ["memory"]

_WINDOW = 4         # registers from one window to the next
_TOO_FAR = 1 << 28


def memory(u):
    """Emit the subroutines."""
    _window(u)
    _beat(u)
    _reach(u)


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
    u.sub(u.register("WINDOW0_BASE") + _WINDOW * register_map.WINDOWS)
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
