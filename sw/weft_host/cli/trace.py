"""``weft trace``."""

import json
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from ..program.file import Program
from .devices import make_config, make_rtl_device
from .files import OutputFile
from .input_arrays import ArraysFile, read_inputs
from .model import load_program
from .options import config_options, json_option, memory_options, model_argument
from .output import print_json, progress, working, write_output

__all__ = ["inputs_or_zeros", "trace"]


def inputs_or_zeros(path: str | None, program: Program) -> list[npt.NDArray[Any]]:
    """Read the inputs of an .npz file, or return zeros without one.

    The cycles of a program do not depend on its data.
    """
    if path:
        return read_inputs(path, program)
    return [np.zeros(tensor.shape, tensor.dtype) for tensor in program.inputs]


@click.command()
@model_argument
@click.option("-o", "--output", required=True, type=OutputFile(), help="JSON file to write.")
@click.option("--input", "input_path", type=ArraysFile(),
              help="File (.npz) with the inputs in0, in1, ... Default: zeros.")
@memory_options
@config_options
@json_option
def trace(model: str, output: str, input_path: str | None, latency: int, bandwidth: float,
          preset_name: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Run MODEL on the RTL and record what each unit does in each cycle.

    MODEL is a .tflite file or a compiled program. The output file has Chrome's trace-event format
    and can be opened at ui.perfetto.dev, where one microsecond stands for one cycle.
    """
    from ..perf.trace import chrome_trace, layer_cycles, layer_names

    program = load_program(model, lambda: make_config(preset_name, changes))
    inputs = inputs_or_zeros(input_path, program)
    with working():
        device = make_rtl_device(program.config, memory_bytes=program.memory_bytes,
                                 latency=latency, bandwidth=bandwidth)
        progress(f"running {model} on rtl, {program.config.name}")
        result, times = device.record(program, inputs)
    write_output(output, json.dumps(chrome_trace(program, times)))
    if as_json:
        names = layer_names(program)
        print_json({
            "model": model, "trace": output, "preset": program.config.name, "latency": latency,
            "bandwidth": bandwidth, "cycles": result.cycles,
            "instructions": program.instruction_count, "rows": times.shape[1],
            "layers": [{"layer": names.get(layer, ""), "index": layer, "first": first,
                        "cycles": end - first}
                       for layer, (first, end) in layer_cycles(program, times).items()]})
    else:
        click.echo(f"{output}: {program.instruction_count} instructions in {result.cycles:,} "
                   "cycles; open it at ui.perfetto.dev")
