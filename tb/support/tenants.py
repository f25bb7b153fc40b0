"""Programs of two tenants of a device: one leaves data behind, the other reads all that it can."""

import random

import numpy as np

from support.ordering import with_tokens
from support.programs import MEMORY_BYTES
from weft.spec.isa import TABLE_BYTES, MapOp, Mode
from weft_host.program.file import Program
from weft_host.program.tensor import Tensor, Window

__all__ = ["leaving_program", "reading_program", "ring_program"]

DATA = 0x3000           # host address of the constants; instructions are below
OUTPUT = 0x5000         # host address of the results
_LEFT_TILES = 2          # tiles that leaving_program leaves in the ring
_SCALE = dict(multiplier=(1 << 30) + 12345, shift=36)
_LIMITS = dict(clamp_min=-128, clamp_max=127)


def _program(config, steps, data, size=0):
    """Return a program with constants, whose output is ``size`` bytes."""
    instructions = with_tokens(config, steps, MEMORY_BYTES, random.Random(0))
    assert len(instructions) <= DATA and DATA + len(data) <= OUTPUT
    assert OUTPUT + size <= MEMORY_BYTES
    return Program(
        config=config, instructions=instructions, memory_bytes=MEMORY_BYTES, image=((DATA, data),),
        inputs=(), outputs=(Tensor(name="found", offset=OUTPUT, shape=(size,), dtype="int8"),)
        if size else (), windows=(Window(0, OUTPUT), Window(OUTPUT, MEMORY_BYTES - OUTPUT, True,
                                                            True)))


def _copies(name, bytes_, most):
    """Return copies of the constants that fill a memory."""
    return [(name, dict(count=1, bytes=min(most, bytes_ - first), host_addr=DATA,
                        local_addr=first)) for first in range(0, bytes_, most)]


def _matmuls(config, tiles, **fields):
    """Return one MATMUL for each tile, each with a single result."""
    return [("MATMUL", dict(wgt_addr=tile, acc_addr=index, row_count=1, chunk_count=1, y_count=1,
                            x_count=1, **fields)) for index, tile in enumerate(tiles)]


def leaving_program(config, seed):
    """Return a program that makes every byte of the device's state nonzero, or almost."""
    draw = np.random.default_rng(seed)
    data = (draw.integers(1, 256, 0x1000) | 1).astype(np.uint8).tobytes()
    steps = [*_copies("LOAD", config.spad_bytes, len(data)),
             *_copies("LOAD_WGT", config.wgt_bytes, len(data))]
    for first in range(0, config.acc_rows, config.wgt_tiles):
        rows = range(min(config.wgt_tiles, config.acc_rows - first))
        steps += [(name, fields | {"acc_addr": first + fields["acc_addr"], "act_addr": first})
                  for name, fields in _matmuls(config, rows)]
    steps += [("PARAMS", dict(per_channel=1, channels=config.param_channels, bias_addr=4,
                              scale_addr=512))]
    steps += [("TABLE", dict(table=table, table_addr=4 * table, **_SCALE)) for table in (0, 1)]
    if config.fixed_point:
        steps.append(("LOAD_RING", dict(count=1, bytes=_LEFT_TILES * config.tile_bytes,
                                        host_addr=DATA)))
    return _program(config, steps, data)


def reading_program(config):
    """Return a program whose output depends on everything that it has not written itself.

    Its output is 0 in a device that has been cleared, except for the bytes that depend on a zero
    point or on SOFTMAX, which has one of its own.
    """
    data = bytes(range(256)) + bytes(1 << 10)       # every byte, and a table of zeros
    steps, at = [], OUTPUT

    def store(size, local_addr=0):
        nonlocal at
        steps.append(("STORE", dict(count=1, bytes=size, host_addr=at, local_addr=local_addr)))
        at += size

    def drain(rows, mode, channel=0):
        """Requantise accumulator rows into the start of the scratchpad, and store them."""
        size = config.cols * (4 if mode == Mode.RAW else 1)
        steps.append(("DRAIN", dict(
            mode=mode, channels=config.cols, channel=channel, y_count=1, x_count=rows,
            x_pitch=size, **({} if mode == Mode.RAW else _LIMITS))))
        store(rows * size)

    store(min(config.spad_bytes, 1 << 13))
    store(min(config.spad_bytes, 1 << 13), max(0, config.spad_bytes - (1 << 13)))
    drain(config.acc_rows, Mode.RAW)       # accumulators
    steps.append(("LOAD", dict(count=1, bytes=256, host_addr=DATA + 1)))
    tiles = min(config.wgt_tiles, config.acc_rows)
    steps += _matmuls(config, range(tiles))
    drain(tiles, Mode.RAW)                          # weights
    # multipliers and shifts, of accumulators that are not 0
    steps.append(("LOAD", dict(count=1, bytes=256, host_addr=DATA + 1)))
    steps.append(("LOAD_WGT", dict(count=1, bytes=config.tile_bytes, host_addr=DATA + 1)))
    steps += _matmuls(config, [0])
    for channel in range(0, config.param_channels, config.cols):
        for mode in (Mode.TFL2, Mode.TFL1, Mode.AWAY, Mode.RAW):
            drain(1, mode, channel)
    # the scale of MAP, table A without it, then table B with a scale of this program
    rows = dict(count=1, bytes=256, out_addr=256)
    steps.append(("LOAD", dict(count=1, bytes=256, host_addr=DATA)))
    for op in MapOp:
        steps.append(("MAP", dict(op=op, **rows, **_LIMITS)))
        store(256, 256)
    steps.append(("SOFTMAX", rows))
    store(256, 256)
    steps.append(("LOAD", dict(count=1, bytes=TABLE_BYTES, host_addr=DATA + 256, local_addr=512)))
    steps.append(("TABLE", dict(table=0, table_addr=512, **_SCALE)))
    steps.append(("MAP", dict(op=MapOp.ADD, **rows, **_LIMITS)))
    store(256, 256)
    if config.fixed_point:      # a host address from a step register
        steps += [("LOAD_STEP", dict(count=1, bytes=64, host_addr=DATA, host_step=step))
                  for step in (1, 63)]
        store(64)
    return _program(config, steps, data, at - OUTPUT)


def ring_program(config):
    """Return a program that multiplies by one tile of its own from the ring."""
    data = bytes(range(256))
    steps = [("LOAD", dict(count=1, bytes=64, host_addr=DATA)),
             ("LOAD_RING", dict(count=1, bytes=config.tile_bytes, host_addr=DATA + 64)),
             ("MATMUL_RING", dict(row_count=1, chunk_count=1, x_count=2, x_pitch=4)),
             ("DRAIN", dict(mode=Mode.RAW, channels=config.cols, y_count=1, x_count=2,
                            x_pitch=4 * config.cols)),
             ("STORE", dict(count=1, bytes=8 * config.cols, host_addr=OUTPUT))]
    return _program(config, steps, data, 8 * config.cols)
