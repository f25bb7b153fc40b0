"""``weft check``, ``weft compile`` and ``weft disasm``: models and programs as files."""

import os
from collections.abc import Callable

import click
from rich.console import Console
from rich.table import Table

from weft.spec.config import Config

from ..errors import ProgramError
from ..program.disasm import disassemble, listing
from ..program.file import MAGIC, Program
from .devices import config_is_given, make_config
from .files import InputFile, OutputFile
from .options import config_options, json_option, model_argument
from .output import print_json, write_output

__all__ = ["check", "compile", "disasm", "is_program", "load_program"]


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
        configuration; ``--preset`` and ``--set`` must describe the same one if they are given.
    keep_tensors : :class:`bool`
        See :func:`weft_host.compile`.
    """
    from .. import compiler
    if not is_program(path):
        return compiler.compile(path, configure(), keep_tensors=keep_tensors)
    program = Program.load(path)
    if config_is_given():
        config = configure()
        if config.fingerprint != program.config.fingerprint:
            raise ProgramError(
                f"{path} is compiled for {program.config.name}, not for {config.name}; leave "
                f"out --preset and --set, or compile the model for {config.name}")
    return program


@click.command()
@model_argument
@config_options
@json_option
def check(model: str, preset_name: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Show for each operator of MODEL where it runs, and why.

    MODEL is a .tflite file. Exit status 2 if an operator is not supported.
    """
    from .. import compiler
    verdicts = compiler.check(model, make_config(preset_name, changes))
    unsupported = sum(verdict.where == "unsupported" for verdict in verdicts)
    if as_json:
        print_json({"model": model, "operators": [verdict.as_dict() for verdict in verdicts],
                    "unsupported": unsupported})
    else:
        table = Table("", "operator", "output", "where", "reason", title=model)
        for verdict in verdicts:
            table.add_row(str(verdict.index), verdict.operator, verdict.output, verdict.where,
                          verdict.reason)
        Console().print(table)
    raise click.exceptions.Exit(2 if unsupported else 0)


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
    """Compile MODEL, an int8 .tflite file, to a program file."""
    from .. import compiler
    program = compiler.compile(model, make_config(preset_name, changes),
                               keep_tensors=keep_tensors)
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
        })
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
