"""Tensor that stays in the scratchpad between the steps that write and read it."""

import dataclasses
from collections.abc import Sequence

from .tensor_view import TensorView

__all__ = ["ResidentTensor", "common_layout"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResidentTensor:
    """Layout and address of a tensor in the scratchpad.

    The tensor lies as rows of pixels with the halo that its readers need. The halo at the left of a
    row is also the halo at the right of the previous row.

    Attributes
    ----------
    address : :class:`int`
        Scratchpad address of the first byte, halo included.
    height, width, channels : :class:`int`
        Shape of the tensor.
    top, left, bottom, right : :class:`int`
        Rows and columns of the halo.
    halo : :class:`int`
        Value of the halo, as int8.
    overread : :class:`int`
        Bytes after the last one that may be read and multiplied by weights of zero.
    halo_unused : :class:`bool`
        No step reads the halo of this tensor. It exists in the layout because the tensor shares
        its memory with one that has a halo.
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
    overread: int = 0
    halo_unused: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels

    @property
    def row_pitch(self) -> int:
        """Bytes from one row to the next."""
        return (self.width + max(self.left, self.right)) * self.channels

    @property
    def contiguous(self) -> bool:
        """True if there is no halo, so that the bytes of the tensor are consecutive."""
        return not self.top + self.left + self.bottom + self.right

    @property
    def size(self) -> int:
        """Total number of bytes, with halo and over-read."""
        return (self.top + self.height + self.bottom) * self.row_pitch \
            + self.left * self.channels + self.overread

    def reshaped(self, shape: tuple[int, int, int]) -> "ResidentTensor":
        """Return the same bytes with another shape. Only a contiguous tensor can be reshaped."""
        if shape == self.shape:
            return self
        assert self.contiguous, "a tensor with a halo cannot be reshaped"
        height, width, channels = shape
        return dataclasses.replace(self, height=height, width=width, channels=channels)

    def pixel_address(self, y: int, x: int) -> int:
        """Return the address of the first channel of a pixel."""
        return self.address + (self.top + y) * self.row_pitch + (self.left + x) * self.channels


def common_layout(written: TensorView, read: Sequence[TensorView]) -> ResidentTensor | None:
    """Return the layout in which all steps can address a tensor, or ``None`` if there is none.

    Parameters
    ----------
    written : :class:`TensorView`
        View of the step that writes the tensor.
    read : sequence of :class:`TensorView`
        Views of the steps that read it.
    """
    overread = max(view.overread for view in read)
    height, width, channels = written.shape
    if not any(view.has_halo for view in read):
        return ResidentTensor(height=height, width=width, channels=channels, overread=overread)
    shapes = {view.shape for view in (written, *read)}
    halos = {view.halo for view in read if view.has_halo}
    if len(shapes) > 1 or len(halos) > 1:
        return None
    return ResidentTensor(
        height=height, width=width, channels=channels, halo=halos.pop(), overread=overread,
        top=max(view.top for view in read), left=max(view.left for view in read),
        bottom=max(view.bottom for view in read), right=max(view.right for view in read))
