"""Microprogram of memory accesses: windows, beats on the bus, and extents."""

from ...spec import isa, register_map
from ...spec.isa import ErrorCode
from ..microinstruction import Condition, Operation, Source
from .fields import check_end
from .register_bits import field_mask

__all__ = ["memory"]

_WINDOW = 4         # registers per window
_SATURATED = 1 << 28  # larger than every memory


def memory(u):
    """Emit the subroutines that check windows, transfer beats and compute extents."""
    _window(u)
    _beat(u)
    _reach(u)


def _window(u):
    """Emit ``window``, which checks the host addresses ``first`` to ``last``.

    A becomes 0 if no window with the permission ``access`` contains them.
    """
    u.label("window")
    if u.config.addr_width < 32:
        u.load("last")
        u.and_(-1 << u.config.addr_width)
        u.nonzero("window_none")
    u.load(u.register("WINDOW0_BASE"))
    u.label("window_one")
    u.do(Operation.SET_INDEX)
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
    u.and_("access")
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
    """Emit ``beat`` and ``store_beat``, which transfer the beat at host address A.

    ``beat`` reads it into T, and ``store_beat`` writes T with its strobes. Both wait for the
    response, serve writes of the host meanwhile, and branch to the end of the program after an
    error.
    """
    read, write = "beat_read", "beat_written"
    u.label("store_beat")
    u.do(Operation.SET_ADDRESS)
    u.do(Operation.WRITE)
    u.go("beat_issued")
    u.label("beat")
    u.do(Operation.SET_ADDRESS)
    u.do(Operation.READ)
    u.label("beat_issued")
    u.store("beat_addr")
    u.read_source(Source.CLOCK)
    u.store("beat_begin")
    u.label("beat_wait")
    u.branch(Condition.READ_VALID, read)
    u.branch(Condition.WRITE_VALID, write)
    u.branch(Condition.WRITE_PENDING, "beat_service")
    u.load("WATCHDOG")
    u.zero("beat_wait")
    u.read_source(Source.CLOCK)
    u.sub("beat_begin")
    u.sub("WATCHDOG")
    u.no_carry("beat_wait")
    u.go("expired")
    u.label("beat_service")
    u.call("service")
    u.zero("beat_wait")
    u.go("wait_outstanding")    # a soft reset waits for the outstanding response

    u.label(read)
    u.do(Operation.ACCEPT_BEAT)
    u.load(4)
    u.add_to("live_BYTES_READ")
    u.go("beat_accepted")
    u.label(write)
    u.do(Operation.ACCEPT_RESPONSE)
    u.label("beat_accepted")
    u.read_source(Source.BUS_ADDRESS)
    u.and_(0x1800)
    u.nonzero("bus_error")
    u.back()

    u.label("bus_error")        # A is 0x1000 for SLVERR, 0x1800 for DECERR
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
    u.go("fail_accepted")

    u.label("expired")
    u.load(0)
    u.store("ERROR_ADDR")
    u.increment("outstanding")
    u.load(field_mask("WAITS", "LOAD_BUSY", "LOAD_MEMORY"))
    u.store("WAITS")
    u.load("unit")
    u.xor(isa.UNITS.index("STORE"))
    u.nonzero("expired_load")
    u.load(field_mask("WAITS", "STORE_BUSY", "STORE_MEMORY"))
    u.store("WAITS")
    u.label("expired_load")
    u.copy(ErrorCode.WATCHDOG, "code")
    u.go("fail_bus")


def _reach(u):
    """Emit ``extend_extent``: ``extent_end`` += A * ``pitch``.

    The product saturates at 2 ** 28. ``check_extent_spad`` and ``check_extent_acc`` also check that
    ``extent_end`` does not exceed the memory.
    """
    u.label("extend_extent")
    u.zero("extend_end")
    u.multiply_pitch("extend_saturate")
    u.sub(_SATURATED)
    u.carry("extend_saturate")
    u.read_source(Source.LOW)
    u.go("extend_add")
    u.label("extend_saturate")
    u.load(_SATURATED)
    u.label("extend_add")
    u.add_to("extent_end")
    u.label("extend_end")
    u.back()
    for memory, size in (("spad", u.config.spad_bytes), ("acc", u.config.acc_rows)):
        u.label(f"check_extent_{memory}")
        u.call("extend_extent")
        u.load("extent_end")
        check_end(u, size, f"bad_{memory}")
        u.back()
