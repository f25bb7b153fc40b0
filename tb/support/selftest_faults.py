"""Faults of an emulated device for the self-test's tests: each function breaks one part of it."""

import functools

import numpy as np

from weft.spec.isa import Mode
from weft_host.errors import RegisterError

__all__ = ["FAULTS", "MEMORY", "cell", "host_line", "together"]

MEMORY = 1 << 15        # bytes of host memory that the faults below are made for


def stuck(values, bit, state):
    """Sets or clears a bit of an array of unsigned integers, in place."""
    if state:
        values |= values.dtype.type(1 << bit)
    else:
        values &= values.dtype.type(~(1 << bit) & (1 << 8 * values.itemsize) - 1)


def before(target, name, action):
    """``action`` before every call of a method."""
    method = getattr(target, name)

    def call(*arguments, **fields):
        action()
        return method(*arguments, **fields)
    setattr(target, name, call)


def after(target, name, action):
    """``action`` after every call of a method."""
    method = getattr(target, name)

    def call(*arguments, **fields):
        result = method(*arguments, **fields)
        action()
        return result
    setattr(target, name, call)


def changed(name, change):
    """A fault of the emulator's datapath: other fields for method ``name``, if there are."""
    def fault(device):
        method = getattr(device.datapath, name)
        setattr(device.datapath, name,
                lambda *arguments, **fields: method(*arguments, **fields | change(fields)))
    return fault


def dead(name):
    """A fault of the emulator's datapath: method ``name`` does nothing."""
    return lambda device: setattr(device.datapath, name, lambda *_, **__: None)


def cell(row, col, bit, state):
    def fault(device):
        tiles = device.datapath._tiles

        def call(numbers):
            found = tiles(numbers).copy()
            stuck(found.view(np.uint8)[:, row, col], bit, state)
            return found
        device.datapath._tiles = call
    return fault


def host_bit(at, bit, state):
    def fault(device):
        def action():
            stuck(device.memory.data[at:at + 1], bit, state)
        after(device, "_write", action)
        after(device.memory, "scatter", action)
    return fault


def host_line(line):
    """An address line of host memory that is always 0."""
    def fault(device):
        def places(addr, size):
            return np.arange(addr, addr + size) & ~(1 << line)

        def write(addr, data):
            for at, byte in zip(places(addr, len(data)).tolist(), data):
                device.memory.data[at] = byte
        device._write = write
        device._read = lambda addr, size: device.memory.data[places(addr, size)].tobytes()
    return fault


def dma_line(line):
    """An address line of the DMA's reads that is always 0."""
    def fault(device):
        memory = device.memory
        memory.gather = lambda start, pitch, rows, columns: memory.data[
            start + rows * pitch + columns & ~(1 << line)]
    return fault


def dma_write_lane(device):
    """The last byte of a beat is written one too high."""
    scatter = device.memory.scatter
    lane = device.config.bus_bytes - 1

    def call(start, pitch, rows, columns, values):
        last = (start + rows * pitch + columns) % (lane + 1) == lane
        scatter(start, pitch, rows, columns, np.where(last, values + 1, values).astype(np.uint8))
    device.memory.scatter = call


def spad_bit(at, bit, state):
    def fault(device):
        path = device.datapath
        at_byte = at % device.config.spad_bytes

        def action():
            stuck(path.spad[at_byte:at_byte + 1], bit, state)
        before(path, "execute", action)
        after(path, "execute", action)
    return fault


