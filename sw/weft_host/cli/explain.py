"""``weft explain``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from weft.spec.config import Config

from ..errors import ProgramError
from ..program.file import Program, is_program
from .devices import make_config, make_rtl_device
from .explain_language import explain_language
from .explain_text import show
from .files import OutputFile
from .language import (
    context_option,
    is_language_model,
    is_language_program,
    language_argument,
    refuse_context,
)
from .model import load_program
from .options import chosen_board, config_options, json_option, memory_options
from .output import print_json, progress, working, write_output
from .trace import inputs_or_zeros

if TYPE_CHECKING:
    from ..board_fit import BoardFit
    from ..perf.explain import Explanation

__all__ = ["explain"]


def _recompiler(path: str) -> Callable[[Config], Program] | None:
    """Return a function that compiles a model for another configuration; None for a program."""
    from ..board_fit import compile_for_any_memory
    if is_program(path):
        return None
    return functools.partial(compile_for_any_memory, path)


def _fit(path: str, program: Program, found: Explanation) -> BoardFit | None:
    """Return the fit of a program on the board that ``--board`` names, with its cycles."""
    from ..board_fit import BoardFit
    board = chosen_board()
    if board is None:
        return None
    measured = found.total.measured
    return BoardFit(board=board, program=program, source=path, latency=found.latency,
                    bandwidth=found.bandwidth,
                    cycles=found.total.predicted if measured is None else measured,
                    origin="predicted" if measured is None else "simulated")


@click.command()
@language_argument
@context_option
@click.option("--measure", is_flag=True, help="Also run the program on the RTL and show its "
                                              "cycles.")
@click.option("--html", "page_path", type=OutputFile(), help="HTML page to write.")
@memory_options
@config_options
@json_option
def explain(model: str, context: int | None, measure: bool, page_path: str | None, latency: int,
            bandwidth: float, preset_name: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Show where the cycles of MODEL go, and which changes would save most of them.

    MODEL is a .tflite file, a language model, or a compiled program. Of a language model, the step
    at the last position of --context is shown: for each layer and kind of operation, the
    instructions, the bytes read, the ideal cycles of the bus, those of the array, and an estimate;
    with --measure, also the cycles on the RTL.

    For other models, the cycle model predicts all figures without a run; --measure adds those of
    the RTL. With --board, also show the needed memory and the time of a run at the board's clock;
    exit status 2 if the program does not fit the board's memory.
    """
    from ..perf.explain import explain as explain_program
    from ..perf.explain_page import page
    from ..perf.hardware_changes import usable_processors

    if is_language_model(model) or is_language_program(model):
        if page_path:
            raise click.BadParameter("not available for language models", param_hint="--html")
        explain_language(model, context, measure, latency, bandwidth, preset_name, changes, as_json)
        return
    refuse_context(context)
    program = load_program(model, lambda: make_config(preset_name, changes))
    config = program.config
    if config.compact:
        raise ProgramError(
            f"cannot predict the cycles of {config.name}, which is the serial engine and has no "
            "cycle model; weft check MODEL --board NAME --measure counts them on the simulated RTL")
    measured = None
    with working():
        if measure:
            device = make_rtl_device(config, memory_bytes=program.memory_bytes, latency=latency,
                                     bandwidth=bandwidth)
            progress(f"running {model} on rtl, {config.name}")
            measured = device.record(program, inputs_or_zeros(None, program))
        found = explain_program(program, latency=latency, bandwidth=bandwidth, measured=measured,
                                recompile=_recompiler(model), jobs=usable_processors(),
                                progress=progress)
    fit = _fit(model, program, found)
    if page_path:
        write_output(page_path, page(found, config.cells,
                                     config.bus_bytes * bandwidth))
        progress(f"wrote {page_path}")
    if as_json:
        print_json({**found.as_dict(), "board": fit.as_dict() if fit else None})
        return
    show(found)
    for line in (fit.summary(), *fit.notes()) if fit else ():
        click.echo(line)
