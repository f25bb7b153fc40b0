"""Input of a layer in the scratchpad: a buffer that is loaded in pieces, or a resident tensor."""

import dataclasses
from typing import Protocol

from ..lower.layer import Layer
from ..plan.resident_tensor import ResidentTensor
from .instruction_stream import HostSection, InstructionStream

__all__ = ["InputBuffer", "LayerInput", "ResidentInput"]


class LayerInput(Protocol):
    """Rectangle of a layer's input that MATMUL reads in the scratchpad."""

    @property
    def address(self) -> int:
        """Scratchpad address of the first pixel."""

    @property
    def y(self) -> int:
        """Row of the input at ``address``; negative if it is part of the halo."""

    @property
    def x(self) -> int:
        """Column of the input at ``address``; negative if it is part of the halo."""

    @property
    def c0(self) -> int:
        """First channel of a pixel in the scratchpad."""

    @property
    def channels(self) -> int:
        """Bytes of a pixel in the scratchpad."""

    @property
    def row_pitch(self) -> int:
        """Bytes from one row to the next."""

    @property
    def single_row(self) -> bool:
        """True if the rectangle has one row, so that its pieces are runs of pixels."""

    def require(self, stream: InstructionStream, end: int) -> None:
        """Emit the loads of all rows before ``end``, or of all pixels of a single row."""


@dataclasses.dataclass
class InputBuffer:
    """Buffer with a rectangle of the input and its halo. It implements :class:`LayerInput`.

    Attributes
    ----------
    layer : :class:`Layer`
        Layer that reads the input.
    address : :class:`int`
        Scratchpad address of the first pixel.
    image : :class:`int`
        Address of the image in the section of tensors.
    y, x, height, width : :class:`int`
        Rectangle of the image. Parts of it may lie outside of the image.
    c0, channels : :class:`int`
        First channel, and number of channels, that the buffer holds.
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
    def row_pitch(self) -> int:
        """Bytes from one row to the next."""
        return self.width * self.channels

    @property
    def single_row(self) -> bool:
        """True if the rectangle has one row, so that its pieces are runs of pixels."""
        return self.height == 1

    def require(self, stream: InstructionStream, end: int) -> None:
        """Emit the loads of all rows before ``end``, or of all pixels of a single row.

        The halo is filled first. Nothing is loaded twice.
        """
        end = min(end, self.width if self.single_row else self.height)
        if not self._has_halo:
            self._has_halo = True
            self._fill_halo(stream)
        if end <= self._loaded:
            return
        first, self._loaded = self._loaded, end
        if self.single_row:
            self._load(stream, 0, 1, first, end)
        else:
            self._load(stream, first, end, 0, self.width)

    def _inside(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the rows and the columns of the rectangle that lie inside of the image."""
        layer = self.layer
        top, left = max(0, -self.y), max(0, -self.x)
        bottom, right = min(self.height, layer.in_h - self.y), min(self.width, layer.in_w - self.x)
        return (top, max(top, bottom)), (left, max(left, right))

    def _fill_halo(self, stream: InstructionStream) -> None:
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

    def _load(self, stream: InstructionStream, y0: int, y1: int, x0: int, x1: int) -> None:
        """Load the part of rows ``y0`` to ``y1``, columns ``x0`` to ``x1`` inside of the image."""
        layer, pixel = self.layer, self.channels
        (top, bottom), (left, right) = self._inside()
        y0, y1, x0, x1 = max(y0, top), min(y1, bottom), max(x0, left), min(x1, right)
        if y0 >= y1 or x0 >= x1:
            return
        host = self.image + ((self.y + y0) * layer.in_w + self.x + x0) * layer.in_c + self.c0
        local = self.address + (y0 * self.width + x0) * pixel
        rows, columns = y1 - y0, x1 - x0
        host_pitch = layer.in_w * layer.in_c
        contiguous = columns == layer.in_w == self.width or rows == 1
        section = HostSection.TENSORS
        if pixel == layer.in_c:
            if contiguous:
                stream.load(section, host, local, rows * columns * pixel)
            else:
                stream.load(section, host, local, columns * pixel, rows, host_pitch,
                            self.row_pitch)
        elif contiguous:
            stream.load(section, host, local, pixel, rows * columns, layer.in_c, pixel)
        elif rows <= columns:
            for row in range(rows):
                stream.load(section, host + row * host_pitch, local + row * self.row_pitch, pixel,
                            columns, layer.in_c, pixel)
        else:
            for column in range(columns):
                stream.load(section, host + column * layer.in_c, local + column * pixel, pixel,
                            rows, host_pitch, self.row_pitch)


@dataclasses.dataclass(frozen=True)
class ResidentInput:
    """Resident tensor as the input of a layer. It implements :class:`LayerInput`.

    Attributes
    ----------
    tensor : :class:`ResidentTensor`
        Tensor in the scratchpad.
    y, x, c0 : :class:`int`
        Always 0, because ``address`` is the address of the tensor's first pixel.
    single_row : :class:`bool`
        Always false, because there are no pieces to load.
    """

    tensor: ResidentTensor
    y: int = 0
    x: int = 0
    c0: int = 0
    single_row: bool = False

    @property
    def address(self) -> int:
        """Scratchpad address of the first pixel."""
        return self.tensor.pixel_address(0, 0)

    @property
    def row_pitch(self) -> int:
        """Bytes from one row to the next."""
        return self.tensor.row_pitch

    @property
    def channels(self) -> int:
        """Bytes of a pixel."""
        return self.tensor.channels

    def require(self, stream: InstructionStream, end: int) -> None:
        """Emit nothing, because the tensor is in the scratchpad."""