def spad_short(device):
    """What is written to the last byte goes to the one before it in the upper half, too."""
    path, size = device.datapath, device.config.spad_bytes
    load = path._load

    def call(mem_base, **copy):
        old = path.spad[size - 1]
        load(mem_base, **copy)
        if path.spad[size - 1] != old:
            path.spad[size // 2 + 3] = path.spad[size - 1]
    path._load = call


def accumulator(row, col, bit, state):
    def fault(device):
        path = device.datapath
        before(path, "_drain", lambda: stuck(
            path.acc.view(np.uint32)[row % len(path.acc), col:col + 1], bit, state))
    return fault


def weight_byte(tile, at, bit, state):
    def fault(device):
        config, path = device.config, device.datapath
        byte = tile % config.wgt_tiles * config.tile_bytes + at
        before(path, "_tiles", lambda: stuck(path.wgt[byte:byte + 1], bit, state))
    return fault


def weight_line(device):
    """The weight buffer's upper half is its lower."""
    path = device.datapath
    half = device.config.wgt_bytes // 2
    load = path._load_wgt

    def call(mem_base, **copy):
        load(mem_base, **copy | {"local_addr": copy["local_addr"] % half,
                                 "bytes": min(copy["bytes"], half)})
        path.wgt[half:] = path.wgt[:half]
    path._load_wgt = call


def lane_multiplier(bit):
    """A bit of column 1's multiplier is 0 while it works; the stores are right."""
    def fault(device):
        path = device.datapath
        drain = path._drain

        def call(*arguments, **fields):
            kept = path.multiplier.copy()
            path.multiplier[1::device.config.cols] &= ~(1 << bit)
            drain(*arguments, **fields)
            path.multiplier = kept
        path._drain = call
    return fault


def parameter(store, channel, bit, state):
    """A bit of a store of PARAMS."""
    def fault(device):
        path = device.datapath

        def action():
            word = getattr(path, store).view(np.uint64)[channel % len(path.bias):][:1]
            stuck(word, bit, state)
            if store == "bias":
                word[:] = np.uint64(np.int64(np.uint32(word[0] & 0xFFFFFFFF).astype(np.int32)))
        after(path, "_params", action)
    return fault


def table_bit(number, entry, bit, state):
    def fault(device):
        path = device.datapath

        def action():
            word = path.tables[number][entry:entry + 1].astype(np.int32)
            stuck(word.view(np.uint32), bit, state)
            path.tables[number][entry] = word[0]
        after(path, "_table", action)
    return fault


def too_fast(device):
    """Long passes with many tiles go wrong."""
    path = device.datapath
    multiply = path._multiply

    def call(**fields):
        multiply(**fields)
        if fields["row_count"] > 8:
            path.acc[fields["acc_addr"] + 7, 2] += 5
    path._multiply = call


def now_and_then(device):
    """A cell that is wrong in the first program only."""
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


def together(device):
    """Wrong only where no check of a memory looks: one tile times so many vectors, at row 0."""
    path = device.datapath
    multiply = path._multiply
    lanes = min(device.config.rows * 4, device.config.acc_rows // 2)

    def call(**fields):
        multiply(**fields)
        if (fields["acc_addr"], fields["wgt_addr"], fields["row_count"], fields["x_count"]) \
                == (0, 0, 1, lanes):
            path.acc[3, 1] += 1
    path._multiply = call


def register_bit(name, state):
    """Bit 8 of a register."""
    def fault(device):
        read = device.read_register

        def call(which):
            word = read(which)
            return word if which != name else word | 256 if state else word & ~256
        device.read_register = call
    return fault


def register_refused(device):
    def refuse(name, value):
        raise RegisterError(f"the device refused to write {value:#x} to {name}")
    device.write_register = refuse


def other_error(device):
    fail = device._fail
    device._fail = lambda code, *rest: fail(type(code).ACC_BOUNDS, *rest)


def softmax_less(device):
    softmax = device.datapath._softmax

    def call(mem_base, **fields):
        softmax(mem_base, **fields | {"bytes": max(1, fields["bytes"] - 1)})
    device.datapath._softmax = call


def matmul_field(name, value):
    return changed("_multiply", lambda fields: {name: value})


FAULTS = {
    "host byte 0x10": ("host memory", host_bit(0x10, 0, 1)),
    "host byte 0x1801": ("host memory", host_bit(0x1801, 7, 0)),
    "host byte 0x5000": ("host memory", host_bit(0x5000, 4, 1)),
    "last host byte": ("host memory", host_bit(MEMORY - 1, 3, 0)),
    "host address line 4": ("host memory", host_line(4)),
    "host address line 14": ("host memory", host_line(14)),
    "DMA address line 13": ("DMA", dma_line(13)),
    "DMA byte lane": ("DMA", dma_write_lane),
    "DMA pitch": ("DMA", changed("_store", lambda fields: {"host_pitch": fields["bytes"]})),
    "FILL": ("DMA", changed("_fill", lambda fields: {"value": 0})),
    "first scratchpad byte": ("scratchpad", spad_bit(0, 0, 0)),
    "scratchpad byte 1029": ("scratchpad", spad_bit(1029, 7, 1)),
    "last scratchpad byte": ("scratchpad", spad_bit(-1, 5, 1)),
    "two scratchpad bytes": ("scratchpad", spad_short),
    "array, 0 0 bit 0 stuck at 0": ("array cells", cell(0, 0, 0, 0)),
    "array, 3 3 bit 7 stuck at 1": ("array cells", cell(3, 3, 7, 1)),
    "array, 2 1 bit 4 stuck at 0": ("array cells", cell(2, 1, 4, 0)),
    "a cell now and then": ("array cells", now_and_then),
    "too fast": ("array under load", too_fast),
    "first accumulator": ("accumulators", accumulator(0, 1, 4, 1)),
    "accumulator of the upper half": ("accumulators", accumulator(33, 0, 31, 1)),
    "last accumulator": ("accumulators", accumulator(-1, 3, 20, 0)),
    "first tile": ("weight buffer", weight_byte(0, 3, 2, 1)),
    "tile 5": ("weight buffer", weight_byte(5, 0, 7, 0)),
    "first tile of the upper half": ("weight buffer", weight_byte(16, 9, 0, 1)),
    "last tile": ("weight buffer", weight_byte(-1, 15, 6, 0)),
    "weight address line": ("weight buffer", weight_line),
    "accumulate": ("sum and maximum", matmul_field("accumulate", 0)),
    "maximum": ("sum and maximum", matmul_field("maximum", 0)),
    "hold": ("sum and maximum", matmul_field("hold", 0)),
    "blank": ("sum and maximum", matmul_field("blank", 0)),
    "chunk_pitch": ("sum and maximum", matmul_field("chunk_pitch", 0)),
    "lead": ("depthwise", changed("_multiply", lambda fields: {
        "lead": min(fields["lead"], 1)})),
    "depthwise": ("depthwise", lambda device: setattr(
        device.datapath, "_filtered",
        functools.partial(lambda method, *rest: method(*rest) + 1, device.datapath._filtered))),
    "double rounding": ("requantiser", changed("_drain", lambda fields: {
        "mode": Mode.TFL1 if fields["mode"] == Mode.TFL2 else fields["mode"]})),
    "rounding away from zero": ("requantiser", changed("_drain", lambda fields: {
        "mode": Mode.TFL1 if fields["mode"] == Mode.AWAY else fields["mode"]})),
    "multiplier": ("requantiser", lane_multiplier(28)),
    "zero point": ("requantiser", changed("_drain", lambda fields: {"zero_point": -3})),
    "clamp_min": ("requantiser", changed("_drain", lambda fields: {"clamp_min": -128})),
    "clamp_max": ("requantiser", changed("_drain", lambda fields: {"clamp_max": 127})),
    "one multiplier for all": ("requantiser", changed("_params", lambda fields: {
        "multiplier": 1 << 30})),
    "bias of channel 0": ("channel parameters", parameter("bias", 0, 30, 1)),
    "bias of the last channel": ("channel parameters", parameter("bias", -1, 3, 0)),
    "multiplier of channel 0": ("channel parameters", parameter("multiplier", 0, 0, 1)),
    "multiplier of the last": ("channel parameters", parameter("multiplier", -1, 30, 0)),
    "shift of channel 5": ("channel parameters", parameter("shift", 5, 5, 1)),
    "shift of channel 1": ("channel parameters", parameter("shift", 1, 0, 0)),
    "channel of PARAMS": ("channel parameters", changed("_params", lambda fields: {"channel": 0})),
    "table A": ("tables and MAP", table_bit(0, 0, 31, 1)),
    "table B": ("tables and MAP", table_bit(1, 255, 15, 0)),
    "MAP": ("tables and MAP", dead("_map")),
    "MULTIPLY": ("tables and MAP", changed("_map", lambda fields: {"op": min(fields["op"], 1)})),
    "SOFTMAX": ("SOFTMAX", softmax_less),
    "CAP_ARRAY": ("identity", register_bit("CAP_ARRAY", 1)),
    "WATCHDOG": ("registers", register_bit("WATCHDOG", 1)),
    "no write to registers": ("registers", register_refused),
    "error code": ("error handling", other_error),
}
"""By what is broken: (the check that is to fail, what breaks a device)."""
