"""PARAMS, DRAIN, TABLE and MAP."""

from ...control import isa
from ...control.isa import TABLE_BYTES, MapOp, Mode
from ..micro import Operation, Source
from .decode import accept, end, field, flag, memory_end, nonzero_fields, reserved
from .requantize import PARAMETERS, clamps, shift_from

__all__ = ["vector"]

_MOST_SHIFT = 62


def vector(u):
    """Emit the four instructions."""
    u.array("parameter", PARAMETERS * u.config.param_channels)
    for name in ("map_multiplier", "map_shift"):
        u.register(name)
    for part in (_output, _scale, _rows, _byte):
        part(u)
    for part in (_params, _drain, _table, _map):
        with u.scope():
            part(u)


def _scale(u):
    """``multiplier`` and ``shift``, which PARAMS and TABLE have in the same places."""
    u.label("scale")
    field(u, "TABLE", "multiplier")
    u.store("multiplier")
    u.negative("bad_field")
    field(u, "TABLE", "shift")
    u.store("shift")
    u.sub(_MOST_SHIFT + 1)
    u.carry("bad_field")
    u.back()


def _channels(u, name):
    """``channels`` and ``channel``; refuse what does not exist."""
    config = u.config
    nonzero_fields(u, name, "channels", "channel")
    u.and_(config.cols - 1)
    u.nonzero("bad_field")
    u.load("channel")
    u.sub(config.param_channels)
    u.carry("bad_field")
    if name == "PARAMS":
        u.load(config.param_channels)
        u.sub("channel")
        u.sub("channels")
    else:
        u.load(config.cols)
        u.sub("channels")
    u.no_carry("bad_field")
    u.load("channels")
    u.zero("bad_field")


def _first_parameter(u):
    """A = the number of the register of ``channel``'s bias."""
    u.load("channel")
    u.add("channel")
    u.add("channel")
    u.add(u.register("parameter0"))


def _output(u):
    """``zero_point`` and the clamps, which DRAIN and MAP have in the same places."""
    u.label("output")
    for part in ("zero_point", "clamp_min", "clamp_max"):
        field(u, "DRAIN", part)
        u.store(part)
    u.sub("clamp_min")
    u.less("bad_field")
    clamps(u)
    u.load("i0")
    u.down(2)
    u.and_(3)
    u.store("mode")
    u.back()


def _params(u):
    u.label("do_PARAMS")
    reserved(u, "PARAMS")
    _channels(u, "PARAMS")
    u.call("scale")
    nonzero_fields(u, "PARAMS", "bias_addr", "scale_addr")
    flag(u, "PARAMS", "per_channel")
    u.store("per_channel")
    u.load("channels")
    u.double(2)
    u.store("size")
    u.copy("bias_addr", "place")
    u.add("size")
    memory_end(u, u.config.spad_bytes, "bad_spad")
    u.load("per_channel")
    u.zero("params_right")
    u.copy("scale_addr", "place")
    u.add("size")
    u.add("size")
    memory_end(u, u.config.spad_bytes, "bad_spad")
    u.label("params_right")
    accept(u)
    u.load("bias_addr")
    u.pointer()
    u.copy("channels", "left")
    _first_parameter(u)
    u.do(Operation.INDEX)
    u.label("params_bias")
    u.count(4, Operation.READ_BYTES)
    u.take(Source.SHIFTER)
    u.store("@X")
    for _ in range(PARAMETERS):
        u.do(Operation.NEXT_INDEX)
    u.decrement("left")
    u.nonzero("params_bias")
    u.load("scale_addr")
    u.pointer()
    u.copy("channels", "left")
    _first_parameter(u)
    u.add(1)
    u.do(Operation.INDEX)
    u.label("params_scale")
    u.load("per_channel")
    u.zero("params_same")
    u.count(4, Operation.READ_BYTES)
    u.take(Source.SHIFTER)
    u.and_(0x7FFFFFFF)
    u.store("multiplier")
    u.count(4, Operation.READ_BYTES)
    u.take(Source.SHIFTER)
    u.and_(0x3F)
    u.store("shift")
    u.label("params_same")
    u.load("multiplier")
    u.store("@X")
    u.do(Operation.NEXT_INDEX)
    u.load("shift")
    shift_from(u)
    u.store("@X")
    u.do(Operation.NEXT_INDEX)
    u.do(Operation.NEXT_INDEX)
    u.decrement("left")
    u.nonzero("params_scale")
    end(u)


