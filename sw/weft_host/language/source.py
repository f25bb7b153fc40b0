"""Language model before it is on a device: a model file, a folder, or a compiled program."""

import contextlib
import dataclasses
import os

from weft.spec.config import Config
from weft.spec.presets import override

from ..compiler.frontend.llm import LanguageModelFile, Vocabulary, read_language_model
from ..compiler.language_model.compile import compile_language_model, require_memory
from ..compiler.language_model.sizes import ModelSizes
from ..compiler.language_model.step_data import StepData
from ..configuration import resolve_config
from ..errors import InputError, ProgramError
from ..program.file import Program, is_program
from ..progress import Progress, silent

__all__ = ["DEFAULT_CONTEXT", "LanguageSource", "language_config", "open_language_model"]

_MAX_ADDR_WIDTH = 32

DEFAULT_CONTEXT = 512
"""Largest number of positions of a text, unless another one is given or the model has fewer."""


def language_config(config: Config | str, *, two_lines: bool | None = None) -> Config:
    """Return a configuration with the fixed-point instructions.

    Changes become part of the name, as with ``--set``.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config` or :class:`str`
        A configuration, or the name of a preset or of a board.
    two_lines : :class:`bool` or :class:`None`
        Set ``tile_lines`` to 2, too, if the array is large enough; with ``None`` only if the
        configuration does not have the fixed-point instructions yet.

    Raises
    ------
    InputError
        If the configuration cannot have them: it is that of the serial engine, or its weight buffer
        is too small.
    """
    found = resolve_config(config)
    if found.compact:
        raise InputError(f"{found.name} is the serial engine, which cannot run language models; "
                         "choose another preset")
    two_lines = not found.fixed_point if two_lines is None else two_lines
    if not found.fixed_point:
        try:
            found = override(found, fixed_point=True)
        except ValueError as error:
            raise InputError(f"{found.name} cannot run language models: {error}") from None
    if two_lines and found.tile_lines == 1:
        with contextlib.suppress(ValueError):       # the array is too small
            found = override(found, tile_lines=2)
    return found


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class LanguageSource:
    """Language model that was opened, with a program if it is compiled already.

    Attributes
    ----------
    path : :class:`str`
    sizes : :class:`weft_host.compiler.language_model.sizes.ModelSizes`
    vocabulary : :class:`weft_host.compiler.frontend.llm.Vocabulary` or :class:`None`
    file : :class:`weft_host.compiler.frontend.llm.LanguageModelFile` or :class:`None`
        The model, unless it is compiled.
    program : :class:`weft_host.Program` or :class:`None`
        The program, if it is compiled.
    """

    path: str
    sizes: ModelSizes
    vocabulary: Vocabulary | None
    file: LanguageModelFile | None = None
    program: Program | None = None

    def compiled(self, config: Config, context: int | None = None, *,
                 progress: Progress = silent) -> tuple[Program, StepData]:
        """Return the program of a step, with its data attached and apart.

        Parameters
        ----------
        config : :class:`weft.spec.config.Config`
            Configuration with the fixed-point instructions.
        context : :class:`int` or :class:`None`
            Largest number of positions; by default that of a compiled program, or
            :data:`DEFAULT_CONTEXT`, or fewer if the model has fewer.
        progress : callable
            Receives a sentence for each stage of the work.

        Raises
        ------
        ModelError, CapacityError
            If the model cannot run on the configuration.
        ProgramError
            If the model is compiled for another configuration or context.
        """
        if self.program is not None:
            return self.program, self._data_of_program(self.program, config, context)
        assert self.file is not None, "a source has a program or a model"
        program, registers = compile_language_model(self.file, config, self.positions(context),
                                                    progress=progress)
        data = StepData.of_compiled(self.file, program, registers)
        return data.attached_to(program), data

    def compiled_for_any_memory(self, config: Config, context: int | None, available: int,
                                limit: str, *, progress: Progress = silent) -> Program:
        """Return the program of a step even if it exceeds the memory of the configuration.

        ``available`` and ``limit`` are those of :func:`require_memory`, which is applied first: a
        model that cannot fit is not compiled.

        Raises
        ------
        ModelError, CapacityError, ProgramError
            See :meth:`compiled`.
        """
        require_memory(self.sizes, self.positions(context), available, limit)
        wide = dataclasses.replace(config, addr_width=_MAX_ADDR_WIDTH)
        program, _ = self.compiled(wide, context, progress=progress)
        return dataclasses.replace(program, config=config)

    def positions(self, context: int | None) -> int:
        """Return the largest number of positions: ``context``, or the default one for ``None``."""
        return min(DEFAULT_CONTEXT, self.sizes.context) if context is None else context

    def _data_of_program(self, program: Program, config: Config, context: int | None) -> StepData:
        if program.config.fingerprint != config.fingerprint:
            raise ProgramError(f"{self.path} is compiled for {program.config.name}, not for "
                               f"{config.name}; choose {program.config.name}, or compile the model "
                               f"for {config.name}")
        data = StepData.of_program(program, self.path)
        if context not in (None, data.context):
            raise ProgramError(f"{self.path} is compiled for a context of {data.context} "
                               f"positions, not of {context}; leave out --context, or compile the "
                               "model with another one")
        return data


def open_language_model(path: str | os.PathLike[str]) -> LanguageSource:
    """Open a GGUF file, a folder in the layout of Hugging Face, or a compiled program.

    Of a model, only headers are read.

    Raises
    ------
    ModelError, UnsupportedModelError, ProgramError
        If the file or folder cannot be read, or if Weft does not support the model.
    """
    source = os.fspath(path)
    try:
        compiled = is_program(source)
    except OSError:         # the reader reports what is wrong
        compiled = False
    if not compiled:
        file = read_language_model(source)
        return LanguageSource(path=source, sizes=ModelSizes.of(file), vocabulary=file.vocabulary,
                              file=file)
    program = Program.load(source)
    data = StepData.of_program(program, source)
    return LanguageSource(path=source, sizes=data.sizes, vocabulary=data.vocabulary,
                          program=program)
