"""``weft check``, ``weft compile`` and ``weft disasm``: models and programs as files."""

import click
from rich.console import Console
from rich.table import Table

from ..errors import ProgramError
from ..program.disasm import disassemble, listing
from ..program.file import Program
from .options import (
    OutputFile,
    config_is_asked_for,
    config_options,
    json_option,
    make_config,
    print_json,
    write_atomically,
)

__all__ = ["check", "compile", "disasm", "load_program"]


def load_program(path, configure, *, keep_tensors=False):
    """The program in a program file, or the model in ``path`` compiled for what ``configure()``
    gives. A program file has its own configuration, which ``--preset`` and ``--set`` must agree
    with if they are given."""
    from .. import compiler
    with open(path, "rb") as file:
        start = file.read(8)
    if start == b"WEFTPROG":
        program = Program.load(path)
        if config_is_asked_for():
            config = configure()
            if config.fingerprint != program.config.fingerprint:
                raise ProgramError(
                    f"{path} is compiled for {program.config.name}, not for {config.name}; leave "
                    "out --preset and --set, or compile the model for it")
        return program
    return compiler.compile(path, configure(), keep_tensors=keep_tensors)


@click.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False))
@config_options
@json_option
def check(model, preset_name, changes, as_json):
    """Say for every operator of MODEL where it runs, and why.

    Exit status 2 if one of them runs nowhere.
    """
    from .. import compiler
    verdicts = compiler.check(model, make_config(preset_name, changes))
    unsupported = sum(verdict.where == "unsupported" for verdict in verdicts)
    if as_json:
        print_json({"model": model, "operators": [verdict.as_dict() for verdict in verdicts],
                    "unsupported": unsupported})
    else:
        table = Table("", "operator", "makes", "where", "reason", title=model)
        for verdict in verdicts:
            table.add_row(str(verdict.index), verdict.operator, verdict.output, verdict.where,
                          verdict.reason)
        Console().print(table)
    raise click.exceptions.Exit(2 if unsupported else 0)


@click.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False))
@config_options
@click.option("-o", "--output", required=True, type=OutputFile(),
              help="Program file to write.")
@click.option("--keep-tensors", is_flag=True,
              help="Store every intermediate tensor in host memory, for weft run --all-tensors.")
@json_option
def compile(model, preset_name, changes, output, keep_tensors, as_json):
    """Compile MODEL, an int8 .tflite file, to a program file."""
    from .. import compiler
    program = compiler.compile(model, make_config(preset_name, changes),
                               keep_tensors=keep_tensors)
    raw = program.to_bytes()
    write_atomically(output, raw)
    facts = {
        "program": output, "preset": program.config.name, "bytes": len(raw),
        "instructions": program.instruction_count, "memory_bytes": program.memory_bytes,
        "macs": program.meta.get("macs", 0),
        "inputs": {tensor.name: list(tensor.shape) for tensor in program.inputs},
        "outputs": {tensor.name: list(tensor.shape) for tensor in program.outputs},
        "host_steps": [step.kind for step in program.host_steps],
    }
    if as_json:
        print_json(facts)
    else:
        click.echo(f"{output}: {program.instruction_count} instructions, "
                   f"{program.memory_bytes:,} bytes of host memory, for {program.config.name}")


@click.command()
@click.argument("program", type=click.Path(exists=True, dir_okay=False))
@json_option
def disasm(program, as_json):
    """Print the instructions of PROGRAM, a file made by weft compile."""
    loaded = Program.load(program)
    if as_json:
        print_json(listing(loaded))
    else:
        for line in disassemble(loaded):
            click.echo(line)
