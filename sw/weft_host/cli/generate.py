"""``weft generate``."""

from typing import Any

import click

from .language import context_option, device_factory, language_argument, open_source
from .options import config_options, device_options, json_option, seed_option
from .output import print_json, progress, working

__all__ = ["generate"]

_MEGA = 1e6


def _figures(cycles: list[int], bytes_read: list[int], clock: float,
             peak: float) -> dict[str, Any]:
    """Return the speed of steps as plain data; ``None`` on a device without a clock.

    ``peak`` are the bytes that host memory transfers in a cycle.
    """
    if not cycles:
        return {"text_tokens": 0, "cycles": None, "text_tokens_per_second": None,
                "bandwidth_share": None}
    total = sum(cycles)
    return {"text_tokens": len(cycles), "cycles": total,
            "text_tokens_per_second": len(cycles) * clock * _MEGA / total,
            "bandwidth_share": sum(bytes_read) / (total * peak)}


@click.command()
@language_argument
@click.option("--prompt", required=True, help="Text to continue.")
@click.option("--max-tokens", type=click.IntRange(1), default=100, show_default=True,
              help="Most text tokens to generate.")
@click.option("--temperature", type=click.FloatRange(0), default=0.0, show_default=True,
              help="Randomness of the choice; 0 chooses the likeliest text token.")
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), default=1.0,
              show_default=True, help="Choose among the likeliest text tokens with this "
                                      "probability in sum.")
@context_option
@click.option("--clock", type=click.FloatRange(0, min_open=True), default=100.0, show_default=True,
              help="Clock in MHz for the text tokens per second.")
@seed_option
@device_options
@config_options
@json_option
def generate(model: str, prompt: str, max_tokens: int, temperature: float, top_p: float,
             context: int | None, clock: float, seed: int, where: str, latency: int,
             bandwidth: float, preset_name: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Continue a text with the language model MODEL.

    MODEL is a GGUF file, a Hugging Face folder, or a program from weft compile. The text streams to
    standard output. The emulator has no cycles. The configuration gets the fixed-point instructions
    (--set fixed_point=true) without being asked.
    """
    from ..language import LanguageModel, Sampler

    source, config = open_source(model, preset_name, changes, where)
    factory = device_factory(model, where, config, latency, bandwidth)
    with working():
        running = LanguageModel(source, factory, context=context, progress=progress)
    sampler = Sampler(temperature, top_p, seed)
    prompt_ids = running.prompt_ids(prompt)
    ids: list[int] = []
    text = ""
    for part in running.generate(prompt_ids, max_tokens, sampler=sampler):
        if part.id is not None:
            ids.append(part.id)
        text += part.text
        if not as_json:
            click.echo(part.text, nl=False)
    peak = config.bus_bytes * bandwidth
    figures = {name: _figures(running.cycles[part], running.bytes_read[part], clock, peak)
               for name, part in (("prefill", slice(len(prompt_ids))),
                                  ("decode", slice(len(prompt_ids), None)))}
    if as_json:
        print_json({"model": model, "on": where, "preset": config.name, "context": running.context,
                    "prompt_ids": prompt_ids, "ids": ids, "text": text, "clock_mhz": clock,
                    **figures})
        return
    click.echo()
    for name, found in figures.items():
        if found["cycles"]:
            click.echo(f"{name}: {found['text_tokens']} text tokens, {found['cycles']:,} cycles, "
                       f"{found['text_tokens_per_second']:.2f} text tokens per second at "
                       f"{clock:g} MHz, {100 * found['bandwidth_share']:.1f} % of the bandwidth of "
                       "host memory", err=True)
