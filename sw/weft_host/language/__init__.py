"""Language models on a device, and their text tokens.

:class:`LanguageModel` compiles a model and evaluates it on a device. :class:`Tokenizer` divides
texts into the ids of a model's vocabulary, and is built from the data in the model's own file. The
package needs the extra ``llm``.
"""

from ..optional_package import MissingPackageError, is_installed

if not is_installed("tokenizers"):
    raise MissingPackageError("tokenizers", "text tokens", "llm")

from .model import DeviceFactory, Generated, LanguageModel
from .sampling import Sampler
from .source import DEFAULT_CONTEXT, LanguageSource, language_config, open_language_model
from .text_stream import TextStream
from .tokenizer import Tokenizer

__all__ = ["DEFAULT_CONTEXT", "DeviceFactory", "Generated", "LanguageModel", "LanguageSource",
           "Sampler", "TextStream", "Tokenizer", "language_config", "open_language_model"]
