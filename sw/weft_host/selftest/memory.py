"""Checks of host memory, DMA and scratchpad."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .bench import Bench, Fault, Step, differences, listing

__all__ = ["check_dma", "check_memory", "check_scratchpad"]

_WHOLE = 1 << 18        # bytes of host memory that are all tested
_BLOCKS = 1024          # number of tested blocks in the rest
_BLOCK = 64             # bytes of a block
_MARK = 8               # bytes that the check of the DMA copies at each address line
_HALF = 4096            # half of the area for copies: a 4 KiB boundary is in its middle
_FILL = 0x69


def _check_equal(found: npt.NDArray[np.int8], expected: npt.NDArray[np.int8],
                 name: Callable[[int], str]) -> None:
    """Check that all bytes are equal; ``name(index)`` names a byte."""
    wrong = np.flatnonzero(found != expected)
    if len(wrong):
        at = int(wrong[0])
        raise Fault(f"{len(wrong)} of {len(found)} bytes wrong, first {name(at)}: expected "
                    f"{expected.view(np.uint8)[at]:#04x}, got {found.view(np.uint8)[at]:#04x}")


def _powers(first: int, end: int) -> list[int]:
    """Return the powers of two from ``first`` to below ``end``."""
    return [1 << bit for bit in range(first.bit_length() - 1, end.bit_length())
            if first <= 1 << bit < end]


def _block_addresses(bench: Bench, size: int) -> npt.NDArray[np.int64]:
    """Return the addresses of blocks beyond ``size``: at each address line, and random ones."""
    end = bench.device.memory_bytes
    stripe = (end - size) // _BLOCKS // _BLOCK * _BLOCK
    addresses = {0, end - _BLOCK, *_powers(size, end)}
    for index in range(_BLOCKS if stripe else 0):
        inside = bench.random_index(stripe // _BLOCK)
        addresses.add(size + index * stripe + inside * _BLOCK)
    return np.array(sorted(addresses), np.int64)


def check_memory(bench: Bench) -> str:
    """Check every bit of host memory as 0 and as 1; everything is written before it is read.

    Beyond 256 KiB only blocks are checked, because a serial line would take hours for the rest.
    """
    end = bench.device.memory_bytes
    size = min(end, _WHOLE)
    data = bench.random_bytes(size)
    for pattern in (data, ~data):
        bench.write(0, pattern)
        _check_equal(bench.read(0, size), pattern, lambda at: f"{at:#x}")
    if size == end:
        return f"all {end} bytes"
    addresses = _block_addresses(bench, size)
    marks = bench.random_bytes(len(addresses) * _BLOCK).reshape(-1, _BLOCK)
    for pattern in (marks, ~marks):
        for address, mark in zip(addresses.tolist(), pattern):
            bench.write(address, mark)
        found = np.array([bench.read(address, _BLOCK) for address in addresses.tolist()])
        _check_equal(found.reshape(-1), pattern.reshape(-1),
                     lambda at: f"{addresses[at // _BLOCK] + at % _BLOCK:#x}")
    return (f"of {end} bytes the first {size}, and {len(addresses)} blocks of {_BLOCK} bytes "
            "beyond, one at each address line")


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Copy:
    """Copy within an area of host memory, through the scratchpad.

    ``load``, ``local`` and ``store`` are offsets of the first row.
    """

    count: int
    bytes: int
    load: int
    load_pitch: int
    local: int
    local_pitch: int
    store: int
    store_pitch: int

    def __str__(self) -> str:
        return "a copy with " + ", ".join(
            f"{key} {value}" for key, value in dataclasses.asdict(self).items())

    def addresses(self, start: int, pitch: int) -> npt.NDArray[np.int64]:
        """Return the addresses of all bytes, as (row, byte)."""
        return start + (np.arange(self.count)[:, None] * pitch + np.arange(self.bytes))

    def steps(self, area: int, local: int) -> list[Step]:
        """Return the LOAD and the STORE for an area at ``area``, with scratchpad from ``local``."""
        rows = {"count": self.count, "bytes": self.bytes, "local_addr": local + self.local,
                "local_pitch": self.local_pitch}
        return [("LOAD", {**rows, "host_addr": area + self.load, "host_pitch": self.load_pitch}),
                ("STORE", {**rows, "host_addr": area + self.store,
                           "host_pitch": self.store_pitch})]


def _copies(bench: Bench) -> list[_Copy]:
    """Return copies of all alignments and shapes."""
    beat, most = bench.config.bus_bytes, min(bench.config.spad_bytes // 2, _HALF)
    copies: list[_Copy] = []
    for shift in range(beat):           # every alignment on both sides, rows with gaps
        row = min(2 * beat + 1 + shift, most // 4)
        copies.append(_Copy(
            count=3, bytes=row, load=bench.random_index(_HALF // 2 // beat) * beat + shift,
            load_pitch=row + 5, local=shift // 2, local_pitch=row + 1,
            store=(_HALF + bench.random_index(_HALF * 3 // 4) & -beat)
            + (3 * shift + 1) % beat, store_pitch=row + 2))
    row = most - 8                      # long bursts, across the 4 KiB boundary if that fits
    for load, store in ((_HALF - row // 2, _HALF - row // 2 + 7), (2 * _HALF - row, 3)):
        copies.append(_Copy(count=1, bytes=row, load=load, load_pitch=0, local=5, local_pitch=0,
                            store=store, store_pitch=0))
    # one byte; a pitch of 0 reads the same row again
    copies.append(_Copy(count=4, bytes=1, load=17, load_pitch=0, local=3, local_pitch=2,
                        store=2 * _HALF - 64, store_pitch=3))
    return copies


def _copy_faults(bench: Bench, data: npt.NDArray[np.int8], copies: Sequence[_Copy],
                 local: int) -> dict[int, str]:
    """Return a sentence for each wrong copy, by its index; scratchpad is used from ``local``."""
    area = bench.target - _HALF
    expected, writer = data.copy(), np.full(len(data), -1)
    steps: list[Step] = []
    for number, copy in enumerate(copies):
        steps += copy.steps(area, local)
        target = copy.addresses(copy.store, copy.store_pitch)
        expected[target] = expected[copy.addresses(copy.load, copy.load_pitch)]
        writer[target] = number
    rows = {"count": 2, "bytes": 5, "local_addr": local + 1, "local_pitch": 9}
    steps += [("FILL", {**rows, "value": _FILL}),
              ("STORE", {**rows, "host_addr": area, "host_pitch": 5})]
    expected[:10], writer[:10] = _FILL, len(copies)
    bench.write(area, data)
    bench.run(steps)
    return differences(bench.read(area, len(data)), expected, lambda at: int(writer[at]))


def _address_faults(bench: Bench, marks: npt.NDArray[np.int8], addresses: Sequence[int],
                    local: int) -> dict[int, str]:
    """Copy the mark at each address to the next one; return a sentence for each wrong address."""
    row = {"count": 1, "bytes": _MARK}
    for address, mark in zip(addresses, marks):
        bench.write(address, mark)
    spad = [local + _MARK * index for index in range(len(addresses))]
    loads: list[Step] = [("LOAD", {**row, "host_addr": address, "local_addr": at})
                         for address, at in zip(addresses, spad)]
    stores: list[Step] = [("STORE", {**row, "host_addr": address, "local_addr": at})
                          for address, at in zip(addresses, spad[-1:] + spad[:-1])]
    bench.run(loads + stores)
    found = np.array([bench.read(address, _MARK) for address in addresses])
    expected: npt.NDArray[Any] = np.roll(marks, 1, axis=0)
    return differences(found, expected, lambda index, _: addresses[index])


def check_dma(bench: Bench) -> str:
    """Check copies of all alignments and shapes, and each address line of host memory."""
    data, copies = bench.random_bytes(2 * _HALF), _copies(bench)
    wrong = bench.faults_at_both(
        lambda location: _copy_faults(bench, data, copies, location.local))
    if wrong:
        def name(number: int) -> str:
            if number < 0:
                return "a byte that no copy writes"
            return "FILL" if number == len(copies) else str(copies[number])
        raise Fault(listing(wrong, len(copies) + 1, name))
    end = bench.device.memory_bytes
    # address lines below those of the target are tested with addresses above the target
    addresses = sorted({bench.target, end - _MARK, *_powers(2 * bench.target, end),
                        *(bench.target + line for line in _powers(_MARK, bench.target))})
    addresses = addresses[-(bench.config.spad_bytes // 2 // _MARK):]
    marks = bench.random_bytes(len(addresses) * _MARK).reshape(-1, _MARK)
    wrong = bench.faults_at_both(
        lambda location: _address_faults(bench, marks, addresses, location.local))
    if wrong:
        raise Fault(listing(wrong, len(addresses), lambda address: f"host memory at {address:#x}"))
    return f"{len(copies)} copies, {len(addresses)} addresses"


def check_scratchpad(bench: Bench) -> str:
    """Check every bit of the scratchpad as 0 and as 1; everything is written before it is read."""
    size, step = bench.config.spad_bytes, min(bench.region, bench.config.spad_bytes)
    data = bench.random_bytes(size)
    for pattern in (data, ~data):
        for start in range(0, size, step):
            bench.write(bench.source, pattern[start:start + step])
            bench.run([("LOAD", {"count": 1, "bytes": step, "host_addr": bench.source,
                                 "local_addr": start})])
        found: list[npt.NDArray[np.int8]] = []
        for start in range(0, size, step):
            bench.run([("STORE", {"count": 1, "bytes": step, "host_addr": bench.target,
                                  "local_addr": start})])
            found.append(bench.read(bench.target, step))
        _check_equal(np.concatenate(found), pattern, lambda at: f"{at:#x}")
    return f"all {size} bytes"
