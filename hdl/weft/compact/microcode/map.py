"""Microprogram of TABLE and MAP."""

from ...spec import isa
from ...spec.isa import TABLE_BYTES, MapOp, Mode
from ..microinstruction import Operation, Source
from .fields import accept, check_end, check_reserved, end, load_fields, test_flag
from .requantize import subtract_product_bits
from .vector import check_rows, table_base

__all__ = ["table_and_map"]


def table_and_map(u):
    """Emit TABLE and MAP."""
    for part in (_table, _map):
        with u.scope():
            part(u)


def _table(u):
    """Emit TABLE, which copies a table from the scratchpad to the memory of the accumulators."""
    u.label("do_TABLE")
    check_reserved(u, "TABLE")
    u.call("scale_fields")
    load_fields(u, "TABLE", "table_addr")
    u.store("fault_addr")
    u.add(TABLE_BYTES)
    check_end(u, u.config.spad_bytes, "bad_spad")
    accept(u)
    u.copy("multiplier", "map_multiplier")
    u.load("shift")
    subtract_product_bits(u)
    u.store("map_shift")
    u.load("table_addr")
    u.pointer()
    test_flag(u, "TABLE", "table")
    u.zero("table_begin")
    u.load(TABLE_BYTES // 4)
    u.label("table_begin")
    u.add(table_base(u))
    u.do(Operation.SET_ACC_ADDR)
    u.load(TABLE_BYTES // 4)
    u.store("left")
    u.label("table_entry")
    u.repeat(4, Operation.READ_BYTES)
    u.read_source(Source.SHIFTER)
    u.do(Operation.STORE_ACC)
    u.decrement("left")
    u.nonzero("table_entry")
    end(u)


def _map(u):
    """Emit MAP, which looks up one or two operands in tables, combines and requantises."""
    u.label("do_MAP")
    check_reserved(u, "MAP")
    load_fields(u, "MAP", "b_addr", "b_pitch")
    u.call("output_fields")
    u.call("row_fields")
    u.load("mode")
    u.sub(Mode.RAW)
    u.zero("bad_field")
    op_offset = isa.BY_NAME["MAP"].field("op").offset
    u.load("i0")
    u.and_(3 << op_offset)
    u.store("op")
    u.xor(max(MapOp) + 1 << op_offset)
    u.zero("bad_field")
    u.call("check_rows_a")
    u.load("op")
    u.zero("map_one_operand")
    check_rows(u, "b")
    u.label("map_one_operand")
    u.call("check_rows_out")
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
    u.xor(MapOp.ADD << op_offset)
    u.nonzero("map_multiply")
    u.load("other")
    u.add_to("value")
    u.label("map_value")
    u.load("map_multiplier")
    u.do(Operation.SET_LOW)
    u.copy("map_shift", "shift")
    u.call("write_output")
    u.poll()
    u.decrement("left")
    u.nonzero("map_byte")
    u.load("b_pitch")
    u.add_to("b_addr")
    u.call("next_rows")
    u.nonzero("map_row")
    end(u)

    u.label("map_multiply")
    for name in ("value", "other"):
        u.load(name)
        u.and_(0xFFFF)
        u.xor(0x8000)
        u.sub(0x8000)
        u.store(name)
    u.do(Operation.SET_LOW)
    u.load(0)
    u.repeat(32, Operation.MULTIPLY, "value")
    u.read_source(Source.LOW)   # the low half is correct for either sign of M
    u.store("value")
    u.go("map_value")


def _look_up(u, which, offset):
    """Emit A = table entry of the byte at address ``<which>_byte``, and the next address.

    ``offset`` is the number of table entries before the table.
    """
    u.load(f"{which}_byte")
    u.pointer()
    u.increment(f"{which}_byte")
    u.call("load_byte")
    u.add(table_base(u) + offset)
    u.do(Operation.SET_ACC_ADDR)
    u.read_source(Source.ACCUMULATOR)
