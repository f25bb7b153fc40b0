"""Random weights by role, and the golden model of them without any file in between.

Names are ``embedding``, ``positions``, ``final_norm``, ``head``, and ``LAYER.ROLE``; arrays of
shape ``(outputs, inputs)``; biases and offsets have the suffix ``.bias``. Queries and keys are in
the order of halves.
"""

import numpy as np

from golden.language_model.parameters import (
    LayerParameters,
    Linear,
    Model,
    NormParameters,
    Rotation,
)

__all__ = ["golden_model", "random_tensors"]


def projections(shape):
    """Return (outputs, inputs) of each projection of a layer."""
    queries, keys = shape.heads * shape.head_size, shape.kv_heads * shape.head_size
    found = {"q": (queries, shape.dim), "k": (keys, shape.dim), "v": (keys, shape.dim),
             "output": (shape.dim, queries), "up": (shape.feed_forward, shape.dim),
             "down": (shape.dim, shape.feed_forward)}
    return found | ({"gate": (shape.feed_forward, shape.dim)} if shape.gated else {})


def random_tensors(shape, vocabulary, rng):
    """Return the float32 tensors of a random model by canonical name.

    Parameters
    ----------
    shape : :class:`support.language_models.Shape`
    vocabulary : :class:`int`
        Rows of the embedding.
    rng : :class:`numpy.random.Generator`
    """
    def matrix(outputs, inputs):
        return rng.normal(0, 1.2 / np.sqrt(inputs), (outputs, inputs)).astype(np.float32)

    def norm(name, size):
        found = {name: rng.uniform(0.5, 1.5, size).astype(np.float32)}
        if shape.norm == "layer":
            found[f"{name}.bias"] = rng.normal(0, 0.1, size).astype(np.float32)
        return found

    tensors = {"embedding": rng.normal(0, 1, (vocabulary, shape.dim)).astype(np.float32)}
    if shape.family == "gpt2":
        tensors["positions"] = rng.normal(0, 0.3, (shape.context, shape.dim)).astype(np.float32)
    for layer in range(shape.layers):
        for name in ("attention_norm", "feed_forward_norm"):
            tensors |= norm(f"{layer}.{name}", shape.dim)
        if shape.family == "qwen3":
            for name in ("q_norm", "k_norm"):
                tensors |= norm(f"{layer}.{name}", shape.head_size)
        for name, size in projections(shape).items():
            tensors[f"{layer}.{name}"] = matrix(*size)
            if name in shape.biases:
                tensors[f"{layer}.{name}.bias"] = rng.normal(0, 0.2, size[0]).astype(np.float32)
    tensors |= norm("final_norm", shape.dim)
    if not shape.tied:
        tensors["head"] = matrix(vocabulary, shape.dim)
    return tensors


def golden_model(shape, tensors, dtype=np.float64):
    """Return the golden model of canonical tensors.

    Parameters
    ----------
    shape : :class:`support.language_models.Shape`
    tensors : dict of arrays
        From :func:`random_tensors`.
    dtype : numpy type of all arrays of the result.
    """
    values = {name: tensor.astype(dtype) for name, tensor in tensors.items()}

    def linear(name):
        return Linear(weight=values[name], bias=values.get(f"{name}.bias"))

    def norm(name):
        return NormParameters(gain=values[name], offset=values.get(f"{name}.bias"))

    layers = tuple(LayerParameters(
        **{name: norm(f"{layer}.{name}") for name in (
            "attention_norm", "feed_forward_norm", "q_norm", "k_norm")
           if f"{layer}.{name}" in values},
        **{name: linear(f"{layer}.{name}") for name in projections(shape)})
        for layer in range(shape.layers))
    return Model(
        heads=shape.heads, kv_heads=shape.kv_heads, head_size=shape.head_size, norm=shape.norm,
        eps=1e-5, activation="gelu_tanh" if shape.family == "gpt2" else "silu",
        rotation=None if shape.family == "gpt2" else Rotation(
            pairs="halves", frequencies=shape.frequencies()),
        embedding=values["embedding"], positions=values.get("positions"), layers=layers,
        final_norm=norm("final_norm"),
        head=Linear(weight=values["embedding"]) if shape.tied else linear("head"))
