"""Reader of GGUF files."""

import os
import re

from ...verdict import ModelError
from .architecture import FAMILIES, Architecture, Rope
from .assemble import Assembler, Names, check_types
from .gguf_header import read_header
from .gguf_metadata import Metadata
from .gguf_vocabulary import read_vocabulary, unsupported_properties
from .mapped_file import map_file
from .model_file import LanguageModelFile
from .unsupported import Unsupported
from .weight_tensor import TYPES, WeightTensor, row_bytes

__all__ = ["read_gguf"]

LARGEST_SIZE, MOST_LAYERS = 1 << 24, 4096
SMALLEST_FILE = 24      # bytes: magic, version, two counts
_FACTORS = "rope_freqs.weight"      # divisors of the frequencies, as Llama 3's converter writes
_IGNORED = re.compile(re.escape(_FACTORS))

_MODEL_NAMES = {"embedding": "token_embd", "positions": "position_embd",
                "final_norm": "output_norm", "head": "output"}
_LAYER_NAMES = {role: f"blk.{{}}.{name}" for role, name in (
    ("attention_norm", "attn_norm"), ("q", "attn_q"), ("k", "attn_k"), ("v", "attn_v"),
    ("q_norm", "attn_q_norm"), ("k_norm", "attn_k_norm"), ("output", "attn_output"),
    ("feed_forward_norm", "ffn_norm"), ("gate", "ffn_gate"), ("up", "ffn_up"),
    ("down", "ffn_down"))}
_FUSED = {**{role: name for role, name in _LAYER_NAMES.items() if role not in ("q", "k", "v")},
          "qkv": "blk.{}.attn_qkv"}


def read_gguf(path: str | os.PathLike[str]) -> LanguageModelFile:
    """Read a language model from a GGUF file. The weights stay in the file, which is mapped.

    Raises
    ------
    ModelError
        If the file is damaged or contradicts itself.
    UnsupportedModelError
        If Weft does not support the model, with all reasons.
    """
    source = os.fspath(path)
    data = map_file(source, SMALLEST_FILE)
    header = read_header(data, source)
    metadata = Metadata(header.metadata, source)
    unsupported = Unsupported(source, lambda: unsupported_properties(metadata))
    tensors = {}
    for info in header.tensors:
        if info.kind in TYPES:
            width = row_bytes(info.kind, info.shape[-1])
            rows = data[info.offset:info.offset + info.size].reshape(-1, width)
        elif info.name == _FACTORS:
            raise ModelError(f"{source} is damaged: {_FACTORS!r} has the type {info.kind}; obtain "
                             "the file again")
        else:
            rows = data[:0].reshape(0, 1)
        tensors[info.name] = WeightTensor(name=info.name, kind=info.kind, shape=info.shape,
                                          data=rows, source=source)
    if not tensors:
        raise ModelError(f"{source} is damaged: it has no tensors; obtain the file again")
    architecture = _architecture(metadata, tensors, unsupported)
    names = Names(model=_MODEL_NAMES, ignored=_IGNORED,
                  layer=_FUSED if architecture.family == "gpt2" else _LAYER_NAMES)
    architecture, weights = Assembler(source, architecture, tensors, names, unsupported).assemble()
    return LanguageModelFile(
        source=source, name=metadata.string("general.name", ""), architecture=architecture,
        weights=weights, vocabulary=read_vocabulary(metadata, architecture.vocabulary))


