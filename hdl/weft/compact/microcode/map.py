"""TABLE and MAP."""

from ...spec import isa
from ...spec.isa import TABLE_BYTES, MapOp, Mode
from ..microinstruction import Operation, Source
from .fields import accept, end, flag, memory_end, nonzero_fields, reserved
from .requantize import shift_from
from .vector import rows_end, table

__all__ = ["table_and_map"]


def table_and_map(u):
    """Emit the two instructions."""
    for part in (_table, _map):
        with u.scope():
            part(u)


def _table(u):
    u.label("do_TABLE")
    reserved(u, "TABLE")
    u.call("scale")
    nonzero_fields(u, "TABLE", "table_addr")
    u.store("place")
    u.add(TABLE_BYTES)
    memory_end(u, u.config.spad_bytes, "bad_spad")
    accept(u)
    u.copy("multiplier", "map_multiplier")
    u.load("shift")
    shift_from(u)
    u.store("map_shift")
    u.load("table_addr")
    u.pointer()
    flag(u, "TABLE", "table")
    u.zero("table_begin")
    u.load(TABLE_BYTES // 4)
    u.label("table_begin")
    u.add(table(u))
    u.do(Operation.ROW)
    u.load(TABLE_BYTES // 4)
    u.store("left")
    u.label("table_entry")
    u.count(4, Operation.READ_BYTES)
    u.take(Source.SHIFTER)
    u.do(Operation.STORE_ROW)
    u.decrement("left")
    u.nonzero("table_entry")
    end(u)


def _map(u):
    u.label("do_MAP")
    reserved(u, "MAP")
    nonzero_fields(u, "MAP", "b_addr", "b_pitch")
    u.call("output")
    u.call("rows")
    u.load("mode")
    u.sub(Mode.RAW)
    u.zero("bad_field")
    place = isa.BY_NAME["MAP"].field("op").offset
    u.load("i0")
    u.and_(3 << place)
    u.store("op")
    u.xor(max(MapOp) + 1 << place)
    u.zero("bad_field")
    u.call("rows_a")
    u.load("op")
    u.zero("map_one_operand")
    rows_end(u, "b")
    u.label("map_one_operand")
    u.call("rows_out")
    accept(u)
    u.label("map_row")
    for which in ("a", "b", "out"):
        u.copy(f"{which}_addr", f"{which}_byte")
    u.copy("bytes", "left")
    u.label("map_byte")
    _look_up(u, "a", 0)
    u.store("value")
    u.load("op")
    u.zero("map_value")
    _look_up(u, "b", TABLE_BYTES // 4)
    u.store("other")
    u.load("op")
    u.xor(MapOp.ADD << place)
    u.nonzero("map_multiply")
    u.load("other")
    u.add_to("value")
    u.label("map_value")
    u.load("map_multiplier")
    u.do(Operation.LOW)
    u.copy("map_shift", "shift")
    u.call("out")
    u.poll()
    u.decrement("left")
    u.nonzero("map_byte")
    u.load("b_pitch")
    u.add_to("b_addr")
    u.call("rows_next")
    u.nonzero("map_row")
    end(u)

    u.label("map_multiply")
    for name in ("value", "other"):
        u.load(name)
        u.and_(0xFFFF)
        u.xor(0x8000)
        u.sub(0x8000)
        u.store(name)
    u.do(Operation.LOW)
    u.load(0)
    u.count(32, Operation.MULTIPLY, "value")
    u.take(Source.LOW)              # right whatever the sign of the other factor
    u.store("value")
    u.go("map_value")


def _look_up(u, which, offset):
    """A = the entry for the byte at ``which``, which moves on."""
    u.load(f"{which}_byte")
    u.pointer()
    u.increment(f"{which}_byte")
    u.call("byte")
    u.add(table(u) + offset)
    u.do(Operation.ROW)
    u.take(Source.ACCUMULATOR)
