"""Microprogram of LOAD, LOAD_WGT, STORE and FILL."""

from ..microinstruction import Operation
from .fields import accept, check_end, check_reserved, end, load_field, load_fields

__all__ = ["copies"]

_READ, _WRITE = 1, 2
_TO_WEIGHTS = 4


def copies(u):
    """Emit LOAD, LOAD_WGT, STORE and FILL, and their subroutines."""
    with u.scope():
        for name, access, mode in (("LOAD", _READ, 0), ("LOAD_WGT", _READ, _TO_WEIGHTS),
                                   ("STORE", _WRITE, 0)):
            u.label(f"do_{name}")
            check_reserved(u, name)
            u.copy(access, "access")
            u.load(mode)
            if name != "STORE":
                u.go("copy")
        _copy(u)
        _fill(u)
        _local_extent(u)
        _host_extent(u)


def _local_extent(u):
    """Emit ``local_extent``, which loads the fields of the on-chip extent.

    A and ``extent_end`` become the end of the extent, one past its last byte.
    """
    u.label("local_extent")
    load_fields(u, "LOAD", "count", "bytes", "local_addr", "local_pitch")
    u.copy("local_pitch", "pitch")
    u.load("local_addr")
    u.store("fault_addr")
    u.add("bytes")
    u.store("extent_end")
    u.less_one("count")
    u.call("extend_extent")
    u.load("extent_end")
    u.back()


def _copy(u):
    """Emit the code that LOAD, LOAD_WGT and STORE share, with loops over rows and beats.

    ``access`` is the permission that the window must have and selects between loads and STORE. A is
    the mode of the array unit and selects between LOAD and LOAD_WGT.
    """
    u.label("copy")
    u.store("copy_mode")
    u.call("local_extent")
    u.load("copy_mode")
    u.nonzero("copy_to_weights")
    u.load("extent_end")
    check_end(u, u.config.spad_bytes, "bad_spad")
    u.go("copy_host")
    u.label("copy_to_weights")
    u.load("extent_end")
    check_end(u, u.config.wgt_bytes, "bad_wgt")
    u.label("copy_host")
    u.call("host_extent")
    accept(u)
    u.load("copy_mode")
    u.do(Operation.SET_MODE)
    u.label("copy_row")
    u.load("local_addr")
    u.pointer()
    u.copy("bytes", "left")
    u.copy("first", "addr")
    u.label("copy_beat")
    u.load("addr")
    u.and_(3)
    u.store("lane")
    u.load(4)
    u.sub("lane")
    u.store("beat_bytes")
    u.sub("left")
    u.no_carry("copy_full_beat")
    u.copy("left", "beat_bytes")
    u.label("copy_full_beat")
    u.load("access")
    u.sub(_READ)
    u.nonzero("copy_store")
    _load_beat(u)
    u.label("copy_next")
    u.load("addr")
    u.add("beat_bytes")
    u.store("addr")
    u.load("left")
    u.sub("beat_bytes")
    u.store("left")
    u.nonzero("copy_beat")
    u.poll()
    u.load("first")
    u.add("host_pitch")
    u.store("first")
    u.load("local_addr")
    u.add("local_pitch")
    u.store("local_addr")
    u.decrement("count")
    u.nonzero("copy_row")
    end(u)
    u.label("copy_store")
    _store_beat(u)
    u.go("copy_next")


def _load_beat(u):
    """Emit the read of a beat, and the write of ``beat_bytes`` of its bytes, from ``lane`` on."""
    u.load("addr")
    u.call("beat")
    u.repeat("lane", Operation.ROTATE)
    u.repeat("beat_bytes", Operation.WRITE_BYTES)


def _store_beat(u):
    """Emit the read of ``beat_bytes`` bytes, and their write to a beat, from byte ``lane`` on."""
    u.repeat("beat_bytes", Operation.READ_BYTES)
    u.load(4)
    u.sub("beat_bytes")
    u.sub("lane")
    u.store("temporary")
    u.repeat("temporary", Operation.ROTATE)
    u.load("beat_bytes")
    u.add_to("live_BYTES_WRITTEN")
    u.load("addr")
    u.call("store_beat")


def _host_extent(u):
    """Emit ``host_extent``, which checks that all rows are in one window.

    ``first`` becomes the host address of the first byte.
    """
    u.label("host_extent")
    load_field(u, "LOAD", "host_pitch")
    u.store("pitch", "host_pitch")
    load_field(u, "LOAD", "host_addr")
    u.add("MEM_BASE")
    u.store("first", "fault_addr")
    u.carry("bad_host")
    u.less_one("count")
    u.multiply_pitch("bad_host")
    u.add("first")
    u.carry("bad_host")
    u.store("last")
    u.less_one("bytes")
    u.add("last")
    u.carry("bad_host")
    u.store("last")
    u.call("window")
    u.zero("bad_host")
    u.back()


def _fill(u):
    """Emit FILL, which writes one value to all bytes of the rows."""
    u.label("do_FILL")
    check_reserved(u, "FILL")
    load_field(u, "FILL", "value")
    u.store("beat_bytes", "value")
    u.call("local_extent")
    check_end(u, u.config.spad_bytes, "bad_spad")
    accept(u)
    for _ in range(3):          # copy the value to the other three bytes of the word
        u.load(0)
        u.shift_bytes(3, "value")
        u.or_("beat_bytes")
        u.store("value")
    u.label("fill_row")
    u.load("value")
    u.do(Operation.SET_SHIFTER)
    u.load("local_addr")
    u.pointer()
    u.copy("bytes", "left")
    u.label("fill_words")
    u.sub(4)
    u.no_carry("fill_rest")
    u.store("left")
    u.repeat(4, Operation.WRITE_BYTES)
    u.load("left")
    u.go("fill_words")
    u.label("fill_rest")
    u.load("left")
    u.zero("fill_end")
    u.repeat("left", Operation.WRITE_BYTES)
    u.label("fill_end")
    u.poll()
    u.load("local_addr")
    u.add("local_pitch")
    u.store("local_addr")
    u.decrement("count")
    u.nonzero("fill_row")
    end(u)
