"""A rectangle of the input in the scratchpad, with its halo, loaded piece by piece."""

import dataclasses

from ..lower.layer import Layer

__all__ = ["Home", "Region", "Resident"]


@dataclasses.dataclass
class Region:
    """Pixels ``y`` to ``y + height``, ``x`` to ``x + width`` of the input; some may lie outside.

    Attributes
    ----------
    address : :class:`int`
        Scratchpad address of the first pixel.
    image : :class:`int`
        Host address, in tensor memory, of the image that the pixels are from.
    c0, channels : :class:`int`
        The channels that are held.
    """

    layer: Layer
    address: int
    image: int
    y: int
    x: int
    height: int
    width: int
    c0: int
    channels: int
    _loaded: int = 0
    _has_halo: bool = False

    @property
    def row_pitch(self):
        """Bytes from one row to the next."""
        return self.width * self.channels

    @property
    def along_x(self):
        """It has one row, so pieces of it are runs of pixels."""
        return self.height == 1

    @property
    def extent(self):
        """Rows, or pixels where it has one row."""
        return self.width if self.along_x else self.height

    def require(self, stream, upto):
        """Emit what makes rows (pixels of a single row) 0 to before ``upto`` present."""
        upto = min(upto, self.extent)
        if not self._has_halo:
            self._has_halo = True
            self._fill_halo(stream)
        if upto <= self._loaded:
            return
        first, self._loaded = self._loaded, upto
        if self.along_x:
            self._load(stream, 0, 1, first, upto)
        else:
            self._load(stream, first, upto, 0, self.width)

    def _inside(self):
        """Rows and columns of the region that lie in the input."""
        layer = self.layer
        top, left = max(0, -self.y), max(0, -self.x)
        bottom, right = min(self.height, layer.in_h - self.y), min(self.width, layer.in_w - self.x)
        return (top, max(top, bottom)), (left, max(left, right))

    def _fill_halo(self, stream):
        (top, bottom), (left, right) = self._inside()
        top, bottom = min(top, self.height), min(bottom, self.height)
        left, right = min(left, self.width), min(right, self.width)
        value, pitch, pixel = self.layer.halo, self.row_pitch, self.channels
        if top >= bottom or left >= right:
            stream.fill(self.address, self.height * pitch, value)
            return
        stream.fill(self.address, top * pitch, value)
        stream.fill(self.address + bottom * pitch, (self.height - bottom) * pitch, value)
        middle = self.address + top * pitch
        stream.fill(middle, left * pixel, value, bottom - top, pitch)
        stream.fill(middle + right * pixel, (self.width - right) * pixel, value, bottom - top,
                    pitch)

    def _load(self, stream, y0, y1, x0, x1):
        """Load the part of rows ``y0`` to ``y1``, columns ``x0`` to ``x1`` that is input."""
        layer, pixel = self.layer, self.channels
        (top, bottom), (left, right) = self._inside()
        y0, y1, x0, x1 = max(y0, top), min(y1, bottom), max(x0, left), min(x1, right)
        if y0 >= y1 or x0 >= x1:
            return
        host = self.image + ((self.y + y0) * layer.in_w + self.x + x0) * layer.in_c + self.c0
        local = self.address + (y0 * self.width + x0) * pixel
        rows, columns = y1 - y0, x1 - x0
        host_pitch = layer.in_w * layer.in_c
        gapless = columns == layer.in_w == self.width or rows == 1
        if pixel == layer.in_c:
            if gapless:
                stream.load("tensor", host, local, rows * columns * pixel)
            else:
                stream.load("tensor", host, local, columns * pixel, rows, host_pitch,
                            self.row_pitch)
        elif gapless:
            stream.load("tensor", host, local, pixel, rows * columns, layer.in_c, pixel)
        elif rows <= columns:
            for row in range(rows):
                stream.load("tensor", host + row * host_pitch, local + row * self.row_pitch, pixel,
                            columns, layer.in_c, pixel)
        else:
            for column in range(columns):
                stream.load("tensor", host + column * layer.in_c, local + column * pixel, pixel,
                            rows, host_pitch, self.row_pitch)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Home:
    """Where a tensor stays in the scratchpad, between the layers that make it and those that read.

    Rows of pixels with what is read around them. The columns on the left of a row are also those on
    the right of the row before.

    Attributes
    ----------
    address : :class:`int`
        Scratchpad address of the first byte, halo included.
    height, width, channels : :class:`int`
        Pixels, and bytes of a pixel.
    top, left, bottom, right : :class:`int`
        Rows and columns around the tensor that its readers see.
    halo : :class:`int`
        The byte they see there.
    surplus : :class:`int`
        Bytes behind the last that may be read with weights of zero.
    bare : :class:`bool`
        Nobody looks at the halo; only the layout has room for it.
    """

    address: int = 0
    height: int
    width: int
    channels: int
    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0
    halo: int = 0
    surplus: int = 0
    bare: bool = False

    @property
    def row_pitch(self):
        """Bytes from one row to the next."""
        return (self.width + max(self.left, self.right)) * self.channels

    @property
    def gapless(self):
        """The tensor's bytes follow each other."""
        return not self.top + self.left + self.bottom + self.right

    @property
    def size(self):
        """Bytes from the first to the end, surplus included."""
        return (self.top + self.height + self.bottom) * self.row_pitch \
            + self.left * self.channels + self.surplus

    def seen_as(self, shape):
        """The home as a step with another idea of the tensor's shape sees it."""
        if shape == (self.height, self.width, self.channels):
            return self
        assert self.gapless, "only what has no gaps can be seen in another shape"
        height, width, channels = shape
        return dataclasses.replace(self, height=height, width=width, channels=channels)

    def merged(self, count):
        """The home with ``count`` neighbouring pixels of a row as one."""
        return self if count == 1 else _Merged(home=self, count=count)

    def pixel(self, y, x):
        """Address of a pixel."""
        return self.address + (self.top + y) * self.row_pitch + (self.left + x) * self.channels

    def fill(self, stream):
        """Emit what gives the halo its value."""
        if self.gapless or self.bare:
            return
        first, row = self.pixel(0, 0), self.width * self.channels
        last = self.pixel(self.height - 1, self.width)
        end = self.address + self.size - self.surplus
        stream.fill(self.address, first - self.address, self.halo)
        stream.fill(first + row, self.row_pitch - row, self.halo, self.height - 1, self.row_pitch)
        stream.fill(last, end - last, self.halo)

    def store(self, stream, host, y0, y1, x0, x1):
        """Emit the copy of a rectangle to the tensor's place in host memory."""
        rows, size = y1 - y0, (x1 - x0) * self.channels
        pitch = self.width * self.channels
        local, host = self.pixel(y0, x0), host + y0 * pitch + x0 * self.channels
        if rows == 1 or size == pitch == self.row_pitch:
            rows, size = 1, rows * size
        stream.store(host, local, size, rows, pitch, self.row_pitch)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Merged:
    """A :class:`Home` whose pixels are groups of the real ones; for who writes it."""

    home: Home
    count: int

    @property
    def row_pitch(self):
        return self.home.row_pitch

    def pixel(self, y, x):
        return self.home.pixel(y, x * self.count)

    def store(self, stream, host, y0, y1, x0, x1):
        self.home.store(stream, host, y0, y1, x0 * self.count, x1 * self.count)


@dataclasses.dataclass(frozen=True)
class Resident:
    """A :class:`Home` as the region that a layer reads: everything is there."""

    home: Home
    y = x = c0 = 0
    along_x = False

    @property
    def address(self):
        """Address of the first pixel."""
        return self.home.pixel(0, 0)

    @property
    def row_pitch(self):
        """Bytes from one row to the next."""
        return self.home.row_pitch

    @property
    def channels(self):
        """Bytes of a pixel."""
        return self.home.channels

    def require(self, stream, upto):
        """Nothing is to be loaded."""
