"""``weft bench llm``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from weft.spec.presets import override

from .language import context_option, device_factory, language_argument, open_source
from .options import config_options, json_option, memory_options
from .output import print_json, progress, working
from .tables import print_table

if TYPE_CHECKING:
    from weft.spec.config import Config

    from ..language import LanguageSource

__all__ = ["llm"]

_COLUMNS = ("what", "cycles", "bytes read", "ideal bytes", "ratio")
_WEIGHTS = ("int8", "file")


def _refuse_planned(batch: int | None, prefill: int | None) -> None:
    """Refuse the measurements that the compiler has no programs for yet."""
    for name, is_given, what in (
            ("--batch", batch not in (None, 1), "steps of several texts"),
            ("--prefill", prefill is not None, "steps with several positions")):
        if is_given:
            raise click.BadParameter(f"{what} are not available yet", param_hint=name)


def _with_weights(source: LanguageSource, config: Config, weights: str | None) -> Config:
    """Return the configuration that stores weights as ``--weights`` demands."""
    if weights is None or config.weights_4bit == (weights == "file"):
        return config
    if weights == "int8":
        raise click.BadParameter(f"{config.name} has weights_4bit, which stores the codes of the "
                                 "file", param_hint="--weights")
    if not source.sizes.coded_weights:      # the weights of the file are int8 for the device
        return config
    if source.program is not None:
        raise click.BadParameter(f"{source.path} is compiled without weights_4bit; compile the "
                                 "model again with --set weights_4bit=true",
                                 param_hint="--weights")
    try:
        return override(config, weights_4bit=True)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--weights") from None


@click.command(short_help="Measure a step of a language model.")
@language_argument
@context_option
@click.option("--batch", type=click.IntRange(1), default=None, hidden=True)
@click.option("--prefill", type=click.IntRange(1), default=None, hidden=True)
@click.option("--weights", type=click.Choice(_WEIGHTS), default=None,
              help="Store the 4-bit codes of the file in host memory, which sets weights_4bit, or "
                   "their expansion to int8. Default: int8, unless weights_4bit is set.")
@click.option("--on", "where", type=click.Choice(["rtl", "cycle-model"]), default="rtl",
              show_default=True, help="Count the cycles on the simulated RTL, or predict them.")
@memory_options
@config_options
@json_option
def llm(model: str, context: int | None, batch: int | None, prefill: int | None,
        weights: str | None, where: str, latency: int, bandwidth: float, preset_name: str,
        changes: tuple[str, ...], as_json: bool) -> None:
    """Measure a step of the language model MODEL at the last position of --context.

    MODEL is a GGUF file, a Hugging Face folder, or a program from weft compile. The ideal bytes are
    the weights that the step needs, int8 or 4 bits and 24 bits for every 32 of them, and the int8
    keys and values of the context; parameters, instructions and padding do not count. The ratio is
    the cycles divided by those in which the bus transfers the ideal bytes. The cycles do not depend
    on the text, so none is evaluated before.

    The row attention adds up the attention of all layers, from the queries to the outputs of all
    heads; its ideal bytes are the keys and values.
    """
    from ..language import LanguageModel
    from ..perf.language_benchmarks import measure_decode, predict_decode

    _refuse_planned(batch, prefill)
    source, config = open_source(model, preset_name, changes)
    config = _with_weights(source, config, weights)
    with working():
        if where == "rtl":
            running = LanguageModel(
                source, device_factory(model, where, config, latency, bandwidth), context=context,
                progress=progress)
            positions = running.context
            progress(f"running a step of {model} on rtl, {config.name}")
            decode, attention = measure_decode(running)
        else:
            program, data = source.compiled(config, context, progress=progress)
            positions = data.context
            decode, attention = predict_decode(program, data, latency=latency,
                                               bandwidth=bandwidth, progress=progress)
    measurements = {"decode": decode, "attention": attention}
    if as_json:
        print_json({"model": model, "preset": config.name, "on": where, "latency": latency,
                    "bandwidth": bandwidth, "context": positions,
                    "weights": weights or ("file" if config.weights_4bit else "int8"),
                    **{name: dataclasses.asdict(one) for name, one in measurements.items()}})
        return
    print_table(_COLUMNS, [(name, f"{one.cycles:,}", f"{one.bytes_read:,}",
                            f"{one.ideal_bytes:,}", f"{one.ratio:.3f}")
                           for name, one in measurements.items()],
                title=f"{model} on {config.name}, context {positions}, memory with latency "
                      f"{latency} and bandwidth {bandwidth:g}", numbers=_COLUMNS[1:])
