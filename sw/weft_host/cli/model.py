"""``weft compile`` and ``weft disasm``: models and programs as files."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from weft.spec.config import Config

from ..errors import ProgramError
from ..program.disasm import disassemble, listing
from ..program.file import MAGIC, Program
from .devices import board_of_preset, config_is_given, make_config
from .files import InputFile, OutputFile
from .options import chosen_board, config_options, json_option, model_argument
from .output import print_json, progress, working, write_output

if TYPE_CHECKING:
    from weft_boards._board import Board

    from ..board_fit import BoardFit

__all__ = ["compile", "disasm", "is_program", "load_program"]


def is_program(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a compiled program, not a model."""
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


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
        return _compile(path, configure(), chosen_board(), keep_tensors)[0]
    program = Program.load(path)
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


@click.command()
@model_argument
@config_options
@click.option("-o", "--output", required=True, type=OutputFile(),
              help="Program file to write.")
@click.option("--keep-tensors", is_flag=True,
              help="Store every intermediate tensor in host memory, for weft run --all-tensors.")
@json_option
def compile(model: str, preset_name: str, changes: tuple[str, ...], output: str,
            keep_tensors: bool, as_json: bool) -> None:
    """Compile MODEL, an int8 .tflite file, to a program file.

    With --board, or if --preset is the name of a board, a program that does not fit the board's
    memory is refused; --preset NAME --set addr_width=32 compiles it for another memory.
    """
    config = make_config(preset_name, changes)
    program, fit = _compile(model, config, board_of_preset(preset_name, changes), keep_tensors)
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
    """Print the instructions of PROGRAM, a file from weft compile."""
    loaded = Program.load(program)
    if as_json:
        print_json(listing(loaded))
    else:
        for line in disassemble(loaded):
            click.echo(line)
