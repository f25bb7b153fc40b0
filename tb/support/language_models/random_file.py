"""One random model as a file, for tests that need any model."""

import numpy as np

from support.language_models.canonical import random_tensors
from support.language_models.gguf_files import write_gguf
from support.language_models.hf_folders import write_folder
from support.language_models.shapes import SHAPES
from support.language_models.vocabularies import BYTE_LEVEL, SENTENCEPIECE, vocabulary
from support.seeds import seed

__all__ = ["random_file"]


def random_file(folder, shape="llama", *, kind="F32", name="m", extra=()):
    """Write a random model into a folder, and return its path.

    Parameters
    ----------
    folder : path of a folder that exists.
    shape : :class:`.shapes.Shape`, or the name of one.
    kind : type of the matrices, or ``"folder"`` for the layout of Hugging Face.
    name : name of the file without suffix.
    extra : see :func:`.gguf_files.write_gguf`.
    """
    shape = SHAPES[shape] if isinstance(shape, str) else shape
    rng = np.random.default_rng(seed(90))
    words = vocabulary(SENTENCEPIECE if shape.family == "llama" else BYTE_LEVEL)
    tensors = random_tensors(shape, len(words.tokens), rng)
    if kind == "folder":
        write_folder(folder / name, shape, tensors, words)
        return folder / name
    write_gguf(folder / f"{name}.gguf", shape, tensors, words, kind=kind, rng=rng, extra=extra)
    return folder / f"{name}.gguf"