def _architecture(metadata: Metadata, tensors: dict[str, WeightTensor],
                  unsupported: Unsupported) -> Architecture:
    source = metadata.source
    family = metadata.string("general.architecture")
    if family not in FAMILIES:
        unsupported.add("general.architecture", f"{family!r}; supported are {', '.join(FAMILIES)}")
    _check_properties(metadata, family, unsupported)
    check_types(tensors, TYPES, _IGNORED, unsupported)
    if family not in FAMILIES:          # the names of all other keys depend on it
        unsupported.raise_if_any()
    if "token_embd.weight" not in tensors:
        raise ModelError(f"{source} is damaged: tensor 'token_embd.weight' is missing; obtain the "
                         "file again")

    def size(key: str, default: int | None = None, most: int = LARGEST_SIZE) -> int:
        return metadata.integer(f"{family}.{key}", 1, most, default)

    dim, heads = size("embedding_length"), size("attention.head_count")
    kv_heads = size("attention.head_count_kv", heads)
    head_size = size("attention.key_length", max(1, dim // heads))
    if f"{family}.attention.key_length" not in metadata and dim % heads:
        raise ModelError(f"{source} is damaged: {heads} heads do not divide a dim of {dim}; obtain "
                         "the file again")
    if heads % kv_heads:
        raise ModelError(f"{source} is damaged: {kv_heads} heads of keys do not divide {heads} "
                         "heads of queries; obtain the file again")
    if size("attention.value_length", head_size) != head_size:
        unsupported.add(f"{family}.attention.value_length", "differs from the size of a key, "
                        f"{head_size}")
    gpt2 = family == "gpt2"
    eps = "attention.layer_norm_epsilon" if gpt2 else "attention.layer_norm_rms_epsilon"
    return Architecture(
        family=family, dim=dim, heads=heads, kv_heads=kv_heads, head_size=head_size,
        layers=size("block_count", most=MOST_LAYERS), feed_forward=size("feed_forward_length"),
        vocabulary=size("vocab_size", tensors["token_embd.weight"].shape[0]),
        context=size("context_length"), norm="layer" if gpt2 else "rms",
        eps=metadata.real(f"{family}.{eps}", 0, 1), activation="gelu_tanh" if gpt2 else "silu",
        gated=not gpt2, rope=None if gpt2 else _rope(metadata, family, head_size, tensors),
        learned_positions=gpt2, normalised_qk=family == "qwen3",
        tied_head="output.weight" not in tensors)


def _rope(metadata: Metadata, family: str, head_size: int,
          tensors: dict[str, WeightTensor]) -> Rope:
    key = f"{family}.rope"
    dimensions = metadata.integer(f"{key}.dimension_count", 2, head_size, head_size)
    if dimensions % 2:
        raise ModelError(f"{metadata.source} is damaged: {dimensions} elements of a head are "
                         "rotated, which is not an even number; obtain the file again")
    scale = 1.0
    if metadata.string(f"{key}.scaling.type", "linear") == "linear":
        for name in (f"{key}.scaling.factor", f"{key}.scale_linear"):
            if name in metadata:
                if metadata.real(name, 0, 1e6):         # 0 stands for no scaling
                    scale = metadata.real(name, 1e-3, 1e6)
                break
    factors: tuple[float, ...] = ()
    if _FACTORS in tensors:
        if tensors[_FACTORS].shape != (dimensions // 2,):
            raise ModelError(f"{metadata.source} is damaged: {_FACTORS!r} has the shape "
                             f"{tensors[_FACTORS].shape} instead of ({dimensions // 2},); obtain "
                             "the file again")
        factors = tuple(tensors[_FACTORS].values().tolist())
        if not all(factor > 1e-6 for factor in factors):
            raise ModelError(f"{metadata.source} is damaged: {_FACTORS!r} has a divisor below "
                             "1e-6; obtain the file again")
    # the converter permutes the rows of Wq and Wk of family llama alone
    return Rope(pairs="neighbours" if family == "llama" else "halves", dimensions=dimensions,
                base=metadata.real(f"{key}.freq_base", 1, 1e12, 10000.0), scale=scale,
                factors=factors)


def _check_properties(metadata: Metadata, family: str, unsupported: Unsupported) -> None:
    """Note every property in the metadata that changes the laws of a model."""
    scaling = metadata.string(f"{family}.rope.scaling.type", "none")
    if scaling not in ("none", "linear"):
        unsupported.add(f"{family}.rope.scaling.type", f"{scaling!r}; supported are 'none', "
                        f"'linear', and divisors of the frequencies in {_FACTORS!r}")
    if metadata.integer("split.count", 0, 1 << 16, 0) > 1:
        unsupported.add("split.count", "the model is split over several files; join them with "
                        "llama-gguf-split --merge")
    for key, reason in (("expert_count", "a mixture of experts"),
                        ("attention.sliding_window", "attention over a window of positions"),
                        ("attention.clamp_kqv", "limits of queries, keys and values"),
                        ("attention.max_alibi_bias", "ALiBi positions"),
                        ("attn_logit_softcapping", "a limit of the scores"),
                        ("final_logit_softcapping", "a limit of the logits"),
                        ("attention.scale", "another scale of the scores than the head's size"),
                        ("logit_scale", "a scale of the logits"),
                        ("embedding_scale", "a scale of the embedding"),
                        ("residual_scale", "a scale of the residual")):
        name = f"{family}.{key}"
        if name in metadata and metadata.real(name, -1e30, 1e30) != 0:
            unsupported.add(name, f"{reason} is not supported")
    for key, expected in (("attention.causal", True), ("use_parallel_residual", False)):
        if metadata.boolean(f"{family}.{key}", expected) is not expected:
            unsupported.add(f"{family}.{key}", f"must be {str(expected).lower()}")
