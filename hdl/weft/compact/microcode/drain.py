"""Microprogram of PARAMS and DRAIN."""

from ...spec.isa import Mode
from ..microinstruction import Operation, Source
from .fields import accept, check_end, check_reserved, end, load_fields, test_flag
from .requantize import PARAMETERS, subtract_product_bits

__all__ = ["drain"]


def drain(u):
    """Emit PARAMS and DRAIN."""
    for part in (_params, _drain):
        with u.scope():
            part(u)


def _channels(u, name):
    """Emit the loads and the checks of the fields ``channels`` and ``channel``."""
    config = u.config
    load_fields(u, name, "channels", "channel")
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
    """Emit A = number of the register that contains the bias of ``channel``."""
    u.load("channel")
    u.add("channel")
    u.add("channel")
    u.add(u.register("parameter0"))


def _params(u):
    """Emit PARAMS, which loads bias, multiplier and shift of each channel into registers."""
    u.label("do_PARAMS")
    check_reserved(u, "PARAMS")
    _channels(u, "PARAMS")
    u.call("scale_fields")
    load_fields(u, "PARAMS", "bias_addr", "scale_addr")
    test_flag(u, "PARAMS", "per_channel")
    u.store("per_channel")
    u.load("channels")
    u.double(2)
    u.store("size")
    u.copy("bias_addr", "fault_addr")
    u.add("size")
    check_end(u, u.config.spad_bytes, "bad_spad")
    u.load("per_channel")
    u.zero("params_checked")
    u.copy("scale_addr", "fault_addr")
    u.add("size")
    u.add("size")
    check_end(u, u.config.spad_bytes, "bad_spad")
    u.label("params_checked")
    accept(u)
    u.load("bias_addr")
    u.pointer()
    u.copy("channels", "left")
    _first_parameter(u)
    u.do(Operation.SET_INDEX)
    u.label("params_bias")
    u.repeat(4, Operation.READ_BYTES)
    u.read_source(Source.SHIFTER)
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
    u.do(Operation.SET_INDEX)
    u.label("params_scale")
    u.load("per_channel")
    u.zero("params_shared")
    u.repeat(4, Operation.READ_BYTES)
    u.read_source(Source.SHIFTER)
    u.and_(0x7FFFFFFF)
    u.store("multiplier")
    u.repeat(4, Operation.READ_BYTES)
    u.read_source(Source.SHIFTER)
    u.and_(0x3F)
    u.store("shift")
    u.label("params_shared")
    u.load("multiplier")
    u.store("@X")
    u.do(Operation.NEXT_INDEX)
    u.load("shift")
    subtract_product_bits(u)
    u.store("@X")
    u.do(Operation.NEXT_INDEX)
    u.do(Operation.NEXT_INDEX)
    u.decrement("left")
    u.nonzero("params_scale")
    end(u)


def _drain(u):
    """Emit DRAIN, which requantises accumulators and writes them to the scratchpad."""
    u.label("do_DRAIN")
    check_reserved(u, "DRAIN")
    _channels(u, "DRAIN")
    u.call("output_fields")
    load_fields(u, "DRAIN", "out_addr", "acc_addr", "acc_pitch", "y_count", "y_pitch",
                   "x_count", "x_pitch")
    test_flag(u, "DRAIN", "apart")
    u.store("apart")
    u.zero("drain_together")
    u.load("y_count")           # checked first, so that channel + 4 * y_count cannot overflow
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
    _drain_extents(u)
    accept(u)
    _drain_rows(u)


def _drain_extents(u):
    """Emit the checks of the extents in the scratchpad and in the accumulators."""
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
    u.store("extent_end")
    u.copy("out_addr", "fault_addr")
    for axis, label in (("x", "extend_extent"), ("y", "check_extent_spad")):
        u.copy(f"{axis}_pitch", "pitch")
        u.less_one(f"{axis}_count")
        u.call(label)
    u.copy("acc_addr", "fault_addr")
    u.add("x_count")
    u.store("extent_end")
    u.copy("acc_pitch", "pitch")
    u.less_one("y_count")
    u.call("check_extent_acc")


def _drain_rows(u):
    """Emit the loops over rows of positions, positions and channels."""
    _first_parameter(u)
    u.store("parameter")
    u.label("drain_y")
    u.copy("out_addr", "x_addr")
    u.load("acc_addr")
    u.double(2)
    u.store("q")
    u.copy("x_count", "x_left")
    u.label("drain_x")
    u.load("q")
    u.do(Operation.SET_ACC_ADDR)
    u.add(u.config.cols)
    u.store("q")
    u.load("x_addr")
    u.pointer()
    u.add("x_pitch")
    u.store("x_addr")
    u.load("parameter")
    u.do(Operation.SET_INDEX)
    u.copy("channels", "left")
    u.label("drain_value")
    u.read_source(Source.ACCUMULATOR)
    u.add("@X")
    u.store("value")
    u.do(Operation.NEXT_ACC)
    u.do(Operation.NEXT_INDEX)
    u.load("mode")
    u.sub(Mode.RAW)
    u.zero("drain_raw")
    u.load("@X")
    u.do(Operation.SET_LOW)
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
    u.decrement("x_left")
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
    u.do(Operation.SET_SHIFTER)
    u.repeat(4, Operation.WRITE_BYTES)
    u.do(Operation.NEXT_INDEX)
    u.do(Operation.NEXT_INDEX)
    u.go("drain_next")
