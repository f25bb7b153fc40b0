"""Test bench of MATMUL with MATMUL_RING: a model of LOAD that appends tiles to the ring."""

import numpy as np

from .matmul_bench import MatmulBench, MatmulModel, wrapped

__all__ = ["RingMatmulBench", "RingModel", "random_ring_instruction"]


class RingModel(MatmulModel):
    """Model that also executes MATMUL_RING.

    Attributes
    ----------
    tiles : list of int8 arrays of (tile_bytes,)
        All tiles of the ring, in order; each MATMUL_RING appends those that it takes.
    """

    def __init__(self, config, seed):
        super().__init__(config, seed)
        self.draw = np.random.default_rng(seed + 1)
        self.tiles = []

    def take(self):
        """Append a random tile to the ring, and return the weights of each array row."""
        tile = self.draw.integers(-128, 128, self.config.tile_bytes, dtype=np.int8)
        self.tiles.append(tile)
        return tile.reshape(self.config.rows, -1)[::-1].astype(np.int64)

    def execute_ring(self, f):
        """Execute a MATMUL_RING with fields ``f``."""
        for r in range(f["row_count"]):
            for c in range(f["chunk_count"]):
                tile = self.take()
                first = c == 0 if f["acc_pitch"] else r == c == 0
                for x in range(f["x_count"]):
                    address = (f["act_addr"] + r * f["row_pitch"] + c * f["chunk_pitch"]
                               + x * f["x_pitch"])
                    row = f["acc_addr"] + r * f["acc_pitch"] + x
                    before = 0 if first and not f["accumulate"] else self.acc[row]
                    self.acc[row] = wrapped(before + self.vector(address) @ tile)


def random_ring_instruction(config, draw):
    """Return the fields of a random valid MATMUL_RING."""
    f = {
        "accumulate": draw.randrange(2), "row_count": draw.choice((1, 1, 2, draw.randint(1, 6))),
        "chunk_count": draw.choice((1, 2, draw.randint(1, 5))), "x_count": draw.randint(1, 9),
        **{f"{name}_pitch": draw.randint(0, 50) for name in ("row", "chunk", "x")},
    }
    f["acc_pitch"] = draw.choice((0, f["x_count"]))
    extent = config.rows + sum((f[f"{name}_count"] - 1) * f[f"{name}_pitch"]
                               for name in ("row", "chunk", "x"))
    f["act_addr"] = draw.randint(0, config.spad_bytes - extent)
    rows = (f["row_count"] - 1) * f["acc_pitch"] + f["x_count"]
    f["acc_addr"] = draw.randint(0, config.acc_rows - rows)
    return f


class RingMatmulBench(MatmulBench):
    """MATMUL unit whose ring is filled by a model of LOAD.

    A tile is written and reported as soon as there is space and ``gaps`` permits. When a tile is
    released, its bytes are replaced by random ones.

    Parameters
    ----------
    config, model, data_latency, wgt_latency, stalls
        See :class:`MatmulBench`; ``model`` is a :class:`RingModel`.
    gaps : iterator of :class:`int`
        Idle cycles before each tile.
    capacity : :class:`int`, optional
        Number of tiles in the ring, at most and by default that of the weight buffer.

    Attributes
    ----------
    reported, released : :class:`int`
        Tiles, from the last clear on.
    first : :class:`int`
        Tiles before the last clear.
    """

    def __init__(self, config, model, data_latency, wgt_latency, stalls, *, gaps, capacity=None):
        super().__init__(config, model, data_latency, wgt_latency, stalls)
        self.gaps = gaps
        self.capacity = config.wgt_tiles if capacity is None else capacity
        self.reported = self.released = self.first = 0

    def _write(self, index, tile):
        size = self.config.tile_bytes
        start = index % self.config.wgt_tiles * size
        self.model.wgt[start:start + size] = tile

    async def fill(self, ctx):
        """Report tiles, and take back those that are released."""
        dut = self.dut.ring
        idle = next(self.gaps)
        draw = np.random.default_rng(1)
        while True:
            room = self.capacity - (self.reported - self.released)
            left = len(self.model.tiles) - self.first - self.reported
            report = room > 0 and left > 0 and idle == 0
            if report:
                self._write(self.reported, self.model.tiles[self.first + self.reported])
                self.reported += 1
                idle = next(self.gaps)
            elif idle:
                idle -= 1
            ctx.set(dut.tiles, report)
            _, _, release = await ctx.tick().sample(dut.release)
            if release:
                assert self.released < self.reported, "a tile that was not reported is released"
                self._write(self.released,
                            draw.integers(-128, 128, self.config.tile_bytes, dtype=np.int8))
                self.released += 1

    async def clear(self, ctx):
        """Empty the ring of the unit and of this bench."""
        assert self.released == self.reported, "tiles remain in the ring"
        ctx.set(self.dut.i_ring_clear, 1)
        self.first += self.reported
        self.reported = self.released = 0
        await ctx.tick()
        ctx.set(self.dut.i_ring_clear, 0)

    def processes(self):
        """Return the processes beside the unit."""
        return [*super().processes(), self.fill]
