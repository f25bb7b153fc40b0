"""Text tokens: the division of texts into the ids of a model's vocabulary, and back.

:class:`Tokenizer` is built from the data in the model's own file. The package needs the extra
``llm``.
"""

from ..optional_package import MissingPackageError, is_installed

if not is_installed("tokenizers"):
    raise MissingPackageError("tokenizers", "text tokens", "llm")

from .text_stream import TextStream
from .tokenizer import Tokenizer

__all__ = ["TextStream", "Tokenizer"]
