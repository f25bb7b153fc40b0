"""Golden model of a language model that the frontend has read."""

import numpy as np

from golden.language_model.parameters import (
    Codes,
    LayerParameters,
    Linear,
    Model,
    NormParameters,
    Rotation,
)

__all__ = ["model_of_file"]


def model_of_file(file, dtype=np.float64):
    """Return the golden model of a :class:`weft_host.compiler.frontend.llm.LanguageModelFile`."""
    read = {}

    def values(tensor):
        if tensor is None:
            return None
        if id(tensor) not in read:          # a tied head is the embedding itself
            read[id(tensor)] = tensor.values().astype(dtype, copy=False)
        return read[id(tensor)]

    def linear(part):
        return part and Linear(weight=values(part.weight), bias=values(part.bias),
                               codes=codes(part.weight))

    def codes(tensor):
        if not tensor.has_codes:
            return None
        found = tensor.codes()
        return Codes(q=found.q, d=found.d.astype(dtype), m=found.m.astype(dtype))

    def norm(part):
        return part and NormParameters(gain=values(part.weight), offset=values(part.bias))

    architecture, weights = file.architecture, file.weights
    rope = architecture.rope
    return Model(
        heads=architecture.heads, kv_heads=architecture.kv_heads, norm=architecture.norm,
        head_size=architecture.head_size, eps=architecture.eps, activation=architecture.activation,
        rotation=rope and Rotation(pairs=rope.pairs, frequencies=rope.frequencies()),
        embedding=values(weights.embedding), positions=values(weights.positions),
        layers=tuple(LayerParameters(
            **{name: norm(getattr(layer, name)) for name in (
                "attention_norm", "feed_forward_norm", "q_norm", "k_norm")},
            **{name: linear(getattr(layer, name)) for name in (
                "q", "k", "v", "output", "gate", "up", "down")}) for layer in weights.layers),
        final_norm=norm(weights.final_norm), head=linear(weights.head))
