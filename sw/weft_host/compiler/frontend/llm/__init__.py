"""Readers of language models: GGUF files, and folders in the layout of Hugging Face.

:func:`read_language_model` returns the same typed description for both. A file is not trusted:
sizes, offsets and counts are checked before memory is taken, and a damaged file raises one
:class:`weft_host.ModelError`. A model that is intact but not supported raises one
:class:`UnsupportedModelError`, which lists all reasons. The package needs the extra ``llm``.
"""

from ....optional_package import MissingPackageError, is_installed

if not is_installed("gguf"):
    raise MissingPackageError("gguf", "language models", "llm")

from .architecture import Architecture, Rope
from .model_file import LanguageModelFile, Layer, Norm, Projection, Weights
from .reader import read_language_model
from .unsupported import UnsupportedModelError
from .vocabulary import TokenType, Vocabulary
from .weight_tensor import BlockCodes, WeightTensor

__all__ = ["Architecture", "BlockCodes", "LanguageModelFile", "Layer", "Norm", "Projection", "Rope",
           "TokenType", "UnsupportedModelError", "Vocabulary", "WeightTensor", "Weights",
           "read_language_model"]
