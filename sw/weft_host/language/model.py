"""Language models on a device."""

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from weft.spec import register_map
from weft.spec.config import Config

from ..compiler.frontend.llm import UnsupportedModelError
from ..compiler.language_model.step_data import StepData
from ..device import Device, EmulatorDevice
from ..device.tensors import read_tensor
from ..errors import DeviceError, InputError
from ..program.file import Program
from ..progress import Progress, silent
from ..register_words import pack
from .sampling import Sampler
from .source import LanguageSource, language_config, open_language_model
from .tokenizer import Tokenizer

__all__ = ["DeviceFactory", "Generated", "LanguageModel"]

_ERASED_AT_ONCE = 1 << 20


@dataclasses.dataclass(frozen=True)
class DeviceFactory:
    """Function that makes a device of a configuration with at least so many bytes of memory."""

    config: Config
    make: Callable[[int], Device]


@dataclasses.dataclass(frozen=True)
class Generated:
    """One text token of a generated text.

    Attributes
    ----------
    id : :class:`int` or :class:`None`
        ``None`` after the last text token, if the text ends within a character.
    text : :class:`str`
        Text that is complete with this text token; it may be empty. With the id ``None``, it is
        U+FFFD for the incomplete character.
    """

    id: int | None
    text: str


class LanguageModel:
    """Language model on a device, with the cache of one text.

    Parameters
    ----------
    path : path, or :class:`weft_host.language.LanguageSource`
        GGUF file, folder in the layout of Hugging Face, or program from ``weft compile``, which
        holds the model.
    device : :class:`weft_host.Device`, :class:`weft.spec.config.Config`, :class:`str`, or None
        Device whose configuration has the fixed-point instructions, or a :class:`DeviceFactory`,
        which is called when the needed memory is known. A configuration, or the name of a preset
        or board, stands for an emulator of it. ``None`` is an emulator of the configuration of a
        program, and of the preset ``small`` for other files.
    context : :class:`int` or :class:`None`
        Largest number of positions; by default 512, or fewer if the model has fewer. That of a
        program is fixed.
    progress : callable
        Receives a sentence for each stage of the work.

    Attributes
    ----------
    source : :class:`str`
        Path of the model.
    sizes : :class:`weft_host.compiler.language_model.sizes.ModelSizes`
    tokenizer : :class:`weft_host.language.Tokenizer` or :class:`None`
        ``None`` if the file has no vocabulary, or one that is not supported.
    program : :class:`weft_host.Program`
        Program of one step; it holds the model.
    device : :class:`weft_host.Device`
    context : :class:`int`
    length : :class:`int`
        Number of positions in the cache.
    cycles, bytes_read : list of :class:`int`
        Cycles of each step since the last :meth:`reset`, and bytes read from host memory; empty on
        a device without a clock.

    Raises
    ------
    ModelError, UnsupportedModelError, CapacityError, ProgramError
        If the model cannot run on the device.
    """

    def __init__(self, path: str | os.PathLike[str] | LanguageSource,
                 device: Device | Config | str | DeviceFactory | None = None, *,
                 context: int | None = None, progress: Progress = silent) -> None:
        opened = path if isinstance(path, LanguageSource) else open_language_model(path)
        self.source, self.sizes = opened.path, opened.sizes
        self.tokenizer: Tokenizer | None = None
        self._unsupported: UnsupportedModelError | None = None
        if opened.vocabulary is not None:
            try:
                self.tokenizer = Tokenizer(opened.vocabulary, opened.path)
            except UnsupportedModelError as error:
                self._unsupported = error
        if device is None:
            device = "small" if opened.program is None else opened.program.config
        if isinstance(device, DeviceFactory):
            config = device.config
        elif isinstance(device, Device):
            config = device.config
        else:
            config = language_config(device)
            device = DeviceFactory(config, lambda size: EmulatorDevice(config, memory_bytes=size))
        self.program: Program
        self._data: StepData
        self.program, self._data = opened.compiled(config, context, progress=progress)
        self.context = self._data.context
        self.device: Device = device if isinstance(device, Device) \
            else device.make(self.program.memory_bytes)
        self._logits = self.program.tensor("logits")
        self._scale = 2.0 ** -self._data.logit_fraction
        self.cycles: list[int] = []
        self.bytes_read: list[int] = []
        self.length = 0
        progress("loading the model into the device's memory")
        self.device.load(self.program)
        self._erase_cache()

    def _erase_cache(self) -> None:
        """Zero the window of the cache: tiles are read before all their elements are written."""
        window = self.program.windows[1]
        for first in range(0, window.size, _ERASED_AT_ONCE):
            self.device.write_memory(self.device.memory_base + window.offset + first,
                                     bytes(min(_ERASED_AT_ONCE, window.size - first)))

    def reset(self) -> None:
        """Begin a new text."""
        self.length = 0
        self.cycles, self.bytes_read = [], []

    def step(self, token: int) -> npt.NDArray[np.int64]:
        """Evaluate one text token at the next position, and return the logits as integers.

        They have as many fraction bits as ``program.meta["logit_fraction"]``.

        Raises
        ------
        InputError
            If the id is not one of the vocabulary, or the context is full.
        DeviceError
            If the device stopped with an error.
        """
        vocabulary = self.sizes.vocabulary
        if not 0 <= token < vocabulary:
            raise InputError(f"Text token {token} does not exist; the vocabulary has the ids 0 to "
                             f"{vocabulary - 1}")
        if self.length >= self.context:
            raise InputError(f"The context of {self.context} positions is full; choose a longer "
                             "one with --context, up to the model's "
                             f"{self.sizes.context}")
        counters = self._run(self.step_values(token, self.length))
        self.length += 1
        if counters.get("CYCLES"):
            self.cycles.append(counters["CYCLES"])
            self.bytes_read.append(counters["BYTES_READ"])
        return read_tensor(self.device, self._logits).astype(np.int64)

    def step_values(self, token: int, position: int) -> list[int]:
        """Return the contents of the step registers for a text token at a position."""
        return self._data.registers.values(token, position)

    def timing_step(self, position: int) -> dict[str, int]:
        """Run a step at any position, and return the performance counters of the step.

        The cycles of a step depend on the position, and neither on the text token nor on the
        contents of the cache. The text in the cache is lost, and a new one begins.

        Raises
        ------
        InputError
            If the position is not one of the context.
        DeviceError
            If the device stopped with an error.
        """
        if not 0 <= position < self.context:
            raise InputError(f"Position {position} is not one of the context, which has the "
                             f"positions 0 to {self.context - 1}")
        self.reset()
        return self._run(self.step_values(0, position))

    def _run(self, values: list[int]) -> dict[str, int]:
        """Run the program with these contents of the step registers; return its counters."""
        for register, value in zip(register_map.STEP_REGISTERS, values, strict=True):
            if self.device.read_register(register.name) != value:
                self.device.write_register(register.name, value)
        self.device.write_register("CONTROL", pack("CONTROL", CLEAR_COUNTERS=1))
        self.device.start()
        self.device.wait(None)
        record = self.device.error(self.program)
        if record:
            raise DeviceError(record)
        return self.device.counters()

    def logits(self, ids: Sequence[int]) -> npt.NDArray[np.float64]:
        """Evaluate text tokens at the next positions, and return ``(positions, vocabulary)``."""
        return np.stack([self.step(token) * self._scale for token in ids])

    def prompt_ids(self, prompt: str) -> list[int]:
        """Return the ids of a prompt.

        Raises
        ------
        InputError
            If the model has no vocabulary, or the prompt has no text tokens.
        UnsupportedModelError
            If the vocabulary is not supported.
        """
        if self._unsupported is not None:
            raise self._unsupported
        if self.tokenizer is None:
            raise InputError(f"{self.source} has no vocabulary; pass ids instead of text")
        ids = self.tokenizer.encode(prompt)
        if not ids:
            raise InputError("The prompt is empty, and the model has no text token that begins a "
                             "text; write a prompt")
        return ids

    def generate(self, prompt: str | Sequence[int], max_tokens: int = 100, *,
                 sampler: Sampler | None = None) -> Iterator[Generated]:
        """Continue a text, and yield each new text token.

        The text ends at a text token that ends texts, which is not yielded, after ``max_tokens``,
        or when the context is full.

        Parameters
        ----------
        prompt : :class:`str` or sequence of :class:`int`
            Text, or ids, that follow the text in the cache.
        max_tokens : :class:`int`
            Most text tokens to generate.
        sampler : :class:`weft_host.language.sampling.Sampler`
            By default, the likeliest text token is chosen.

        Raises
        ------
        InputError
            If the prompt is empty or longer than the context.
        """
        sampler = sampler or Sampler()
        ids = self.prompt_ids(prompt) if isinstance(prompt, str) else list(prompt)
        if not ids:
            raise InputError("The prompt is empty; a text needs at least one text token")
        if self.length + len(ids) > self.context:
            raise InputError(f"The prompt of {len(ids)} text tokens does not fit into the context "
                             f"of {self.context} positions, of which {self.length} are used")
        stream = self.tokenizer.stream() if self.tokenizer else None
        end_ids = self.tokenizer.end_ids if self.tokenizer else frozenset()
        logits = self.logits(ids)[-1]
        for number in range(max_tokens):
            chosen = sampler.choose(logits)
            if chosen in end_ids:
                break
            last = number + 1 == max_tokens or self.length == self.context
            text = "" if stream is None else stream.feed(chosen) + (stream.finish() if last else "")
            yield Generated(chosen, text)
            if last:
                return
            logits = self.logits([chosen])[-1]
        if stream is not None and (rest := stream.finish()):
            yield Generated(None, rest)
