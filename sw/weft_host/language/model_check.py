"""Check of a language model: its properties, what is not supported, and the memory it needs."""

import dataclasses
import math
import os
from typing import Any

from weft.spec.config import Config

from ..compiler.frontend.llm import (
    LanguageModelFile,
    UnsupportedModelError,
    Vocabulary,
    read_language_model,
)
from ..compiler.language_model.sizes import ModelSizes
from ..compiler.verdict import CapacityError, ModelError, Verdict
from ..program.file import Program
from ..progress import Progress, silent
from .source import LanguageSource
from .tokenizer import Tokenizer

__all__ = ["ModelCheck", "TensorType", "check_language_model"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TensorType:
    """Tensors of a model whose elements have the same type.

    Attributes
    ----------
    kind : :class:`str`
        Name of the type, such as ``"Q4_1"``.
    tensors, elements, bytes : :class:`int`
        Number of them, of their elements, and of their bytes in the file.
    stored : :class:`str`
        Type of the elements on the device.
    """

    kind: str
    tensors: int
    elements: int
    bytes: int
    stored: str


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ModelCheck:
    """Result of the check of a language model.

    Attributes
    ----------
    source : :class:`str`
        Path of the model.
    family, name : :class:`str`
        Empty if the model has unsupported properties.
    sizes : :class:`weft_host.compiler.language_model.sizes.ModelSizes` or :class:`None`
        ``None`` if the model could not be read.
    types : tuple of :class:`TensorType`
    tokenizer : :class:`str`
        Description of the tokenizer, or the reason why there is none that can be used.
    tokenizer_is_usable : :class:`bool`
    unsupported : tuple of :class:`weft_host.compiler.Verdict`
        Everything that is not supported.
    context : :class:`int`
        Positions for which the memory is.
    program : :class:`weft_host.Program` or :class:`None`
        The program, if the model can be compiled.
    available : :class:`int`
        Bytes of host memory that the program can have.
    problem : :class:`str`
        Reason why the model does not fit, or an empty string.
    """

    source: str
    family: str = ""
    name: str = ""
    sizes: ModelSizes | None = None
    types: tuple[TensorType, ...] = ()
    tokenizer: str = ""
    tokenizer_is_usable: bool = False
    unsupported: tuple[Verdict, ...] = ()
    context: int = 0
    program: Program | None = None
    available: int = 0
    problem: str = ""

    @property
    def is_supported(self) -> bool:
        """True if the model can run, from texts, on the configuration."""
        return not self.unsupported and not self.problem

    @property
    def parameters(self) -> int:
        """Number of the model's parameters."""
        return sum(kind.elements for kind in self.types)

    def memory(self) -> dict[str, int] | None:
        """Return the bytes of host memory by purpose, or ``None`` without a program."""
        if self.program is None:
            return None
        constants = sum(len(raw) for _, raw in self.program.image)
        instructions = len(self.program.instructions)
        return {"needed_bytes": self.program.memory_bytes, "available_bytes": self.available,
                "instruction_bytes": instructions, "constant_bytes": constants,
                "cache_bytes": self.program.memory_bytes - constants - instructions}

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "model": self.source, "family": self.family, "name": self.name,
            "sizes": None if self.sizes is None else dataclasses.asdict(self.sizes),
            "parameters": self.parameters,
            "tensor_types": [dataclasses.asdict(kind) for kind in self.types],
            "tokenizer": {"usable": self.tokenizer_is_usable, "text": self.tokenizer},
            "context": self.context,
            "instructions": self.program.instruction_count if self.program else None,
            "memory": self.memory(),
            "properties": [{"property": v.operator, "reason": v.reason} for v in self.unsupported],
            "unsupported": len(self.unsupported), "problem": self.problem or None}


def _types(file: LanguageModelFile, config: Config) -> tuple[TensorType, ...]:
    of_codes = "4-bit codes, expanded during the load" if config.weights_4bit else \
        "int8, expanded from the codes"
    found: dict[tuple[str, str], list[int]] = {}
    for tensor in file.tensors():
        matrix = len(tensor.shape) == 2
        stored = "constants" if not matrix or tensor is file.weights.positions else \
            of_codes if tensor.has_codes else "int8"
        entry = found.setdefault((tensor.kind, stored), [0, 0, 0])
        for index, number in enumerate((1, math.prod(tensor.shape), tensor.data.size)):
            entry[index] += number
    return tuple(TensorType(kind=kind, stored=stored, tensors=count, elements=elements, bytes=size)
                 for (kind, stored), (count, elements, size) in found.items())


def _tokenizer(vocabulary: Vocabulary | None, source: str) -> tuple[str, bool, tuple[Verdict, ...]]:
    """Return a description, whether the tokenizer can be used, and what is not supported."""
    if vocabulary is None:
        return "none in the file: the model can be used with ids only", False, ()
    try:
        Tokenizer(vocabulary, source)
    except UnsupportedModelError as error:
        return "not supported", False, error.verdicts
    law = {"sentencepiece": "SentencePiece"}.get(
        vocabulary.kind, f"byte-level, pre-tokenizer {vocabulary.pre_tokenizer}")
    return f"{law}, {len(vocabulary.tokens):,} text tokens", True, ()


def check_language_model(path: str | os.PathLike[str], config: Config, available: int, limit: str,
                         *, context: int | None = None,
                         progress: Progress = silent) -> ModelCheck:
    """Check a language model for a configuration.

    Parameters
    ----------
    path : path
        GGUF file, or folder in the layout of Hugging Face.
    config : :class:`weft.spec.config.Config`
        Configuration with the fixed-point instructions.
    available : :class:`int`
        Bytes of host memory.
    limit : :class:`str`
        What has these bytes; see :func:`weft_host.board_fit.memory_limit`.
    context : :class:`int` or :class:`None`
        Largest number of positions; by default 512, or fewer if the model has fewer.
    progress : callable
        Receives a sentence for each stage of the work.

    Raises
    ------
    ModelError
        If a file is damaged, is of another format, or contradicts itself.
    """
    source = os.fspath(path)
    try:
        file = read_language_model(source)
    except UnsupportedModelError as error:
        return ModelCheck(source=source, unsupported=error.verdicts, available=available)
    tokenizer, usable, unsupported = _tokenizer(file.vocabulary, source)
    opened = LanguageSource(path=source, sizes=ModelSizes.of(file), vocabulary=None, file=file)
    program, problem = None, ""
    try:
        program = opened.compiled_for_any_memory(config, context, available, limit,
                                                 progress=progress)
    except (CapacityError, ModelError) as error:
        problem = str(error)
    if program is not None and program.memory_bytes > available:
        problem = (f"the program needs {program.memory_bytes} bytes of host memory, but {limit} "
                   f"{available}")
    return ModelCheck(
        source=source, family=file.architecture.family, name=file.name, sizes=opened.sizes,
        types=_types(file, config), tokenizer=tokenizer, tokenizer_is_usable=usable,
        unsupported=unsupported, context=opened.positions(context), program=program,
        available=available, problem=problem)
