"""Random models as GGUF files."""

import gguf
import numpy as np

__all__ = ["QUANTISED", "random_blocks", "write_gguf"]

_NAMES = {"embedding": "token_embd", "positions": "position_embd", "final_norm": "output_norm",
          "head": "output", "attention_norm": "attn_norm", "q": "attn_q", "k": "attn_k",
          "v": "attn_v", "q_norm": "attn_q_norm", "k_norm": "attn_k_norm", "output": "attn_output",
          "feed_forward_norm": "ffn_norm", "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down"}

QUANTISED = {"Q8_0": (0,), "Q4_0": (0,), "Q4_1": (0, 2), "Q5_0": (0,), "Q5_1": (0, 2),
             "Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}
"""Types with blocks, and the offsets of the float16 scales in a block."""


def random_blocks(kind, rows, columns, rng):
    """Return random blocks with small scales of both signs: uint8, (rows, bytes of a row)."""
    block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    blocks = rng.integers(0, 256, (rows, columns // block, size), np.uint8)
    for offset in QUANTISED[kind]:
        scales = rng.normal(0, 0.5 / np.sqrt(columns) / 8, blocks.shape[:2]).astype("<f2")
        blocks[..., offset:offset + 2] = scales[..., None].view(np.uint8)
    return blocks.reshape(rows, -1)


def neighbouring(rows, heads):
    """Permute the rows of Wq or Wk from halves to neighbours, as llama.cpp's converter does."""
    shape = rows.shape
    return rows.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def write_gguf(path, shape, tensors, words, *, kind="F32", rng=None, extra=()):
    """Write canonical tensors as a GGUF file.

    Parameters
    ----------
    path : path of the file.
    shape : :class:`support.language_models.Shape`
    tensors : dict of arrays
        From :func:`support.language_models.random_tensors`.
    words : :class:`.vocabularies.TinyVocabulary`
    kind : type of all matrices whose rows have whole blocks. A quantised type replaces them by
        random blocks, for which ``rng`` is needed.
    extra : calls of the writer's methods, (name, arguments ...). Their keys replace others.
    """
    writer = gguf.GGUFWriter(path, shape.family)
    _write_sizes(writer, shape, words)
    _write_vocabulary(writer, words, shape)
    for name, *arguments in extra:
        # a writer of its own, since a writer accepts a key only once
        keys = writer if name == "add_tensor" else gguf.GGUFWriter(None, shape.family)
        getattr(keys, name)(*arguments)
        writer.kv_data[0] |= keys.kv_data[0]
    for name, values in _file_tensors(shape, tensors).items():
        number = gguf.GGMLQuantizationType[kind]
        whole = values.ndim == 2 and values.shape[1] % gguf.GGML_QUANT_SIZES[number][0] == 0
        if kind == "F32" or not whole:
            writer.add_tensor(name, np.ascontiguousarray(values))
        elif kind in ("F16", "BF16"):
            writer.add_tensor(name, gguf.quantize(values, number), raw_dtype=number)
        else:
            writer.add_tensor(name, random_blocks(kind, *values.shape, rng), raw_dtype=number)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_sizes(writer, shape, words):
    writer.add_name("random")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.dim)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_vocab_size(len(words.tokens))
    if shape.family == "gpt2":
        writer.add_layer_norm_eps(1e-5)
        return
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(shape.rope_base)
    if shape.head_size * shape.heads != shape.dim:
        writer.add_key_length(shape.head_size)
        writer.add_value_length(shape.head_size)
    if shape.scaling == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(4.0)


def _write_vocabulary(writer, words, shape):
    writer.add_tokenizer_model("gpt2" if words.kind == "byte_level" else "llama")
    writer.add_token_list(list(words.tokens))
    writer.add_token_types(list(words.types))
    if words.kind == "byte_level":
        writer.add_tokenizer_pre("qwen2" if shape.family.startswith("qwen") else "gpt-2")
        writer.add_token_merges([" ".join(pair) for pair in words.merges])
    else:
        writer.add_token_scores(list(words.scores))
    writer.add_bos_token_id(words.bos)
    writer.add_eos_token_id(words.eos)


def _file_tensors(shape, tensors):
    """Return the tensors by the names and in the order of pairs of GGUF files."""
    found = {}
    for name, values in tensors.items():
        stem, _, suffix = name.partition(".bias") if name.endswith(".bias") else (name, "", "")
        layer, _, role = stem.rpartition(".")
        if shape.family == "llama" and role in ("q", "k"):
            values = neighbouring(values, shape.heads if role == "q" else shape.kv_heads)
        prefix = f"blk.{layer}." if layer else ""
        found[f"{prefix}{_NAMES[role]}.{'bias' if name.endswith('.bias') else 'weight'}"] = values
    if shape.family == "gpt2":
        for layer in range(shape.layers):
            for suffix in ("weight", "bias"):
                found[f"blk.{layer}.attn_qkv.{suffix}"] = np.concatenate(
                    [found.pop(f"blk.{layer}.attn_{part}.{suffix}") for part in "qkv"])
    if shape.scaling == "llama3":
        found["rope_freqs.weight"] = shape.divisors().astype(np.float32)
    return found
