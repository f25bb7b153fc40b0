"""Feed-forward layers: gated with SiLU, or plain with GELU.

Sources: Shazeer, "GLU Variants Improve Transformer" (arXiv:2002.05202), equation 6 (SwiGLU);
Hendrycks and Gimpel, "Gaussian Error Linear Units" (arXiv:1606.08415), section 2, the
approximation with tanh that GPT-2 uses.
"""

import math

import numpy as np

from golden.language_model.parameters import Array, LayerParameters

__all__ = ["feed_forward", "gelu_tanh", "silu"]


def silu(x: Array) -> Array:
    """Return x times its logistic function."""
    e = np.exp(-np.abs(x))              # cannot overflow
    result: Array = x * np.where(x >= 0, 1, e) / (1 + e)
    return result


def gelu_tanh(x: Array) -> Array:
    """Return GELU in its approximation with tanh."""
    inner = x.dtype.type(math.sqrt(2 / math.pi)) * (x + x.dtype.type(0.044715) * x**3)
    result: Array = x.dtype.type(0.5) * x * (1 + np.tanh(inner))
    return result


def feed_forward(x: Array, layer: LayerParameters, activation: str) -> Array:
    """Return down(act(gate(x)) * up(x)), or down(act(up(x))) without a gate."""
    act = {"silu": silu, "gelu_tanh": gelu_tanh}[activation]
    if layer.gate is None:
        return layer.down(act(layer.up(x)))
    return layer.down(act(layer.gate(x)) * layer.up(x))
