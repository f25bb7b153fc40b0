"""Faults of the host memory, the DMA and the on-chip memories of an emulated device.

A fault is a function that changes a device.
"""

import numpy as np

from support.fault_hooks import after, before, force_bit

__all__ = ["accumulator_bit", "dma_address_line", "dma_write_lane", "host_address_line", "host_bit",
           "scratchpad_alias", "scratchpad_bit", "weight_alias", "weight_bit"]


def host_bit(at, bit, state):
    """Return a fault: a stuck bit of host memory."""
    def fault(device):
        def action():
            force_bit(device.memory.data[at:at + 1], bit, state)
        after(device, "_write", action)
        after(device.memory, "scatter", action)
    return fault


def host_address_line(line):
    """Return a fault: an address line of host memory that is stuck at 0."""
    def fault(device):
        def addresses(addr, size):
            return np.arange(addr, addr + size) & ~(1 << line)

        def write(addr, data):
            for at, byte in zip(addresses(addr, len(data)).tolist(), data):
                device.memory.data[at] = byte
        device._write = write
        device._read = lambda addr, size: device.memory.data[addresses(addr, size)].tobytes()
    return fault


def dma_address_line(line):
    """Return a fault: an address line of the DMA's reads that is stuck at 0."""
    def fault(device):
        memory = device.memory
        memory.gather = lambda start, pitch, rows, columns: memory.data[
            start + rows * pitch + columns & ~(1 << line)]
    return fault


def dma_write_lane(device):
    """Make the last byte of each written beat too high by one."""
    scatter = device.memory.scatter
    lane = device.config.bus_bytes - 1

    def call(start, pitch, rows, columns, values):
        last = (start + rows * pitch + columns) % (lane + 1) == lane
        scatter(start, pitch, rows, columns, np.where(last, values + 1, values).astype(np.uint8))
    device.memory.scatter = call


def scratchpad_bit(at, bit, state):
    """Return a fault: a stuck bit of the scratchpad."""
    def fault(device):
        path = device.datapath
        address = at % device.config.spad_bytes

        def action():
            force_bit(path.spad[address:address + 1], bit, state)
        before(path, "execute", action)
        after(path, "execute", action)
    return fault


def scratchpad_alias(device):
    """Make a write to the last byte of the scratchpad also change a byte in its upper half."""
    path, size = device.datapath, device.config.spad_bytes
    load = path._load

    def call(fields, mem_base):
        old = path.spad[size - 1]
        load(fields, mem_base)
        if path.spad[size - 1] != old:
            path.spad[size // 2 + 3] = path.spad[size - 1]
    path._load = call


def accumulator_bit(row, col, bit, state):
    """Return a fault: a stuck bit of an accumulator."""
    def fault(device):
        path = device.datapath
        before(path, "_drain", lambda: force_bit(
            path.acc.view(np.uint32)[row % len(path.acc), col:col + 1], bit, state))
    return fault


def weight_bit(tile, at, bit, state):
    """Return a fault: a stuck bit of the weight buffer."""
    def fault(device):
        config, path = device.config, device.datapath
        byte = tile % config.wgt_tiles * config.tile_bytes + at
        before(path, "_tiles", lambda: force_bit(path.wgt[byte:byte + 1], bit, state))
    return fault


def weight_alias(device):
    """Make both halves of the weight buffer the same memory."""
    path = device.datapath
    half = device.config.wgt_bytes // 2
    load = path._load_wgt

    def call(fields, mem_base):
        load({**fields, "local_addr": fields["local_addr"] % half,
              "bytes": min(fields["bytes"], half)}, mem_base)
        path.wgt[half:] = path.wgt[:half]
    path._load_wgt = call
