"""Architecture from the file ``config.json`` of a Hugging Face folder."""

import math
import typing

from ...verdict import ModelError
from .architecture import FAMILIES, Architecture, Rope
from .bounded_json import Object
from .unsupported import Unsupported

__all__ = ["read_architecture"]

LARGEST_SIZE, MOST_LAYERS = 1 << 24, 4096
_QWEN3_HEAD_SIZE = 128      # default of transformers' Qwen3Config


def read_architecture(config: Object, unsupported: Unsupported) -> Architecture:
    """Return the architecture that ``config.json`` describes.

    Parameters
    ----------
    config : :class:`.bounded_json.Object`
    unsupported : :class:`.unsupported.Unsupported`
        List that receives the properties that are not supported.

    Raises
    ------
    ModelError
        If a size is missing, out of range, or contradicts another one.
    UnsupportedModelError
        If the family is not supported.
    """
    family = config.string("model_type")
    _check_common(config, unsupported)
    if family not in FAMILIES:          # the names of the sizes depend on it
        unsupported.add("model_type", f"{family!r}; supported are {', '.join(FAMILIES)}")
        unsupported.raise_if_any()
    return (_gpt2 if family == "gpt2" else _llama)(config, family, unsupported)


def _check_common(config: Object, unsupported: Unsupported) -> None:
    if "quantization_config" in config:
        method = config.member("quantization_config").string("quant_method", "unknown")
        unsupported.add("quantization_config", f"weights quantised by {method[:40]!r}; use float "
                        "weights or a GGUF file")
    for name in ("attn_logit_softcapping", "final_logit_softcapping", "num_local_experts",
                 "num_experts"):
        if name in config:
            unsupported.add(name, "is not supported")
    if config.boolean("is_encoder_decoder", False):
        unsupported.add("is_encoder_decoder", "only decoders are supported")


def _size(config: Object, name: str, default: int | None = None,
          most: int = LARGEST_SIZE) -> int:
    return config.integer(name, 1, most, default)


def _gpt2(config: Object, family: str, unsupported: Unsupported) -> Architecture:
    dim, heads = _size(config, "n_embd"), _size(config, "n_head")
    if dim % heads:
        raise ModelError(f"{config.source}: {heads} heads do not divide a dim of {dim}; obtain the "
                         "file again")
    activation = config.string("activation_function", "gelu_new")
    if activation not in ("gelu_new", "gelu_pytorch_tanh"):
        unsupported.add("activation_function", f"{activation[:40]!r}; supported is 'gelu_new'")
    for name, expected in (("scale_attn_weights", True), ("add_cross_attention", False),
                           ("scale_attn_by_inverse_layer_idx", False)):
        if config.boolean(name, expected) is not expected:
            unsupported.add(name, f"must be {str(expected).lower()}")
    return Architecture(
        family=family, dim=dim, layers=_size(config, "n_layer", most=MOST_LAYERS), heads=heads,
        kv_heads=heads, head_size=dim // heads, feed_forward=_size(config, "n_inner", 4 * dim),
        vocabulary=_size(config, "vocab_size"), context=_size(config, "n_positions"),
        norm="layer", eps=config.real("layer_norm_epsilon", 0, 1, 1e-5), activation="gelu_tanh",
        gated=False, rope=None, learned_positions=True,
        tied_head=config.boolean("tie_word_embeddings", True))


