"""Read language models in a process of its own, and report outcome, time and memory of each.

usage: python -m support.language_models.read_all PATH...    prints one JSON object a line
"""

import json
import resource
import sys
import time

from weft_host.compiler.frontend.llm import UnsupportedModelError, read_language_model
from weft_host.compiler.verdict import ModelError
from weft_host.errors import InputError
from weft_host.language import Tokenizer

__all__ = ["main", "use"]


def use(path):
    """Read a model, all its weights and codes, and divide a text."""
    model = read_language_model(path)
    for tensor in model.tensors():
        tensor.values()
        if tensor.has_codes:
            tensor.codes()
    if model.architecture.rope is not None:
        model.architecture.rope.frequencies()
    if model.vocabulary is not None:
        tokenizer = Tokenizer.from_model(model)
        try:
            tokenizer.decode(tokenizer.encode("Once upon <s> a time \u6f22"), special=True)
        except InputError:          # a damaged vocabulary lacks a character
            pass


def main(paths):
    """Print outcome, message, CPU seconds, and the process's peak of memory for each path."""
    for path in paths:
        start = time.process_time()
        outcome, message = "read", ""
        try:
            use(path)
        except UnsupportedModelError as error:
            outcome, message = "unsupported", str(error)
        except ModelError as error:
            outcome, message = "damaged", str(error)
        except BaseException as error:          # a panic of native code is no Exception
            outcome, message = type(error).__name__, repr(error)
        print(json.dumps({
            "path": path, "outcome": outcome, "message": message,
            "seconds": time.process_time() - start,
            "kilobytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
