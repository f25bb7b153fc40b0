"""Reading of a language model, whatever its format."""

import os

from .gguf_reader import read_gguf
from .hf_reader import read_folder
from .model_file import LanguageModelFile

__all__ = ["read_language_model"]


def read_language_model(path: str | os.PathLike[str]) -> LanguageModelFile:
    """Read a language model from a GGUF file or a folder with ``config.json``.

    Only headers are read; the weights stay in the files, which are mapped, until a tensor's values
    are requested.

    Parameters
    ----------
    path : path
        A GGUF file, or a folder in the layout of Hugging Face: ``config.json``, one or several
        ``.safetensors`` files, ``tokenizer.json``.

    Raises
    ------
    ModelError
        If a file is damaged, is of another format, or contradicts itself.
    UnsupportedModelError
        If Weft does not support the model, with all reasons.
    """
    return read_folder(path) if os.path.isdir(path) else read_gguf(path)
