"""Faults of the array, of VECTOR and of the registers of an emulated device.

A fault is a function that changes a device.
"""

import numpy as np

from support.fault_hooks import after, changed, force_bit
from weft_host.errors import RegisterError

__all__ = ["cell_bit", "depthwise_offset", "intermittent_cell", "lane_multiplier",
           "masked_everywhere_else", "matmul_field", "parameter_bit", "register_bit",
           "rejected_writes", "short_softmax", "table_bit", "timing_violation", "wrong_error_code"]


def cell_bit(row, col, bit, state):
    """Return a fault: a stuck bit of the weight in one cell."""
    def fault(device):
        tiles = device.datapath._tiles

        def call(numbers):
            found = tiles(numbers).copy()
            force_bit(found.view(np.uint8)[:, row, col], bit, state)
            return found
        device.datapath._tiles = call
    return fault


def intermittent_cell(device):
    """Make the weight of one cell wrong in the first program only."""
    path = device.datapath
    tiles, calls = path._tiles, []

    def call(numbers):
        found = tiles(numbers)
        calls.append(1)
        if len(calls) == 1:
            found = found.copy()
            found[:, 1, 1] ^= 4
        return found
    path._tiles = call


def _after_multiply(device, action):
    """Call ``action(fields)`` after each MATMUL."""
    multiply = device.datapath._multiply

    def call(fields):
        multiply(fields)
        action(fields)
    device.datapath._multiply = call


def timing_violation(device):
    """Make one sum of each MATMUL with more than eight rows of tiles wrong."""
    def action(fields):
        if fields["row_count"] > 8:
            device.datapath.acc[fields["acc_addr"] + 7, 2] += 5
    _after_multiply(device, action)


def masked_everywhere_else(device):
    """Make one sum wrong, only in a MATMUL of tile 0, row 0 and a certain number of vectors."""
    lanes = min(device.config.rows * 4, device.config.acc_rows // 2)

    def action(fields):
        if (fields["acc_addr"], fields["wgt_addr"], fields["row_count"], fields["x_count"]) \
                == (0, 0, 1, lanes):
            device.datapath.acc[3, 1] += 1
    _after_multiply(device, action)


def matmul_field(name, value):
    """Return a fault: a field of MATMUL that always has the same value."""
    return changed("_multiply", lambda fields: {name: value})


def depthwise_offset(device):
    """Make the results of depthwise passes too high by one."""
    path = device.datapath
    sums = path._sums
    path._sums = lambda passes, block: sums(passes, block) + passes.fields["depthwise"]


def lane_multiplier(bit):
    """Return a fault: a bit of the multiplier that is stuck at 0 in column 1, not in the memory."""
    def fault(device):
        path = device.datapath
        drain = path._drain

        def call(fields):
            kept = path.multiplier.copy()
            path.multiplier[1::device.config.cols] &= ~(1 << bit)
            drain(fields)
            path.multiplier = kept
        path._drain = call
    return fault


def parameter_bit(memory, channel, bit, state):
    """Return a fault: a stuck bit of one of the memories for channel parameters."""
    def fault(device):
        path = device.datapath

        def action():
            word = getattr(path, memory).view(np.uint64)[channel % len(path.bias):][:1]
            force_bit(word, bit, state)
            if memory == "bias":
                word[:] = np.uint64(np.int64(np.uint32(word[0] & 0xFFFFFFFF).astype(np.int32)))
        after(path, "_params", action)
    return fault


def table_bit(number, entry, bit, state):
    """Return a fault: a stuck bit of a table."""
    def fault(device):
        path = device.datapath

        def action():
            word = path.tables[number][entry:entry + 1].astype(np.int32)
            force_bit(word.view(np.uint32), bit, state)
            path.tables[number][entry] = word[0]
        after(path, "_table", action)
    return fault


def short_softmax(device):
    """Make SOFTMAX leave out the last byte of each row."""
    softmax = device.datapath._softmax
    device.datapath._softmax = lambda fields: softmax(
        {**fields, "bytes": max(1, fields["bytes"] - 1)})


def register_bit(name, state):
    """Return a fault: bit 8 of a register is stuck."""
    def fault(device):
        read = device.read_register

        def call(which):
            word = read(which)
            return word if which != name else word | 256 if state else word & ~256
        device.read_register = call
    return fault


def rejected_writes(device):
    """Make the device reject all register writes."""
    def reject(name, value):
        raise RegisterError(f"the device rejected the write of {value:#x} to {name}")
    device.write_register = reject


def wrong_error_code(device):
    """Make the device report every error as ACC_BOUNDS."""
    fail = device._fail
    device._fail = lambda code, *rest: fail(type(code).ACC_BOUNDS, *rest)
