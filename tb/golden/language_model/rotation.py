"""Rotary position embedding.

Source: Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding"
(arXiv:2104.09864), equations 14 and 15 and section 3.4.2 (neighbouring pairs). GPT-NeoX pairs
element i with element i + n / 2 instead (Black et al., arXiv:2204.06745), as do the Qwen models and
the files of Hugging Face.
"""

import numpy as np
import numpy.typing as npt

from golden.language_model.parameters import Array, Rotation

__all__ = ["rotate"]


def rotate(x: Array, positions: npt.NDArray[np.int64], rotation: Rotation) -> Array:
    """Rotate the pairs of every head by the angles of its position.

    Parameters
    ----------
    x : ``(positions, heads, head_size)``.
    positions : int64 ``(positions,)``.
    rotation : :class:`Rotation`.
    """
    angles = (positions[:, None] * rotation.frequencies)[:, None, :]
    cos, sin = np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype)
    count = len(rotation.frequencies)
    first, second = {
        "neighbours": (slice(0, 2 * count, 2), slice(1, 2 * count, 2)),
        "halves": (slice(0, count), slice(count, 2 * count))}[rotation.pairs]
    a, b = x[..., first], x[..., second]
    out = x.copy()                      # elements that are not rotated stay
    out[..., first], out[..., second] = a * cos - b * sin, a * sin + b * cos
    return out