def _llama(config: Object, family: str, unsupported: Unsupported) -> Architecture:
    dim, heads = _size(config, "hidden_size"), _size(config, "num_attention_heads")
    kv_heads = _size(config, "num_key_value_heads", heads)
    head_size = _size(config, "head_dim", _QWEN3_HEAD_SIZE if family == "qwen3" else
                      max(1, dim // heads))
    if "head_dim" not in config and family != "qwen3" and dim % heads:
        raise ModelError(f"{config.source}: {heads} heads do not divide a dim of {dim}; obtain the "
                         "file again")
    if heads % kv_heads:
        raise ModelError(f"{config.source}: {kv_heads} heads of keys do not divide {heads} heads "
                         "of queries; obtain the file again")
    activation = config.string("hidden_act", "silu")
    if activation not in ("silu", "swish"):
        unsupported.add("hidden_act", f"{activation[:40]!r}; supported is 'silu'")
    if config.boolean("use_sliding_window", False):
        unsupported.add("use_sliding_window", "attention over a window of positions is not "
                        "supported")
    kinds = {str(kind)[:40] for kind in config.array("layer_types")} - {"full_attention"}
    if kinds:
        unsupported.add("layer_types", f"{', '.join(sorted(kinds)[:4])}; supported is "
                        "'full_attention'")
    context = _size(config, "max_position_embeddings")
    return Architecture(
        family=family, dim=dim, layers=_size(config, "num_hidden_layers", most=MOST_LAYERS),
        heads=heads, kv_heads=kv_heads, head_size=head_size,
        feed_forward=_size(config, "intermediate_size"), vocabulary=_size(config, "vocab_size"),
        context=context, norm="rms", eps=config.real("rms_norm_eps", 0, 1, 1e-6),
        activation="silu", gated=True, rope=_rope(config, head_size, context, unsupported),
        normalised_qk=family == "qwen3",
        tied_head=config.boolean("tie_word_embeddings", False))


def _rope(config: Object, head_size: int, context: int, unsupported: Unsupported) -> Rope:
    # newer files keep base and scaling in one object
    scaling = config.member("rope_parameters" if "rope_parameters" in config else "rope_scaling")
    base = config.real("rope_theta", 1, 1e12, scaling.real("rope_theta", 1, 1e12, 10000.0))
    share = config.real("partial_rotary_factor", 0, 1,
                        scaling.real("partial_rotary_factor", 0, 1, 1.0))
    dimensions = int(head_size * share)
    if dimensions < 2 or dimensions % 2:
        raise ModelError(f"{config.source}: {dimensions} elements of a head of {head_size} are "
                         "rotated, which is not an even number from 2; obtain the file again")
    kind = scaling.string("rope_type", scaling.string("type", "default"))
    rope = Rope(pairs="halves", base=base, dimensions=dimensions)
    if kind == "linear":
        return Rope(pairs="halves", base=base, dimensions=dimensions,
                    scale=scaling.real("factor", 1e-3, 1e6))
    if kind == "llama3":
        return Rope(pairs="halves", base=base, dimensions=dimensions,
                    factors=_llama3_factors(rope, scaling, context))
    if kind != "default":
        unsupported.add(f"{scaling.where}rope_type", f"{kind[:40]!r}; supported are 'default', "
                        "'linear' and 'llama3'")
    return rope


def _llama3_factors(rope: Rope, scaling: Object, context: int) -> tuple[float, ...]:
    """Return the divisors of Llama 3.1: ``_compute_llama3_parameters`` in transformers.

    Wavelengths below ``original / high`` positions stay, those above ``original / low`` are
    multiplied by the factor, and in between, the factor is interpolated.
    """
    factor = scaling.real("factor", 1e-3, 1e6)
    low, high = (scaling.real(f"{end}_freq_factor", 1e-3, 1e6) for end in ("low", "high"))
    original = scaling.integer("original_max_position_embeddings", 1, LARGEST_SIZE, context)
    if low >= high:
        raise ModelError(f"{scaling.source}: 'low_freq_factor' {low:g} is not below "
                         f"'high_freq_factor' {high:g}; obtain the file again")

    def divisor(frequency: float) -> float:
        wavelength = 2 * math.pi / frequency
        smooth = min(1.0, max(0.0, (original / wavelength - low) / (high - low)))
        return 1 / ((1 - smooth) / factor + smooth)

    return tuple(divisor(typing.cast(float, frequency))
                 for frequency in rope.frequencies().tolist())
