"""LOAD, LOAD_WGT, FILL and STORE."""

from ..microinstruction import Operation, Source
from .fields import accept, end, field, memory_end, nonzero_fields, reserved

__all__ = ["copies"]

_READ, _WRITE = 1, 2
_TO_WEIGHTS = 4


def copies(u):
    """Emit the four instructions."""
    with u.scope():
        for name, right, mode in (("LOAD", _READ, 0), ("LOAD_WGT", _READ, _TO_WEIGHTS),
                                  ("STORE", _WRITE, 0)):
            u.label(f"do_{name}")
            reserved(u, name)
            u.copy(right, "right")
            u.load(mode)
            if name != "STORE":
                u.go("copy")
        _copy(u)
        _fill(u)
        _local(u)
        _host(u)


def _local(u):
    """Fields on the chip; ``reach`` is where they end."""
    u.label("local")
    nonzero_fields(u, "LOAD", "count", "bytes", "local_addr", "local_pitch")
    u.copy("local_pitch", "pitch")
    u.load("local_addr")
    u.store("place")
    u.add("bytes")
    u.store("reach")
    u.less_one("count")
    u.call("reach_on")
    u.load("reach")
    u.back()


def _copy(u):
    """``right`` and A, the mode, say which of the three it is."""
    u.label("copy")
    u.store("copy_mode")
    u.call("local")
    u.load("copy_mode")
    u.nonzero("copy_to_weights")
    u.load("reach")
    memory_end(u, u.config.spad_bytes, "bad_spad")
    u.go("copy_host")
    u.label("copy_to_weights")
    u.load("reach")
    memory_end(u, u.config.wgt_bytes, "bad_wgt")
    u.label("copy_host")
    u.call("host")
    accept(u)
    u.load("copy_mode")
    u.do(Operation.MODE)
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
    u.store("take")
    u.sub("left")
    u.no_carry("copy_whole")
    u.copy("left", "take")
    u.label("copy_whole")
    u.load("right")
    u.sub(_READ)
    u.nonzero("copy_store")
    _load_beat(u)
    u.label("copy_next")
    u.load("addr")
    u.add("take")
    u.store("addr")
    u.load("left")
    u.sub("take")
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
    u.load("addr")
    u.call("beat")
    u.count("lane", Operation.ROTATE)
    u.count("take", Operation.WRITE_BYTES)


def _store_beat(u):
    u.count("take", Operation.READ_BYTES)
    u.load(4)
    u.sub("take")
    u.sub("lane")
    u.store("double")
    u.count("double", Operation.ROTATE)
    u.load("take")
    u.add_to("live_BYTES_WRITTEN")
    u.load("addr")
    u.call("store_beat")


def _host(u):
    """Refuse what lies in no window; ``first`` is the address of the first byte."""
    u.label("host")
    field(u, "LOAD", "host_pitch")
    u.store("pitch", "host_pitch")
    field(u, "LOAD", "host_addr")
    u.add("MEM_BASE")
    u.store("first", "place")
    u.carry("bad_host")
    u.less_one("count")
    u.do(Operation.LOW)
    u.load(0)
    u.count(32, Operation.MULTIPLY_UNSIGNED, "pitch")
    u.nonzero("bad_host")
    u.take(Source.LOW)
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
    u.label("do_FILL")
    reserved(u, "FILL")
    field(u, "FILL", "value")
    u.store("take", "value")
    u.call("local")
    memory_end(u, u.config.spad_bytes, "bad_spad")
    accept(u)
    for _ in range(3):          # the same byte in all four places
        u.load(0)
        u.down(3, "value")
        u.or_("take")
        u.store("value")
    u.label("fill_row")
    u.load("value")
    u.do(Operation.SHIFTER)
    u.load("local_addr")
    u.pointer()
    u.copy("bytes", "left")
    u.label("fill_words")
    u.sub(4)
    u.no_carry("fill_rest")
    u.store("left")
    u.count(4, Operation.WRITE_BYTES)
    u.load("left")
    u.go("fill_words")
    u.label("fill_rest")
    u.load("left")
    u.zero("fill_end")
    u.count("left", Operation.WRITE_BYTES)
    u.label("fill_end")
    u.poll()
    u.load("local_addr")
    u.add("local_pitch")
    u.store("local_addr")
    u.decrement("count")
    u.nonzero("fill_row")
    end(u)
