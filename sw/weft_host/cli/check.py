"""``weft check``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from weft.spec.config import Config

from .check_language import check_language
from .devices import board_of_preset, make_config, make_rtl_device
from .language import (
    context_option,
    is_language_model,
    language_argument,
    make_language_config,
    refuse_context,
)
from .options import config_options, json_option
from .output import print_json, progress, working
from .tables import print_table
from .trace import inputs_or_zeros

if TYPE_CHECKING:
    from weft_boards._board import Board

    from ..board_fit import BoardFit
    from ..compiler import Verdict

__all__ = ["check"]


@click.command()
@language_argument
@config_options
@context_option
@click.option("--measure", is_flag=True,
              help="With --board: run MODEL on the RTL, simulated with the board's memory, and use "
                   "its cycles in place of the predicted ones.")
@json_option
def check(model: str, preset_name: str, changes: tuple[str, ...], context: int | None,
          measure: bool, as_json: bool) -> None:
    """Show for each operator of MODEL where it runs, and why.

    MODEL is a .tflite file or a language model: a GGUF file or a Hugging Face folder. For a
    language model, show its sizes, the types of its tensors, whether its tokenizer can be used, and
    the host memory that it needs; exit status 2 if a property is not supported, or if it does not
    fit the memory.

    With --board, or if --preset is the name of a board, also show whether
    the program fits the board's memory, and how long a run takes at the board's clock. Exit status
    2 if an operator is not supported, or if the program does not fit.
    """
    from .. import compiler
    board = board_of_preset(preset_name, changes)
    if is_language_model(model):
        if measure:
            raise click.BadParameter("weft bench llm measures language models",
                                     param_hint="--measure")
        check_language(model, make_language_config(preset_name, changes), board, context, as_json)
    refuse_context(context)
    if measure and not board:
        raise click.UsageError("--measure needs --board, whose memory and clock it uses")
    config = make_config(preset_name, changes)
    with working():
        verdicts = compiler.check(model, config, progress=progress)
        unsupported = sum(verdict.where == "unsupported" for verdict in verdicts)
        fit = _fit(model, config, board, measure) if board and not unsupported else None
    target = board.name if board else config.name
    summary = f"{model} on {target}: {_count(verdicts)}"
    if fit:
        summary += f"; {fit.memory_text()}" + (f"; {fit.speed_text()}" if fit.fits else "")
    if as_json:
        print_json(_facts(model, target, verdicts, fit, summary))
    else:
        print_table(("", "operator", "output", "where", "reason"),
                    [(verdict.index, verdict.operator, verdict.output, verdict.where,
                      verdict.reason) for verdict in verdicts],
                    title=model, wraps=("reason",), numbers=("",))
        click.echo(f"\n{summary}")
        for line in (fit.notes() if fit.fits else [fit.refusal()]) if fit else ():
            click.echo(line)
    raise click.exceptions.Exit(2 if unsupported or (fit and not fit.fits) else 0)


def _count(verdicts: Sequence[Verdict]) -> str:
    """Return the number of operators by the processor that executes them."""
    numbers = {where: sum(verdict.where == where for verdict in verdicts)
               for where in ("weft", "host", "unsupported")}
    text = (f"{numbers['weft']} operator{'' if numbers['weft'] == 1 else 's'} on Weft, "
            f"{numbers['host']} on the host")
    if numbers["unsupported"]:
        text += f", {numbers['unsupported']} unsupported: the model cannot be compiled"
    return text


def _facts(model: str, target: str, verdicts: Sequence[Verdict], fit: BoardFit | None,
           summary: str) -> dict[str, Any]:
    """Return everything that the command prints, as plain data."""
    return {
        "model": model, "target": target,
        "operators": [verdict.as_dict() for verdict in verdicts],
        **{name: sum(verdict.where == where for verdict in verdicts)
           for name, where in (("on_weft", "weft"), ("on_host", "host"),
                               ("unsupported", "unsupported"))},
        "board": fit.as_dict() if fit else None,
        "summary": summary,
    }


def _fit(model: str, config: Config, board: Board, measure: bool) -> BoardFit:
    """Return the fit of a model on a board, with the cycles of a run if it fits."""
    from ..board_fit import BoardFit, compile_for_any_memory
    from ..perf.cycle_model import predict

    program = compile_for_any_memory(model, config, progress=progress)
    fit = BoardFit(board=board, program=program, source=model)
    if not fit.fits:
        return fit
    if measure:
        device = make_rtl_device(config, memory_bytes=fit.needed, latency=board.read_latency,
                                 bandwidth=board.bandwidth)
        progress(f"running {model} on rtl, {board.name}")
        result = device.run(program, inputs_or_zeros(None, program))
        return dataclasses.replace(fit, cycles=result.cycles, origin="simulated")
    if config.compact:
        return fit
    cycles = predict(program, latency=board.read_latency, bandwidth=board.bandwidth,
                     progress=progress).cycles
    return dataclasses.replace(fit, cycles=cycles, origin="predicted")
