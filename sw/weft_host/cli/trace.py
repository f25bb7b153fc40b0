"""``weft trace``."""

import json

import click
import numpy as np

from .model import load_program
from .options import (
    OutputFile,
    config_options,
    json_option,
    make_config,
    make_device,
    memory_options,
    print_json,
    progress,
    write_atomically,
)
from .run import read_inputs

__all__ = ["any_inputs", "trace"]


def any_inputs(path, program):
    """The inputs in an .npz file, or zeros without one: no cycle depends on them."""
    if path:
        return read_inputs(path, program)
    return [np.zeros(tensor.shape, tensor.dtype) for tensor in program.inputs]


@click.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False))
@click.option("-o", "--output", required=True, type=OutputFile(), help="JSON file to write.")
@click.option("--input", "input_path", type=click.Path(exists=True, dir_okay=False),
              help="An .npz file with in0 (in1, ...); zeros without it.")
@memory_options
@config_options
@json_option
def trace(model, output, input_path, latency, bandwidth, preset_name, changes, as_json):
    """Run MODEL on the RTL and write what every unit does, cycle by cycle.

    MODEL is a .tflite file or a compiled program. The file has Chrome's trace-event format: open it
    at ui.perfetto.dev. One microsecond there is one cycle.
    """
    from ..perf.trace import chrome_trace, layer_cycles, layer_names

    program = load_program(model, lambda: make_config(preset_name, changes))
    inputs = any_inputs(input_path, program)
    device = make_device("rtl", program.config, memory_bytes=program.memory_bytes, latency=latency,
                         bandwidth=bandwidth)
    progress(f"running {model} on rtl, {program.config.name}")
    result, times = device.record(program, inputs)
    write_atomically(output, json.dumps(chrome_trace(program, times)).encode())
    names = layer_names(program)
    facts = {"model": model, "trace": output, "preset": program.config.name, "latency": latency,
             "bandwidth": bandwidth, "cycles": result.cycles,
             "instructions": program.instruction_count, "rows": times.shape[1],
             "layers": [{"layer": names.get(layer, ""), "index": layer, "first": first,
                         "cycles": end - first}
                        for layer, (first, end) in layer_cycles(program, times).items()]}
    if as_json:
        print_json(facts)
    else:
        click.echo(f"{output}: {facts['instructions']} instructions in {facts['cycles']:,} cycles, "
                   "open it at ui.perfetto.dev")
