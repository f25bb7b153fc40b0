"""Damaged files: one sentence each, in bounded time and memory. WEFT_DAMAGED sets their number."""

import collections
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys

import numpy as np
import pytest

from support.language_models import (
    BYTE_LEVEL,
    SENTENCEPIECE,
    SHAPES,
    random_tensors,
    vocabulary,
    write_folder,
    write_gguf,
)
from support.language_models.damage import damage_binary, damage_json
from support.seeds import seed
from weft_host.compiler.frontend.llm.gguf_header import read_header

TB = pathlib.Path(__file__).resolve().parents[4]
COUNT = int(os.environ.get("WEFT_DAMAGED", "200"))
SECONDS, KILOBYTES = 2, 1 << 20
BASES = (("llama", SENTENCEPIECE, "Q4_1"), ("qwen3", BYTE_LEVEL, "F16"),
         ("gpt2", BYTE_LEVEL, "F32"), ("llama_llama3", BYTE_LEVEL, "Q4_0"),
         ("qwen2", BYTE_LEVEL, "BF16"))


def intact(name, kind):
    """Return shape, tensors and vocabulary of a random model."""
    rng = np.random.default_rng(seed(31))
    words = vocabulary(kind)
    return SHAPES[name], random_tensors(SHAPES[name], len(words.tokens), rng), words


def damaged_gguf(folder):
    """Write damaged GGUF files, and yield (kind of damage, path)."""
    rng = random.Random(seed(32))
    bases = []
    for name, kind, elements in BASES:
        path = folder / f"{name}.gguf"
        write_gguf(path, *intact(name, kind), kind=elements, rng=np.random.default_rng(seed(33)))
        data = path.read_bytes()
        bases.append((data, read_header(np.frombuffer(data, np.uint8), "intact").data_offset))
    for index in range(COUNT):
        kind, data = damage_binary(*rng.choice(bases), rng)
        path = folder / f"{index}.gguf"
        path.write_bytes(data)
        yield kind, path


def damaged_folder(folder):
    """Write folders with one damaged file each, and yield (kind of damage, path)."""
    rng = random.Random(seed(34))
    for name, kind, elements in BASES:
        shape, tensors, words = intact(name, kind)
        write_folder(folder / name, shape, tensors, words, files=2 if "qwen" in name else 1,
                     kind=elements if elements in ("F16", "BF16") else "F32")
    for index in range(COUNT):
        path = folder / str(index)
        shutil.copytree(folder / rng.choice(BASES)[0], path)
        victim = rng.choice(sorted(path.iterdir()) + sorted(path.glob("*.safetensors")) * 4)
        if victim.suffix == ".safetensors":
            data = victim.read_bytes()
            kind, damaged = damage_binary(data, 8 + int.from_bytes(data[:8], "little"), rng)
        else:
            kind, damaged = damage_json(victim.read_text(), rng)
        victim.write_bytes(damaged)
        yield f"{victim.suffix} {kind}", path


@pytest.mark.parametrize("write", [damaged_gguf, damaged_folder])
def test_a_damaged_file_gives_one_sentence_in_bounded_time_and_memory(tmp_path, write):
    files = list(write(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "support.language_models.read_all", *(str(p) for _, p in files)],
        cwd=TB, capture_output=True, text=True, timeout=60 + 2 * COUNT)
    assert done.returncode == 0, done.stderr[-2000:]
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) == COUNT
    outcomes = collections.Counter(result["outcome"] for result in results)
    for (kind, path), result in zip(files, results):
        message = result["message"]
        assert result["outcome"] in ("read", "damaged", "unsupported"), (kind, result)
        assert result["seconds"] < SECONDS, (kind, result)
        if result["outcome"] == "damaged":
            assert message.startswith(str(path)) and "\n" not in message, (kind, message)
            assert len(message) < 600, (kind, message)
    assert results[-1]["kilobytes"] < KILOBYTES
    # the rest are changes of weights, texts and scores that are as valid as the ones before
    assert outcomes["damaged"] > 0.5 * COUNT, outcomes
