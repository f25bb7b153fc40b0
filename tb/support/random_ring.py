"""Random loads of the ring and MATMUL_RINGs between other instructions."""

import numpy as np

from weft.spec import isa
from weft.spec.four_bit import BLOCK_WEIGHTS, PACKET_BEATS

from .ordering import accesses_of
from .random_instructions import CONSTANTS, IO, IO_BYTES, PARAMETERS, WORK

__all__ = ["RandomRing", "RingAccesses"]


class RingAccesses:
    """Exact accesses of the instructions of a program, in order, with the bytes of the ring.

    The hardware keeps the order of the loads of the ring and MATMUL_RING, so that they need no
    tokens between them. These loads write the weight buffer. The bytes that MATMUL_RING reads are
    in a space of their own, ``ring``, which LOAD_WGT writes, too.
    """

    def __init__(self):
        self.loaded = self.taken = 0        # bytes

    def __call__(self, config, name, v):
        """Return the accesses of an instruction, as :func:`accesses_of` does."""
        def part(start, size):
            return (start + np.arange(min(size, config.wgt_bytes))) % config.wgt_bytes

        if name in ("LOAD_RING", "LOAD_RING_4BIT"):
            if name == "LOAD_RING":
                size, row, pitch = v["count"] * v["bytes"], v["bytes"], v["host_pitch"]
            else:
                size = (v["count"] - 1) * BLOCK_WEIGHTS * config.cols
                row = pitch = PACKET_BEATS * config.cols
            self.loaded += size
            rows = np.arange(v["count"])[:, None] * pitch + np.arange(row)
            host = ("host", False, v["host_addr"] + rows.reshape(-1))
            # a stream of one block has no weights
            return [host, ("wgt", True, part(self.loaded - size, size))] if size else [host]
        if name == "MATMUL_RING":
            size = v["row_count"] * v["chunk_count"] * config.tile_bytes
            self.taken += size
            at = v["act_addr"] + np.arange(config.rows)
            for axis in ("x", "chunk", "row"):
                at = (np.arange(v[f"{axis}_count"])[:, None] * v[f"{axis}_pitch"]
                      + at).reshape(-1)
            acc = v["acc_addr"] + np.arange((v["row_count"] - 1) * v["acc_pitch"] + v["x_count"])
            return [("spad", False, at), ("ring", False, part(self.taken - size, size)),
                    ("acc", True, acc), ("acc", False, acc)]
        found = accesses_of(config, name, v)
        if name == "LOAD_WGT":
            found += [("ring", True, indices) for space, _, indices in found if space == "wgt"]
        elif name.startswith("SYNC"):
            found.append(("ring", True, np.arange(config.wgt_bytes)))
        return found


