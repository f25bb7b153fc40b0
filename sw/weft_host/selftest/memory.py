"""The self-test's checks of host memory, DMA and scratchpad."""

import numpy as np

from .bench import Fault, differences, listing

__all__ = ["check_memory", "check_dma", "check_scratchpad"]

_WHOLE = 1 << 18        # bytes of host memory that are all tried
_BLOCKS = 1024          # places in the rest
_BLOCK = 64             # bytes of such a place
_MARK = 8               # bytes at each address line, for the DMA
_HALF = 4096            # of the area that copies are tried in: a 4 KiB line is in its middle
_FILL = 0x69


def _first_wrong(found, expected, what):
    wrong = np.flatnonzero(found != expected)
    if len(wrong):
        at = int(wrong[0])
        raise Fault(f"{len(wrong)} of {len(found)} bytes wrong, first {what(at)}: expected "
                    f"{expected.view(np.uint8)[at]:#04x}, got {found.view(np.uint8)[at]:#04x}")


def _powers(first, end):
    """Powers of two from ``first`` to below ``end``."""
    return [1 << bit for bit in range(first.bit_length() - 1, end.bit_length())
            if first <= 1 << bit < end]


def _block_places(bench, size):
    """Addresses of blocks beyond ``size``: at each address line, and anywhere."""
    end = bench.device.memory_bytes
    stripe = (end - size) // _BLOCKS // _BLOCK * _BLOCK
    places = {0, end - _BLOCK, *_powers(size, end)}
    for index in range(_BLOCKS if stripe else 0):
        inside = int(bench.draw.integers(stripe // _BLOCK))
        places.add(size + index * stripe + inside * _BLOCK)
    return np.array(sorted(places))


def check_memory(bench):
    """Every bit of host memory as 0 and as 1, all written before any is read.

    Of what is beyond 256 KiB, blocks: over a serial line the whole would take hours.
    """
    end = bench.device.memory_bytes
    size = min(end, _WHOLE)
    data = bench.bytes(size)
    for pattern in (data, ~data):
        bench.write(0, pattern)
        _first_wrong(bench.read(0, size), pattern, lambda at: f"{at:#x}")
    if size == end:
        return f"all {end} bytes"
    places = _block_places(bench, size)
    marks = bench.bytes(len(places) * _BLOCK).reshape(-1, _BLOCK)
    for pattern in (marks, ~marks):
        for place, mark in zip(places.tolist(), pattern):
            bench.write(place, mark)
        found = np.array([bench.read(place, _BLOCK) for place in places.tolist()])
        _first_wrong(found.reshape(-1), pattern.reshape(-1),
                     lambda at: f"{places[at // _BLOCK] + at % _BLOCK:#x}")
    return (f"of {end} bytes the first {size}, and {len(places)} blocks of {_BLOCK} beyond, one at "
            "each address line")


def _copies(bench):
    """Copies in an area of host memory: dictionaries with the fields of LOAD and STORE."""
    beat, most = bench.config.bus_bytes, min(bench.config.spad_bytes // 2, _HALF)
    copies = []
    for shift in range(beat):           # every alignment on both sides, rows with gaps
        row = min(2 * beat + 1 + shift, most // 4)
        copies.append({
            "count": 3, "bytes": row,
            "load": int(bench.draw.integers(_HALF // 2 // beat)) * beat + shift,
            "load_pitch": row + 5, "local": shift // 2, "local_pitch": row + 1,
            "store": (_HALF + int(bench.draw.integers(_HALF * 3 // 4)) & -beat)
            + (3 * shift + 1) % beat, "store_pitch": row + 2})
    row = most - 8                      # long bursts, over the 4 KiB line where that fits
    for load, store in ((_HALF - row // 2, _HALF - row // 2 + 7), (2 * _HALF - row, 3)):
        copies.append({"count": 1, "bytes": row, "load": load, "load_pitch": 0, "local": 5,
                       "local_pitch": 0, "store": store, "store_pitch": 0})
    # one byte; a pitch of 0 reads a row again and again
    copies.append({"count": 4, "bytes": 1, "load": 17, "load_pitch": 0, "local": 3,
                   "local_pitch": 2, "store": 2 * _HALF - 64, "store_pitch": 3})
    return copies


def _rows(start, pitch, copy):
    return start + (np.arange(copy["count"])[:, None] * pitch + np.arange(copy["bytes"]))


def _copy_faults(bench, data, copies, local):
    """``{number of a copy: sentence}`` of those that are wrong, through bytes from ``local`` on."""
    area = bench.target - _HALF
    expected, writer, steps = data.copy(), np.full(len(data), -1), []
    for number, copy in enumerate(copies):
        rows = {"count": copy["count"], "bytes": copy["bytes"], "local_addr": local + copy["local"],
                "local_pitch": copy["local_pitch"]}
        steps += [("LOAD", {**rows, "host_addr": area + copy["load"],
                            "host_pitch": copy["load_pitch"]}),
                  ("STORE", {**rows, "host_addr": area + copy["store"],
                             "host_pitch": copy["store_pitch"]})]
        to = _rows(copy["store"], copy["store_pitch"], copy)
        expected[to] = expected[_rows(copy["load"], copy["load_pitch"], copy)]
        writer[to] = number
    steps += [("FILL", {"count": 2, "bytes": 5, "local_addr": local + 1, "local_pitch": 9,
                        "value": _FILL}),
              ("STORE", {"count": 2, "bytes": 5, "local_addr": local + 1, "local_pitch": 9,
                         "host_addr": area, "host_pitch": 5})]
    expected[:10], writer[:10] = _FILL, len(copies)
    bench.write(area, data)
    bench.run(steps)
    return differences(bench.read(area, len(data)), expected, lambda at: int(writer[at]))


def _far_faults(bench, marks, places, local):
    """Marks at ``places`` go one place on; ``{place: sentence}`` of the wrong ones."""
    row = {"count": 1, "bytes": _MARK}
    for place, mark in zip(places, marks):
        bench.write(place, mark)
    where = [local + _MARK * index for index in range(len(places))]
    bench.run([("LOAD", {**row, "host_addr": place, "local_addr": at})
               for place, at in zip(places, where)]
              + [("STORE", {**row, "host_addr": place, "local_addr": at})
                 for place, at in zip(places, where[-1:] + where[:-1])])
    found = np.array([bench.read(place, _MARK) for place in places])
    return differences(found, np.roll(marks, 1, axis=0), lambda index, _: places[index])


def check_dma(bench):
    """Copies of all alignments and shapes both ways, and each address line of host memory."""
    data, copies = bench.bytes(2 * _HALF), _copies(bench)
    wrong = bench.common(lambda place: _copy_faults(bench, data, copies, place.local))
    if wrong:
        def name(number):
            if number < 0:
                return "a byte that no copy writes"
            if number == len(copies):
                return "FILL"
            fields = ", ".join(f"{key} {value}" for key, value in copies[number].items())
            return f"a copy with {fields}"
        raise Fault(listing(wrong, len(copies) + 1, name))
    end = bench.device.memory_bytes
    # a line below the target's is one above it
    places = sorted({bench.target, end - _MARK, *_powers(2 * bench.target, end),
                     *(bench.target + line for line in _powers(_MARK, bench.target))})
    places = places[-(bench.config.spad_bytes // 2 // _MARK):]
    marks = bench.bytes(len(places) * _MARK).reshape(-1, _MARK)
    wrong = bench.common(lambda place: _far_faults(bench, marks, places, place.local))
    if wrong:
        raise Fault(listing(wrong, len(places), lambda place: f"host memory at {place:#x}"))
    return f"{len(copies)} copies, {len(places)} addresses"


def check_scratchpad(bench):
    """Every bit of the scratchpad as 0 and as 1, all written before any is read."""
    size, step = bench.config.spad_bytes, min(bench.region, bench.config.spad_bytes)
    data = bench.bytes(size)
    for pattern in (data, ~data):
        for start in range(0, size, step):
            bench.write(bench.source, pattern[start:start + step])
            bench.run([("LOAD", {"count": 1, "bytes": step, "host_addr": bench.source,
                                 "local_addr": start})])
        found = []
        for start in range(0, size, step):
            bench.run([("STORE", {"count": 1, "bytes": step, "host_addr": bench.target,
                                  "local_addr": start})])
            found.append(bench.read(bench.target, step))
        _first_wrong(np.concatenate(found), pattern, lambda at: f"{at:#x}")
    return f"all {size} bytes"
