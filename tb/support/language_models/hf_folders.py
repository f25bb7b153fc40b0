"""Random models as folders in the layout of Hugging Face."""

import json
import pathlib

import gguf
import numpy as np
import safetensors

__all__ = ["config", "save_tensors", "tokenizer_json", "write_folder"]

_LLAMA = {"embedding": "model.embed_tokens", "final_norm": "model.norm", "head": "lm_head",
          "attention_norm": "input_layernorm", "q": "self_attn.q_proj", "k": "self_attn.k_proj",
          "v": "self_attn.v_proj", "output": "self_attn.o_proj", "q_norm": "self_attn.q_norm",
          "k_norm": "self_attn.k_norm", "feed_forward_norm": "post_attention_layernorm",
          "gate": "mlp.gate_proj", "up": "mlp.up_proj", "down": "mlp.down_proj"}
_GPT2 = {"embedding": "wte", "positions": "wpe", "final_norm": "ln_f", "head": "lm_head",
         "attention_norm": "ln_1", "q": "q", "k": "k", "v": "v", "output": "attn.c_proj",
         "feed_forward_norm": "ln_2", "up": "mlp.c_fc", "down": "mlp.c_proj"}
_CLASSES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM",
            "gpt2": "GPT2LMHeadModel"}
_QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def config(shape, vocabulary):
    """Return the content of ``config.json``, with the names of transformers."""
    common = {"model_type": shape.family, "architectures": [_CLASSES[shape.family]],
              "vocab_size": vocabulary, "tie_word_embeddings": shape.tied, "bos_token_id": 1,
              "eos_token_id": 2}
    if shape.family == "gpt2":
        return common | {
            "n_embd": shape.dim, "n_layer": shape.layers, "n_head": shape.heads,
            "n_inner": None if shape.feed_forward == 4 * shape.dim else shape.feed_forward,
            "n_positions": shape.context, "layer_norm_epsilon": 1e-5,
            "activation_function": "gelu_new"}
    return common | {
        "hidden_size": shape.dim, "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads, "num_key_value_heads": shape.kv_heads,
        "intermediate_size": shape.feed_forward, "max_position_embeddings": shape.context,
        "rms_norm_eps": 1e-5, "rope_theta": shape.rope_base, "hidden_act": "silu",
        "rope_scaling": shape.scaling_config(), "attention_bias": shape.attention_bias,
        "mlp_bias": shape.feed_forward_bias, "use_sliding_window": False, "sliding_window": 4096,
        **({"head_dim": shape.head_size} if shape.family == "qwen3"
           or shape.head_size * shape.heads != shape.dim else {})}


def tokenizer_json(words, family):
    """Return the content of ``tokenizer.json``."""
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
             "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
             "ignore_merges": False, "vocab": {text: i for i, text in enumerate(words.tokens)},
             "merges": [list(pair) for pair in words.merges]}
    added = [{"id": i, "content": words.tokens[i], "single_word": False, "lstrip": False,
              "rstrip": False, "normalized": False, "special": True} for i in range(3)]
    file = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
            "normalizer": None, "post_processor": None, "model": model}
    if words.kind == "byte_level":
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                      "use_regex": True}
        if family.startswith("qwen"):
            split = {"type": "Split", "pattern": {"Regex": _QWEN2}, "behavior": "Isolated",
                     "invert": False}
            byte_level = {"type": "Sequence", "pretokenizers": [
                split, byte_level | {"use_regex": False}]}
            file["normalizer"] = {"type": "NFC"}
        return file | {"pre_tokenizer": byte_level, "decoder": {
            "type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
            "use_regex": True}}
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    model |= {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True}
    template = {"type": "TemplateProcessing", "single": [
        {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
    return file | {
        "pre_tokenizer": None, "post_processor": template,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "\u2581"}, space]},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}}


def save_tensors(path, tensors, kind="F32"):
    """Write arrays into a ``.safetensors`` file by means of the package of that name.

    Parameters
    ----------
    path : path of the file.
    tensors : dict of float32 arrays.
    kind : ``"F32"``, ``"F16"`` or ``"BF16"``, the type of the elements in the file.
    """
    names = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
    stored, alive = {}, []
    for name, values in tensors.items():
        data = np.ascontiguousarray(values)
        if kind == "F16":
            data = data.astype(np.float16)
        elif kind == "BF16":
            data = gguf.quantize(data.reshape(1, -1), gguf.GGMLQuantizationType.BF16)
        alive.append(data)
        stored[name] = safetensors.TensorSpec(dtype=names[kind], shape=values.shape,
                                              data_ptr=data.ctypes.data, data_len=data.nbytes)
    pathlib.Path(path).write_bytes(safetensors.serialize(stored))


def write_folder(folder, shape, tensors, words, *, kind="F32", files=1):
    """Write canonical tensors as a folder.

    Parameters
    ----------
    folder : path that is created.
    shape : :class:`support.language_models.Shape`
    tensors : dict of arrays
        From :func:`support.language_models.random_tensors`.
    words : :class:`.vocabularies.TinyVocabulary`
    kind : ``"F32"``, ``"F16"`` or ``"BF16"``.
    files : number of ``.safetensors`` files; several ones get an index.
    """
    folder = pathlib.Path(folder)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config(shape, len(words.tokens))))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_json(words, shape.family)))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "bos_token": words.tokens[words.bos], "eos_token": {"content": words.tokens[words.eos]},
        "chat_template": "{{ messages[0]['content'] }}"}))
    stored = _file_tensors(shape, tensors)
    if files == 1:
        save_tensors(folder / "model.safetensors", stored, kind)
        return
    weight_map = {}
    for number in range(files):
        name = f"model-{number + 1:05}-of-{files:05}.safetensors"
        part = dict(list(stored.items())[number::files])
        save_tensors(folder / name, part, kind)
        weight_map |= dict.fromkeys(part, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({
        "metadata": {"total_size": 1}, "weight_map": weight_map}))


def _file_tensors(shape, tensors):
    """Return the tensors by the names and in the layouts of Hugging Face."""
    gpt2 = shape.family == "gpt2"
    found = {}
    for name, values in tensors.items():
        stem = name.removesuffix(".bias")
        layer, _, role = stem.rpartition(".")
        prefix = (f"h.{layer}." if gpt2 else f"model.layers.{layer}.") if layer else ""
        matrix = values.ndim == 2 and layer
        found[f"{prefix}{(_GPT2 if gpt2 else _LLAMA)[role]}."
              f"{'bias' if name.endswith('.bias') else 'weight'}"] = (
            values.T if gpt2 and matrix else values)
    if gpt2:        # queries, keys and values in one tensor, and a mask that is no weight
        for layer in range(shape.layers):
            for suffix in ("weight", "bias"):
                found[f"h.{layer}.attn.c_attn.{suffix}"] = np.concatenate(
                    [found.pop(f"h.{layer}.{part}.{suffix}") for part in "qkv"], axis=-1)
            found[f"h.{layer}.attn.bias"] = np.tri(4, dtype=np.float32)[None, None]
    return found
