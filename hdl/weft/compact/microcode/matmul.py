"""Microprogram of MATMUL: loops over passes, rows of positions, and positions."""

from ..array_unit import SIDE
from ..microinstruction import Operation
from .fields import accept, check_end, check_reserved, end, load_fields, test_flag

__all__ = ["matmul"]

_ADD, _MAXIMUM, _DEPTHWISE, _BLANK = 1, 2, 8, 16
_READ_AHEAD = SIDE - 1      # after a VECTOR, P is at the last byte of the vector


def matmul(u):
    """Emit MATMUL."""
    with u.scope():
        _matmul(u)


def _matmul(u):
    u.label("do_MATMUL")
    check_reserved(u, "MATMUL")
    load_fields(u, "MATMUL", "act_addr", "acc_addr", "wgt_addr", "row_count", "row_pitch",
                   "chunk_count", "chunk_pitch", "y_count", "y_pitch", "x_count", "x_pitch",
                   "lead", "blank")
    _fields(u)
    _bounds(u)
    accept(u)
    _begin(u)
    _passes(u)
    end(u)
    _depthwise(u)


def _fields(u):
    """Emit the checks of ``lead``, ``blank``, ``depthwise`` and ``apart``."""
    for name in ("lead", "blank"):
        u.load(name)
        u.sub(SIDE)
        u.carry("bad_field")
    test_flag(u, "MATMUL", "depthwise")
    u.store("depthwise")
    u.zero("matmul_dense")
    u.load("blank")
    u.nonzero("bad_field")
    u.go("matmul_lead")
    u.label("matmul_dense")
    u.load("lead")
    u.nonzero("bad_field")
    u.label("matmul_lead")
    test_flag(u, "MATMUL", "apart")
    u.store("apart")
    u.zero("matmul_together")
    u.load("y_count")
    u.sub(1)
    u.nonzero("bad_field")
    u.label("matmul_together")


def _bounds(u):
    """Emit the checks of the extents of vectors, tiles and accumulators."""
    u.load("act_addr")
    u.store("fault_addr")
    u.add(SIDE)
    u.store("extent_end")
    for axis in ("row", "chunk", "y"):
        u.copy(f"{axis}_pitch", "pitch")
        u.less_one(f"{axis}_count")
        u.call("extend_extent")
    u.copy("x_pitch", "pitch")
    u.load("x_count")
    u.add("lead")
    u.store("x_span")
    u.sub(1)
    u.call("check_extent_spad")

    test_flag(u, "MATMUL", "hold")
    u.store("hold")
    u.load("wgt_addr")
    u.store("fault_addr", "extent_end")
    u.copy("chunk_count", "pitch")
    u.load("hold")
    u.zero("matmul_tiles")
    u.copy(1, "pitch")
    u.go("matmul_tiles_end")
    u.label("matmul_tiles")
    u.load("row_count")
    u.label("matmul_tiles_end")     # A and pitch are the factors of the number of tiles
    u.call("extend_extent")
    u.load("extent_end")
    check_end(u, u.config.wgt_tiles, "bad_wgt")

    u.copy("x_count", "pitch")
    u.load("acc_addr")
    u.store("fault_addr", "extent_end")
    u.load("y_count")
    u.call("check_extent_acc")
    u.load("apart")
    u.zero("matmul_checked")
    u.copy("acc_addr", "extent_end")
    u.load("row_count")
    u.call("check_extent_acc")
    u.label("matmul_checked")


def _begin(u):
    """Emit the preparation of the loops.

    ``first_mode`` and ``later_mode`` become the mode of the array unit for the first pass and for
    the others, ``q`` the accumulator word of the first pass, W its first line of weights, and
    ``x_step`` the operand of VECTOR.
    """
    u.load("depthwise")
    u.zero("matmul_blank")
    u.load(SIDE - 1)            # the taps use the last lead + 1 lines of the tile
    u.sub("lead")
    u.double(4)
    u.or_(_DEPTHWISE)
    u.go("matmul_mode")
    u.label("matmul_blank")
    u.load("blank")
    u.double(4)
    u.label("matmul_mode")
    u.store("first_mode", "later_mode")
    test_flag(u, "MATMUL", "maximum")
    u.zero("matmul_sum")
    u.load(_MAXIMUM)
    u.go("matmul_combine")
    u.label("matmul_sum")
    u.load(_ADD)
    u.label("matmul_combine")
    u.add_to("later_mode")
    test_flag(u, "MATMUL", "accumulate")
    u.zero("matmul_overwrite")
    u.copy("later_mode", "first_mode")
    u.label("matmul_overwrite")
    u.copy("first_mode", "mode")
    u.load("acc_addr")
    u.double(2)
    u.store("q")
    u.load("wgt_addr")
    u.double(2)
    u.store("tile")
    u.do(Operation.SET_TILE)
    u.load("x_pitch")
    u.sub(_READ_AHEAD)
    u.store("x_step")


def _passes(u):
    """Emit the loops over kernel rows, chunks, rows of positions and positions."""
    u.label("matmul_row")
    u.copy("act_addr", "chunk_addr")
    u.copy("chunk_count", "chunks_left")
    u.label("matmul_chunk")
    u.load("mode")
    u.do(Operation.SET_MODE)
    u.load("q")
    u.do(Operation.SET_ACC_ADDR)
    u.load("hold")
    u.zero("matmul_next_tile")
    u.load("tile")
    u.do(Operation.SET_TILE)
    u.label("matmul_next_tile")
    u.repeat(SIDE, Operation.LOAD_WEIGHTS)
    u.copy("y_count", "y_left")
    u.load("chunk_addr")
    u.label("matmul_y")         # A is the address of the first vector of the row
    u.store("y_addr", "x_addr")
    u.copy("x_count", "left")
    u.load("depthwise")
    u.nonzero("depthwise_x")
    u.load("x_addr")
    u.sub("x_step")
    u.pointer()
    u.label("matmul_x")
    u.decrement("left")
    u.nonzero("matmul_x", slot=lambda: u.do(Operation.VECTOR, "x_step"))
    u.label("matmul_y_end")
    u.load("x_span")
    u.add_to("live_MAC_BUSY")
    u.poll()
    u.load("y_addr")
    u.add("y_pitch")
    u.store("y_addr")
    u.decrement("y_left")
    u.nonzero("matmul_y", slot=lambda: u.load("y_addr"))
    u.copy("later_mode", "mode")
    u.load("chunk_addr")
    u.add("chunk_pitch")
    u.store("chunk_addr")
    u.decrement("chunks_left")
    u.nonzero("matmul_chunk")
    u.load("act_addr")
    u.add("row_pitch")
    u.store("act_addr")
    u.load("apart")
    u.zero("matmul_row_end")
    u.load("x_count")
    u.double(2)
    u.add_to("q")
    u.copy("first_mode", "mode")
    u.label("matmul_row_end")
    u.decrement("row_count")
    u.nonzero("matmul_row")


def _depthwise(u):
    """Emit the loop over the positions of a row in depthwise mode: one vector per tap."""
    u.label("depthwise_x")
    u.load("x_addr")
    u.sub("x_step")
    u.pointer()
    u.do(Operation.SET_TAP, "lead")
    u.load("lead")
    u.add(1)
    u.store("taps")
    u.label("depthwise_tap")
    u.decrement("taps")
    u.nonzero("depthwise_tap", slot=lambda: u.do(Operation.VECTOR, "x_step"))
    u.load("x_addr")
    u.add("x_pitch")
    u.store("x_addr")
    u.decrement("left")
    u.nonzero("depthwise_x")
    u.go("matmul_y_end")
