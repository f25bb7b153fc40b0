"""The results of a layer: accumulators, parameters, drains and stores."""

from weft.spec.isa import Mode

from ..lower.quantize import average_multiplier
from ..plan.kernel_blocks import tile_width
from ..plan.layer_plan import param_block

__all__ = ["Outputs"]


class Outputs:
    """Takes accumulators in turn from the two halves, drains them, and stores groups of tiles.

    With a :class:`Home` for the output, tiles are drained to where they stay; they are
    stored, too, if the place has a host address for them.
    """

    def __init__(self, stream, layer, plan, place, regions, home=None):
        self.stream, self.layer, self.plan, self.place = stream, layer, plan, place
        self.regions, self.config, self.home = regions, stream.config, home
        self._width = tile_width(layer, self.config)
        self._tiles = -(-layer.out_c // self._width)
        self._block = param_block(layer, self.config)
        self._half = 1
        self._base = 0
        self._stores = 0
        self._param_slots = {}
        self._param_turn = 0
        # which tile's parameters are in each place of VECTOR
        self._held: list = [None] * (self.config.param_channels // self.config.cols)
        self._next_row = 0

    def begin(self):
        """Prepare what no drain can do without."""
        if self.layer.pooling:
            self.stream.fill(self.regions.params, 4 * self._width, 0)

    def parameters(self):
        """Load the parameters of all tiles if they stay on chip."""
        if not self.layer.pooling and self.plan.params_resident:
            self.stream.load("const", self.place.constants, self.regions.params,
                             self._tiles * self._block)

    def accumulators(self, positions, tiles, part, parts):
        """First accumulator row for a step; partial sums of a cut kernel stay where they are."""
        if parts > 1 and part == 0:
            self._flip()
        return self._base

    def _flip(self):
        self._half ^= 1
        self._base = self._half * (self.config.acc_rows // 2)

    def row(self, base, number, positions, parts):
        """First accumulator row of the tile that is ``number`` in its group.

        With fewer positions than the array has rows, tiles lie one behind the other: there VECTOR
        and MATMUL seldom meet, and many tiles may be under way.
        """
        if parts > 1:
            return base + number * positions
        if positions < self.config.rows:
            first = self._next_row if self._next_row + positions <= self.config.acc_rows else 0
            self._next_row = first + positions
            return first
        self._flip()
        return self._base

    def drain(self, work, tiles, tile, acc):
        """Drain a tile; behind the last of its group, store the group."""
        layer, width = self.layer, self._width
        columns = work.x1 - work.x0
        channels = min(width, work.c1 - tile * width)
        first = tiles[0] * width
        group = min(tiles[-1] * width + width, work.c1) - first
        if self.home is None:
            out = self.regions.out[self._stores % len(self.regions.out)]
            pixel = group * layer.out_size
            row_pitch = columns * pixel
            at = out + (tile * width - first) * layer.out_size
        else:
            pixel, row_pitch = layer.out_c, self.home.row_pitch
            at = self.home.pixel(work.y0, work.x0) + tile * width
        for (y0, y1), (x0, x1), scale in self._rectangles(work):
            place = self._params(tiles, tile, channels, scale)
            self.stream.drain(
                layer.out_size, mode=int(layer.mode), channels=channels, channel=place,
                out_addr=at + (y0 - work.y0) * row_pitch + (x0 - work.x0) * pixel,
                acc_addr=acc + (y0 - work.y0) * columns + x0 - work.x0, acc_pitch=columns,
                y_count=y1 - y0, y_pitch=row_pitch, x_count=x1 - x0, x_pitch=pixel,
                zero_point=layer.zero_point, clamp_min=layer.clamp_min, clamp_max=layer.clamp_max)
        if tile != tiles[-1]:
            return
        if self.home is None:
            self._store(work, out, first, group)
        elif self.place.target is not None and tile == self._tiles - 1:
            self.home.store(self.stream, self.place.target, work.y0, work.y1, work.x0, work.x1)
        self._stores += 1

    def _params(self, tiles, tile, channels, scale):
        """The place of a tile's parameters in VECTOR; reads them if they are not there."""
        layer, stream, held = self.layer, self.stream, self._held
        if layer.pooling:
            # one set of parameters serves every tile that has no more channels
            if held[0] is None or held[0][0] != scale or held[0][1] < channels:
                stream.params(self.regions.params, channels, multiplier=scale[0], shift=scale[1])
                held[0] = scale, channels
            return 0
        slot = tile % len(held)
        place = slot * self.config.cols
        if held[slot] == tile:
            return place
        held[slot] = tile
        if self.plan.params_resident:
            address = self.regions.params + tile * self._block
        else:
            address = self._streamed(tiles) + (tile - tiles[0]) * self._block
        if layer.per_channel:
            stream.params(address, channels, channel=place, scale_addr=address + 4 * self._width)
            return place
        # biases of one tile behind those of another: as many as there are places for
        if self.plan.params_resident and self._width == self.config.cols:
            last = min(self._tiles, tile - slot + len(held))
            held[slot:slot + last - tile] = range(tile, last)
            channels = min(last * self._width, layer.out_c) - tile * self._width
        scales = {} if layer.mode == Mode.RAW else {
            "multiplier": int(layer.multiplier[0]), "shift": int(layer.shift[0])}
        stream.params(address, channels, channel=place, **scales)
        return place

    def _streamed(self, tiles):
        """Parameters of a group in one of two buffers."""
        if self._param_slots.get("group") != (self._stores, tiles[0]):
            address = self.regions.params + self._param_turn * (self.plan.param_bytes // 2)
            self._param_turn ^= 1
            self._param_slots = {"group": (self._stores, tiles[0]), "address": address}
            self.stream.load("const", self.place.constants + tiles[0] * self._block, address,
                             len(tiles) * self._block)
        return self._param_slots["address"]

    def _rectangles(self, work):
        """Rectangles of positions with one multiplier, and that multiplier and shift."""
        layer = self.layer
        if layer.kind != "average":
            scale = (int(layer.multiplier[0]), int(layer.shift[0])) if layer.pooling else None
            return [((work.y0, work.y1), (work.x0, work.x1), scale)]

        def spans(start, stop, stride, kernel, pad, size):
            found: list[tuple[int, int, int]] = []
            for at in range(start, stop):
                origin = at * stride - pad
                count = min(origin + kernel, size) - max(origin, 0)
                if found and found[-1][2] == count:
                    found[-1] = found[-1][0], at + 1, count
                else:
                    found.append((at, at + 1, count))
            return found

        rows = spans(work.y0, work.y1, layer.stride_h, layer.kernel_h, layer.pad_top, layer.in_h)
        columns = spans(work.x0, work.x1, layer.stride_w, layer.kernel_w, layer.pad_left,
                        layer.in_w)
        return [((y0, y1), (x0, x1), average_multiplier(high * wide))
                for y0, y1, high in rows for x0, x1, wide in columns]

    def _store(self, work, out, first, group):
        layer, stream = self.layer, self.stream
        size = layer.out_size
        rows, columns = work.y1 - work.y0, work.x1 - work.x0
        pixel = layer.out_c * size
        host = self.place.target + ((work.image * layer.out_h + work.y0) * layer.out_w
                                    + work.x0) * pixel + first * size
        gapless = columns == layer.out_w or rows == 1
        if group == layer.out_c:
            if gapless:
                stream.store(host, out, rows * columns * pixel)
            else:
                stream.store(host, out, columns * pixel, rows, layer.out_w * pixel,
                             columns * pixel)
        elif gapless:
            stream.store(host, out, group * size, rows * columns, pixel, group * size)
        else:
            for row in range(rows):
                stream.store(host + row * layer.out_w * pixel, out + row * columns * group * size,
                             group * size, columns, pixel, group * size)
