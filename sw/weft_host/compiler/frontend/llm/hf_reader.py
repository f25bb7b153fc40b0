"""Reader of folders in the layout of Hugging Face."""

import os
import pathlib
import re

from ...verdict import ModelError
from . import safetensors_header
from .assemble import Assembler, Names, check_types
from .bounded_json import Object, parse_json
from .hf_config import LARGEST_SIZE, read_architecture
from .hf_vocabulary import read_vocabulary
from .mapped_file import map_file, read_text
from .model_file import LanguageModelFile
from .unsupported import Unsupported
from .weight_tensor import VECTOR_TYPES, WeightTensor

__all__ = ["read_folder"]

LARGEST_CONFIG, LARGEST_INDEX = 1 << 20, 32 << 20       # bytes
MOST_FILES = 1024
_ONE_FILE, _INDEX = "model.safetensors", "model.safetensors.index.json"

_LLAMA = Names(
    model={"embedding": "embed_tokens", "final_norm": "norm", "head": "lm_head"},
    layer={role: f"layers.{{}}.{name}" for role, name in (
        ("attention_norm", "input_layernorm"), ("q", "self_attn.q_proj"),
        ("k", "self_attn.k_proj"), ("v", "self_attn.v_proj"), ("output", "self_attn.o_proj"),
        ("q_norm", "self_attn.q_norm"), ("k_norm", "self_attn.k_norm"),
        ("feed_forward_norm", "post_attention_layernorm"), ("gate", "mlp.gate_proj"),
        ("up", "mlp.up_proj"), ("down", "mlp.down_proj"))},
    ignored=re.compile(r"layers\.\d+\.self_attn\.rotary_emb\.inv_freq"))
_GPT2 = Names(
    model={"embedding": "wte", "positions": "wpe", "final_norm": "ln_f", "head": "lm_head"},
    layer={role: f"h.{{}}.{name}" for role, name in (
        ("attention_norm", "ln_1"), ("qkv", "attn.c_attn"), ("output", "attn.c_proj"),
        ("feed_forward_norm", "ln_2"), ("up", "mlp.c_fc"), ("down", "mlp.c_proj"))},
    transposed=True, ignored=re.compile(r"h\.\d+\.attn\.(masked_)?bias"))


def read_folder(path: str | os.PathLike[str]) -> LanguageModelFile:
    """Read a language model from a folder. The weights stay in the files, which are mapped.

    Raises
    ------
    ModelError
        If a file is missing, is damaged or contradicts another one.
    UnsupportedModelError
        If Weft does not support the model, with all reasons.
    """
    folder = pathlib.Path(path)
    source = str(folder)
    config_path = folder / "config.json"
    config = parse_json(read_text(config_path, LARGEST_CONFIG), str(config_path))
    unsupported = Unsupported(source, lambda: _tokenizer_properties(folder, config))
    architecture = read_architecture(config, unsupported)
    names = _GPT2 if architecture.family == "gpt2" else _LLAMA
    prefix = "transformer." if architecture.family == "gpt2" else "model."
    tensors: dict[str, WeightTensor] = {}
    for file in _files(folder):
        for name, tensor in _tensors(folder / file).items():
            short = name.removeprefix(prefix)
            if short in tensors:
                raise ModelError(f"{source} is damaged: tensor {name[:80]!r} occurs twice; obtain "
                                 "the files again")
            tensors[short] = tensor
    if architecture.tied_head:
        tensors.pop("lm_head.weight", None)         # a copy of the embedding
    if not tensors:
        raise ModelError(f"{source} is damaged: its files have no tensors; obtain them again")
    check_types(tensors, VECTOR_TYPES, names.ignored, unsupported)
    architecture, weights = Assembler(source, architecture, tensors, names, unsupported).assemble()
    return LanguageModelFile(
        source=source, name=config.string("_name_or_path", ""), architecture=architecture,
        weights=weights, vocabulary=read_vocabulary(folder, config, architecture.vocabulary))


def _tokenizer_properties(folder: pathlib.Path, config: Object) -> tuple[tuple[str, str], ...]:
    """Return the properties of the tokenizer that are not supported, with the reasons."""
    vocabulary = read_vocabulary(folder, config, LARGEST_SIZE)
    return () if vocabulary is None else vocabulary.unsupported


def _files(folder: pathlib.Path) -> list[str]:
    """Return the names of the files with weights."""
    if (folder / _ONE_FILE).exists():
        return [_ONE_FILE]
    index = folder / _INDEX
    if not index.exists():
        raise ModelError(f"{folder} has neither {_ONE_FILE} nor {_INDEX}; other formats of weights "
                         "are not read")
    entries: Object = parse_json(read_text(index, LARGEST_INDEX), str(index)).member("weight_map")
    files = {entries.string(name) for name in entries.values}
    for file in sorted(files):
        # a name may not lead out of the folder
        if not re.fullmatch(r"[\w.-]{1,200}\.safetensors", file):
            raise ModelError(f"{index} is damaged: it names the file {file[:80]!r} instead of a "
                             "file NAME.safetensors in the same folder; obtain it again")
    if len(files) > MOST_FILES:
        raise ModelError(f"{index} is damaged: it names {len(files)} files; at most {MOST_FILES} "
                         "are accepted")
    return sorted(files)


def _tensors(path: pathlib.Path) -> dict[str, WeightTensor]:
    source = str(path)
    data = map_file(path, 8)
    found = {}
    for name, stored in safetensors_header.read_header(data, source).items():
        width = stored.size // stored.shape[0] if len(stored.shape) == 2 and stored.shape[0] else (
            stored.size)
        rows = data[stored.offset:stored.offset + stored.size]
        found[name] = WeightTensor(name=name, kind=stored.kind, shape=stored.shape, source=source,
                                   data=rows.reshape(-1, width) if stored.size else
                                   data[:0].reshape(0, 1))
    return found
