"""``weft compile`` and ``weft disasm``: models and programs as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from weft.spec.config import Config

from ..errors import ProgramError
from ..program.disasm import disassemble, listing
from ..program.file import Program, is_program
from .devices import board_of_preset, config_is_given, make_config
from .files import InputFile, OutputFile
from .language import (
    context_option,
    is_language_model,
    language_argument,
    make_language_config,
    refuse_context,
)
from .options import chosen_board, config_options, json_option
from .output import print_json, progress, working, write_output

if TYPE_CHECKING:
    from weft_boards._board import Board

    from ..board_fit import BoardFit

__all__ = ["compile", "disasm", "is_program", "load_program"]


def load_program(path: str, configure: Callable[[], Config], *,
                 keep_tensors: bool = False) -> Program:
    """Load a program file, or compile a model.

    Parameters
    ----------
    path : :class:`str`
        File with the program or the model.
    configure : callable
        Function that returns the configuration to compile a model for. A program file has its own
        configuration; ``--preset``, ``--board`` and ``--set`` must describe the same one if they
        are given. It must fit the memory of ``--board``.
    keep_tensors : :class:`bool`
        See :func:`weft_host.compile`.
    """
    if not is_program(path):
        if is_language_model(path):
            raise ProgramError(f"{path} is a language model; use weft generate, perplexity, check, "
                               "compile, explain or bench llm")
        return _compile(path, configure(), chosen_board(), keep_tensors)[0]
    program = Program.load(path)
    if program.is_language_model:
        raise ProgramError(f"{path} is the program of a language model; use weft generate, "
                           "perplexity, explain, disasm or bench llm")
    if config_is_given():
        config = configure()
        if config.fingerprint != program.config.fingerprint:
            raise ProgramError(
                f"{path} is compiled for {program.config.name}, not for {config.name}; leave "
                f"out --preset, --board and --set, or compile the model for {config.name}")
    board = chosen_board()
    if board:
        _require_fit(program, board, path)
    return program


def _compile(path: str, config: Config, board: Board | None,
             keep_tensors: bool) -> tuple[Program, BoardFit | None]:
    """Compile a model for a configuration, or for a board whose memory it must fit.

    Raises
    ------
    CapacityError
        If the program does not fit.
    """
    from .. import compiler
    from ..board_fit import compile_for_any_memory
    with working():
        if board is None:
            return compiler.compile(path, config, keep_tensors=keep_tensors,
                                    progress=progress), None
        program = compile_for_any_memory(path, config, keep_tensors=keep_tensors,
                                         progress=progress)
    return program, _require_fit(program, board, path)


def _require_fit(program: Program, board: Board, source: str) -> BoardFit:
    """Return the fit of a program on a board, or raise a :class:`CapacityError`."""
    from ..board_fit import BoardFit
    from ..compiler import CapacityError
    fit = BoardFit(board=board, program=program, source=source)
    if not fit.fits:
        raise CapacityError(fit.refusal())
    return fit


def _compile_language_model(path: str, config: Config, board: Board | None,
                            context: int | None) -> tuple[Program, BoardFit | None]:
    """Compile a language model for a configuration, or for a board whose memory it must fit.

    Raises
    ------
    CapacityError
        If the program does not fit.
    """
    from ..board_fit import memory_limit
    from ..language import open_language_model
    source = open_language_model(path)
    with working():
        if board is None:
            return source.compiled(config, context, progress=progress)[0], None
        program = source.compiled_for_any_memory(config, context, *memory_limit(config, board),
                                                 progress=progress)
    return program, _require_fit(program, board, path)


@click.command()
@language_argument
@config_options
@click.option("-o", "--output", required=True, type=OutputFile(),
              help="Program file to write.")
@context_option
@click.option("--keep-tensors", is_flag=True,
              help="Store every intermediate tensor in host memory, for weft run --all-tensors.")
@json_option
def compile(model: str, preset_name: str, changes: tuple[str, ...], output: str,
            context: int | None, keep_tensors: bool, as_json: bool) -> None:
    """Compile MODEL to a program file.

    MODEL is an int8 .tflite file, or a language model: a GGUF file or a Hugging Face folder. The
    program of a language model has everything that weft generate needs.

    With --board, or if --preset is the name of a board, a program that does not fit the board's
    memory is refused; --preset NAME --set addr_width=32 compiles it for another memory.
    """
    config = make_config(preset_name, changes)
    board = board_of_preset(preset_name, changes)
    if is_language_model(model):
        if keep_tensors:
            raise click.BadParameter("the tensors of a language model stay on chip",
                                     param_hint="--keep-tensors")
        program, fit = _compile_language_model(
            model, make_language_config(preset_name, changes), board, context)
    else:
        refuse_context(context)
        program, fit = _compile(model, config, board, keep_tensors)
    raw = program.to_bytes()
    write_output(output, raw)
    if as_json:
        print_json({
            "program": output, "preset": program.config.name, "bytes": len(raw),
            "instructions": program.instruction_count, "memory_bytes": program.memory_bytes,
            "macs": program.meta.get("macs", 0),
            "inputs": {tensor.name: list(tensor.shape) for tensor in program.inputs},
            "outputs": {tensor.name: list(tensor.shape) for tensor in program.outputs},
            "host_steps": [step.kind for step in program.host_steps],
            "context": program.meta.get("context"),
            "board": fit.as_dict() if fit else None,
        })
    elif fit:
        click.echo(f"{output}: {program.instruction_count} instructions, {fit.memory_text()}, for "
                   f"{fit.board.name}")
    else:
        click.echo(f"{output}: {program.instruction_count} instructions, "
                   f"{program.memory_bytes:,} bytes of host memory, for {program.config.name}")


@click.command()
@click.argument("program", type=InputFile())
@json_option
def disasm(program: str, as_json: bool) -> None:
    """Print the instructions of PROGRAM, a file from weft compile.

    Those of a language model are divided into the parts of its layers.
    """
    loaded = Program.load(program)
    if as_json:
        print_json(listing(loaded))
    else:
        for line in disassemble(loaded):
            click.echo(line)
