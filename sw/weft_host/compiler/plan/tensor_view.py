"""Requirements of one step on the layout of a tensor in the scratchpad."""

import dataclasses

__all__ = ["TensorView"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TensorView:
    """Tensor in the scratchpad as one step reads or writes it.

    Attributes
    ----------
    shape : (height, width, channels)
        Shape as an image. A tensor without a halo may have any shape with the same number of
        bytes.
    top, left, bottom, right : :class:`int`
        Rows and columns of the halo that the step reads.
    halo : :class:`int`
        Value of the halo, as int8.
    overread : :class:`int`
        Bytes after the last one that the step reads and multiplies by weights of zero.
    """

    shape: tuple[int, int, int]
    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0
    halo: int = 0
    overread: int = 0

    @property
    def has_halo(self) -> bool:
        """True if the step reads rows or columns around the tensor."""
        return bool(self.top + self.left + self.bottom + self.right)
