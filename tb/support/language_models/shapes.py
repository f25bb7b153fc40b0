"""Shapes of random models: every family, head layout and option."""

import dataclasses
import math

import numpy as np

__all__ = ["SHAPES", "Shape"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shape:
    """Sizes and options of a random model.

    Attributes
    ----------
    family : ``"llama"``, ``"qwen2"``, ``"qwen3"`` or ``"gpt2"``.
    dim, layers, heads, kv_heads, head_size, feed_forward, context : :class:`int`
    tied : whether the head is the embedding.
    attention_bias, feed_forward_bias : whether a ``llama`` has these biases.
    rope_base : :class:`float`
    scaling : ``""``, ``"linear"`` or ``"llama3"``.
    """

    family: str
    dim: int = 32
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    head_size: int = 8
    feed_forward: int = 44
    context: int = 64
    tied: bool = True
    attention_bias: bool = False
    feed_forward_bias: bool = False
    rope_base: float = 10000.0
    scaling: str = ""

    @property
    def norm(self) -> str:
        """Kind of the norms, ``"rms"`` or ``"layer"``."""
        return "layer" if self.family == "gpt2" else "rms"

    @property
    def gated(self) -> bool:
        """True if the feed-forward layer has a gate."""
        return self.family != "gpt2"

    @property
    def biases(self) -> tuple[str, ...]:
        """Projections of a layer that have a bias."""
        if self.family == "gpt2":
            return "q", "k", "v", "output", "up", "down"
        if self.family == "qwen2":
            return "q", "k", "v"
        return (("q", "k", "v", "output") * self.attention_bias
                + ("gate", "up", "down") * self.feed_forward_bias)

    def scaling_config(self) -> dict | None:
        """Return the object ``rope_scaling`` of ``config.json``."""
        if self.scaling == "linear":
            return {"type": "linear", "factor": 4.0}
        if self.scaling == "llama3":
            return {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                    "high_freq_factor": 4.0, "original_max_position_embeddings": 32}
        return None

    def divisors(self) -> np.ndarray:
        """Return the divisor of each pair's frequency, for scaled rotations.

        The divisors of Llama 3.1 are written out by cases, as in Meta's ``apply_scaling``.
        """
        count = self.head_size // 2
        if self.scaling == "linear":
            return np.full(count, 4.0)
        if self.scaling != "llama3":
            return np.ones(count)
        found = []
        for pair in range(count):
            frequency = self.rope_base ** (-2 * pair / self.head_size)
            wavelength = 2 * math.pi / frequency
            if wavelength < 32 / 4.0:
                scaled = frequency
            elif wavelength > 32 / 1.0:
                scaled = frequency / 8.0
            else:
                smooth = (32 / wavelength - 1.0) / (4.0 - 1.0)
                scaled = (1 - smooth) * frequency / 8.0 + smooth * frequency
            found.append(frequency / scaled)
        return np.array(found)

    def frequencies(self) -> np.ndarray:
        """Return the angle of each pair at position 1, in radians."""
        return np.array([self.rope_base ** (-2 * pair / self.head_size)
                         for pair in range(self.head_size // 2)]) / self.divisors()


SHAPES = {
    "llama": Shape(family="llama"),
    "llama_untied": Shape(family="llama", tied=False, rope_base=500.0),
    "llama_multi_head": Shape(family="llama", kv_heads=4),
    "llama_multi_query": Shape(family="llama", kv_heads=1, feed_forward=172),
    "llama_wide_heads": Shape(family="llama", dim=24, heads=3, kv_heads=3, head_size=16),
    "llama_attention_bias": Shape(family="llama", attention_bias=True),
    "llama_all_biases": Shape(family="llama", attention_bias=True, feed_forward_bias=True),
    "llama_linear": Shape(family="llama", scaling="linear"),
    "llama_llama3": Shape(family="llama", scaling="llama3", head_size=16, tied=False),
    "qwen2": Shape(family="qwen2", rope_base=1e6),
    "qwen2_multi_query": Shape(family="qwen2", heads=7, kv_heads=1, dim=56, tied=False),
    "qwen3": Shape(family="qwen3", rope_base=1e6, head_size=16),
    "qwen3_untied": Shape(family="qwen3", kv_heads=4, tied=False),
    "gpt2": Shape(family="gpt2", kv_heads=4, feed_forward=128),
    "gpt2_narrow": Shape(family="gpt2", heads=2, kv_heads=2, head_size=16, feed_forward=36),
}
"""Shapes by name. Sizes are no multiples of 16 where a family allows it."""