class RandomRing:
    """Part of a generator of random instructions, for configurations with ``fixed_point``.

    The ring is empty and begins at tile 0 when the program starts, and when it ends. LOAD_RING
    overwrites tiles of LOAD_WGT. Before a MATMUL that uses such a tile, the generator
    loads it again. Instructions that use a tile that is in the ring are dropped.
    """

    ring_loaded = ring_taken = 0        # tiles
    overwritten = frozenset()           # tiles that LOAD_RING has overwritten

    @property
    def _ring_room(self):
        """Number of tiles that LOAD_RING can append before any MATMUL_RING."""
        longest = self.config.max_burst * self.config.bus_bytes
        if self.config.weights_4bit:
            longest *= 2        # after their expansion
        return (self.config.wgt_bytes - longest) // self.config.tile_bytes - (
            self.ring_loaded - self.ring_taken)

    def ring(self):
        """Append one to three MATMUL_RINGs and the LOAD_RINGs of their tiles."""
        self._ring([self._matmul_ring() for _ in range(self.draw.choice((1, 1, 2, 3)))])

    def end_ring(self):
        """Append instructions after which the ring begins at tile 0, as it does after a reset."""
        count = -self.ring_loaded % self.config.wgt_tiles
        if count:
            self._ring([self._matmul_ring() | dict(row_count=1, acc_pitch=0, chunk_count=count,
                                                   chunk_pitch=0)])

    def _ring(self, multiplications):
        """Append MATMUL_RINGs and the LOAD_RINGs of their tiles.

        If the ring has no room for all tiles, MATMUL_RING must not wait for any LOAD behind them:
        a SYNC_MATMUL before them waits for everything.
        """
        total = sum(map(self._tiles_of, multiplications))
        fits = total <= self._ring_room
        if not fits:
            self.steps.append(("SYNC_MATMUL", {}))
        self._load_ring(total)
        for fields in multiplications:
            if fits and self.draw.random() < 0.5:
                first = len(self.steps)
                self.draw.choice((self.matmul, self.load_wgt, self.load, self.drain))()
                self.without_ring(first)
            self.steps.append(("MATMUL_RING", fields))
            self.ring_taken += self._tiles_of(fields)

    def _tiles_of(self, fields):
        return fields["row_count"] * fields["chunk_count"]

    def _matmul_ring(self):
        draw, config = self.draw, self.config
        lines = self.acc_end - self.acc
        x = self._small(min(lines, 8))
        row = self._small(min(8, lines // x, WORK // x))
        chunk = self._small(min(WORK // (x * row), draw.choice((3, 3, 3 * config.wgt_tiles))))
        acc_pitch = draw.choice((0, x))
        pitches = self._pitches((row, chunk, x), self.spad_end - self.spad - config.rows)
        reach = sum((count - 1) * pitch for count, pitch in zip((row, chunk, x), pitches))
        return dict(
            accumulate=draw.randrange(2), acc_pitch=acc_pitch,
            act_addr=self._address(self.spad, self.spad_end, reach + config.rows),
            acc_addr=self._address(self.acc, self.acc_end, (row - 1) * acc_pitch + x),
            row_count=row, row_pitch=pitches[0], chunk_count=chunk, chunk_pitch=pitches[1],
            x_count=x, x_pitch=pitches[2])

    def _load_ring(self, tiles):
        """Append loads of ``tiles`` tiles from any host addresses."""
        draw, size = self.draw, self.config.tile_bytes
        self.overwritten |= self._in_ring(self.ring_loaded, self.ring_loaded + tiles)
        self.ring_loaded += tiles
        while tiles:
            of_block = BLOCK_WEIGHTS // self.config.rows
            if self.config.weights_4bit and tiles >= of_block and draw.random() < 0.6:
                tiles -= self._load_4bit(tiles)
                continue
            of_row = self._small(min(tiles, (PARAMETERS - CONSTANTS) // size,
                                     self.config.wgt_tiles))
            count = draw.choice((1, tiles // of_row))
            room = PARAMETERS - CONSTANTS - of_row * size
            pitch = min(room // max(1, count - 1), draw.choice((0, 1, size, draw.randrange(200))))
            self.steps.append(("LOAD_RING", dict(
                count=count, bytes=of_row * size, host_pitch=pitch, host_addr=self._address(
                    CONSTANTS, PARAMETERS, (count - 1) * pitch + of_row * size))))
            tiles -= count * of_row

    def _load_4bit(self, tiles):
        """Append a LOAD_RING_4BIT of at most ``tiles`` tiles, and return their number.

        Any bytes are a stream.
        """
        config, block = self.config, PACKET_BEATS * self.config.cols
        of_block = BLOCK_WEIGHTS // config.rows
        low, high = IO, IO + IO_BYTES
        if self.draw.random() < 0.5 and (PARAMETERS - CONSTANTS) // block > 1:
            low, high = CONSTANTS, PARAMETERS
        most = min(tiles // of_block, (high - low) // block - 1)
        blocks = 0 if self.draw.random() < 0.1 else self.draw.choice((most, self._small(most)))
        address = self._address(low, high, (blocks + 1) * block)
        self.steps.append(("LOAD_RING_4BIT", dict(
            count=blocks + 1, host_addr=address // config.bus_bytes * config.bus_bytes)))
        return blocks * of_block

    def _in_ring(self, first, last):
        """Return the tiles of the weight buffer for the tiles ``first`` to ``last - 1`` of the
        ring, counted from the start of the program."""
        tiles = self.config.wgt_tiles
        return frozenset(tile % tiles for tile in range(max(first, last - tiles), last))

    def without_ring(self, first):
        """Correct or drop the steps from index ``first`` on that use tiles of the ring."""
        size = self.config.tile_bytes
        in_ring = self._in_ring(self.ring_taken, self.ring_loaded)
        new, self.steps[first:] = self.steps[first:], []
        for name, values in new:
            if name in ("LOAD_WGT", "MATMUL"):
                fields = {field.name: 0 for field in isa.BY_NAME[name].fields} | values
                at = next(indices for space, _, indices in accesses_of(self.config, name, fields)
                          if space == "wgt")
                used = set((at // size).tolist())
                if used & in_ring:
                    del self.steps[first:]
                    return
                if name == "LOAD_WGT":      # only tiles of which every byte is written
                    at = set(at.tolist())
                    used = {tile for tile in used if at.issuperset(
                        range(tile * size, (tile + 1) * size))}
                else:
                    for tile in sorted(used & self.overwritten):
                        self.steps.append(("LOAD_WGT", dict(
                            count=1, bytes=size, local_addr=tile * size,
                            host_addr=self._address(CONSTANTS, PARAMETERS, size))))
                self.overwritten -= used
            self.steps.append((name, values))