def _drain(u):
    u.label("do_DRAIN")
    reserved(u, "DRAIN")
    _channels(u, "DRAIN")
    u.call("output")
    nonzero_fields(u, "DRAIN", "out_addr", "acc_addr", "acc_pitch", "y_count", "y_pitch",
                   "x_count", "x_pitch")
    flag(u, "DRAIN", "apart")
    u.store("apart")
    u.zero("drain_together")
    u.load("y_count")               # param_channels are few: no product is needed
    u.sub(u.config.param_channels // u.config.cols + 1)
    u.carry("bad_field")
    u.load("y_count")
    u.double(2)
    u.add("channel")
    u.sub(u.config.param_channels + 1)
    u.carry("bad_field")
    u.load(PARAMETERS * u.config.cols)
    u.store("apart")
    u.label("drain_together")

    u.load("mode")
    u.sub(Mode.RAW)
    u.nonzero("drain_bytes")
    u.load("channels")
    u.double(2)
    u.go("drain_size")
    u.label("drain_bytes")
    u.load("channels")
    u.label("drain_size")
    u.add("out_addr")
    u.store("reach")
    u.copy("out_addr", "place")
    for axis, label in (("x", "reach_on"), ("y", "reach_spad")):
        u.copy(f"{axis}_pitch", "pitch")
        u.less_one(f"{axis}_count")
        u.call(label)
    u.copy("acc_addr", "place")
    u.add("x_count")
    u.store("reach")
    u.copy("acc_pitch", "pitch")
    u.less_one("y_count")
    u.call("reach_acc")

    accept(u)
    _first_parameter(u)
    u.store("parameter")
    u.label("drain_y")
    u.copy("out_addr", "x_addr")
    u.load("acc_addr")
    u.double(2)
    u.store("q")
    u.copy("x_count", "xs")
    u.label("drain_x")
    u.load("q")
    u.do(Operation.ROW)
    u.add(u.config.cols)
    u.store("q")
    u.load("x_addr")
    u.pointer()
    u.add("x_pitch")
    u.store("x_addr")
    u.load("parameter")
    u.do(Operation.INDEX)
    u.copy("channels", "left")
    u.label("drain_value")
    u.take(Source.ACCUMULATOR)
    u.add("@X")
    u.store("value")
    u.do(Operation.NEXT_ROW)
    u.do(Operation.NEXT_INDEX)
    u.load("mode")
    u.sub(Mode.RAW)
    u.zero("drain_raw")
    u.load("@X")
    u.do(Operation.LOW)
    u.do(Operation.NEXT_INDEX)
    u.load("@X")
    u.store("shift")
    u.do(Operation.NEXT_INDEX)
    u.call("requantize")
    u.write_byte()
    u.label("drain_next")
    u.decrement("left")
    u.nonzero("drain_value")
    u.poll()
    u.decrement("xs")
    u.nonzero("drain_x")
    u.load("acc_pitch")
    u.add_to("acc_addr")
    u.load("y_pitch")
    u.add_to("out_addr")
    u.load("apart")
    u.add_to("parameter")
    u.decrement("y_count")
    u.nonzero("drain_y")
    end(u)
    u.label("drain_raw")
    u.load("value")
    u.do(Operation.SHIFTER)
    u.count(4, Operation.WRITE_BYTES)
    u.do(Operation.NEXT_INDEX)
    u.do(Operation.NEXT_INDEX)
    u.go("drain_next")


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


def table(u):
    """The row of table A's first entry."""
    return u.config.acc_rows * u.config.cols


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
    _rows_end(u, "b")
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


def _rows_end(u, which):
    """Refuse rows of ``bytes`` that do not lie in the scratchpad."""
    u.copy(f"{which}_pitch", "pitch")
    u.load(f"{which}_addr")
    u.call("rows_end")


def _rows(u):
    """Rows of bytes, which MAP and SOFTMAX have in the same places."""
    u.label("rows")
    nonzero_fields(u, "MAP", "out_addr", "a_addr", "count", "out_pitch", "a_pitch", "bytes")
    u.back()
    for which in ("a", "out"):
        u.label(f"rows_{which}")
        u.copy(f"{which}_pitch", "pitch")
        u.load(f"{which}_addr")
        if which == "a":
            u.go("rows_end")
    u.label("rows_end")
    u.store("place")
    u.add("bytes")
    u.store("reach")
    u.less_one("count")
    u.go("reach_spad")
    u.label("rows_next")        # the next row: A is 0 behind the last
    for which in ("a", "out"):
        u.load(f"{which}_pitch")
        u.add_to(f"{which}_addr")
    u.decrement("count")
    u.back()


def _byte(u):
    """The byte at P, and that at ``out_byte``."""
    u.label("byte")             # A = the byte plus 128, less 256 if that is more; P moves on
    u.count(1, Operation.READ_BYTES)
    u.take(Source.SHIFTER)
    u.down(3)
    u.xor(0x80)
    u.back()
    u.label("out")              # the byte = ``value``, requantised by M and ``shift``
    u.call("requantize")
    u.store("other")
    u.load("out_byte")
    u.pointer()
    u.increment("out_byte")
    u.load("other")
    u.write_byte()
    u.back()


def _look_up(u, which, offset):
    """A = the entry for the byte at ``which``, which moves on."""
    u.load(f"{which}_byte")
    u.pointer()
    u.increment(f"{which}_byte")
    u.call("byte")
    u.add(table(u) + offset)
    u.do(Operation.ROW)
    u.take(Source.ACCUMULATOR)
