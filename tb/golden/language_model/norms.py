"""RMSNorm and LayerNorm.

Sources: Zhang and Sennrich, "Root Mean Square Layer Normalization" (arXiv:1910.07467), equation 4;
Ba, Kiros and Hinton, "Layer Normalization" (arXiv:1607.06450), equations 3 and 4. Both add ``eps``
under the root, as all four families do.
"""

from golden.language_model.parameters import Array, NormParameters

__all__ = ["layer_norm", "norm", "rms_norm"]


def rms_norm(x: Array, parameters: NormParameters, eps: float) -> Array:
    """Divide the last axis by the root of its mean square and multiply it by the gains."""
    mean_square = (x * x).mean(axis=-1, keepdims=True)
    result: Array = x / (mean_square + x.dtype.type(eps)) ** 0.5 * parameters.gain
    return result


def layer_norm(x: Array, parameters: NormParameters, eps: float) -> Array:
    """Subtract the mean of the last axis, divide by the standard deviation, apply gain, offset."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    result: Array = centred / (variance + x.dtype.type(eps)) ** 0.5 * parameters.gain
    return result if parameters.offset is None else result + parameters.offset


def norm(kind: str, x: Array, parameters: NormParameters, eps: float) -> Array:
    """Apply the norm of the name ``kind``, ``"rms"`` or ``"layer"``."""
    return {"rms": rms_norm, "layer": layer_norm}[kind](x, parameters, eps)
