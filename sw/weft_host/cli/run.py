"""``weft run``."""

import io
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from ..device import Result
from ..errors import InputError
from ..program.file import Program
from ..program.tensor import Tensor
from .devices import make_config, make_device
from .files import OutputFile
from .input_arrays import ArraysFile, read_inputs
from .model import load_program
from .options import config_options, device_options, json_option, model_argument
from .output import print_json, progress, working, write_output

__all__ = ["report", "run"]

_SMALL = 64     # largest number of elements of an output whose values are in the JSON


def report(program: Program, result: Result) -> dict[str, Any]:
    """Return the costs of a run as plain data; ``utilisation`` is that of the array's cells."""
    config = program.config
    macs = program.meta.get("macs", 0)
    cycles = result.cycles
    return {
        "preset": config.name,
        "cycles": cycles,
        "macs": macs,
        "utilisation": macs / (cycles * config.cells) if cycles else None,
        "bytes_read": result.counters.get("BYTES_READ"),
        "bytes_written": result.counters.get("BYTES_WRITTEN"),
        "counters": result.counters,
    }


def _describe(key: str, tensor: Tensor, array: npt.NDArray[Any]) -> dict[str, Any]:
    """Return an output as plain data, with its values if there are few."""
    found = {"key": key, "name": tensor.name, "shape": list(array.shape), "dtype": str(array.dtype)}
    if array.size <= _SMALL:
        found["values"] = array.tolist()
    return found


def _check_stored(model: str, program: Program) -> None:
    """Check that a program stores all tensors in host memory, where ``--all-tensors`` reads them.

    Raises
    ------
    InputError
        If not.
    """
    if not program.meta.get("all_tensors", True):
        raise InputError(
            f"{model} was compiled without --keep-tensors, so some tensors stay on chip and cannot "
            "be read; compile it with --keep-tensors, or run the .tflite file")


@click.command()
@model_argument
@click.option("--input", "input_path", required=True, type=ArraysFile(),
              help="File (.npz) with the inputs in0, in1, ...; other arrays are ignored.")
@click.option("--output", "output_path", type=OutputFile(),
              help="File (.npz) to write the outputs out0, out1, ... to.")
@click.option("--all-tensors", is_flag=True,
              help="Also write t<i> to --output for each tensor i of the model that the device "
                   "computes. A model is compiled so that all tensors are stored, which costs "
                   "cycles; a program must have been compiled with --keep-tensors.")
@device_options
@config_options
@json_option
def run(model: str, input_path: str, output_path: str | None, all_tensors: bool, where: str,
        latency: int, bandwidth: float, preset_name: str, changes: tuple[str, ...],
        as_json: bool) -> None:
    """Run MODEL, a .tflite file or a compiled program, on a device.

    The cycles on the RTL count from the write that starts the program to the interrupt. The counter
    CYCLES counts only while the device is busy, so it is lower by 6, and by 208 on the serial
    engine. The cycles of a board are those of its counter. The emulator has no cycles.

    With --json, "outputs" describes each output, with its values if it has at most 64 elements.
    """
    if all_tensors and not output_path:
        raise click.UsageError("--all-tensors writes tensors to a file; name it with --output")
    program = load_program(model, lambda: make_config(preset_name, changes, where),
                           keep_tensors=all_tensors)
    if all_tensors:
        _check_stored(model, program)
    inputs = read_inputs(input_path, program)
    with working():
        device = make_device(where, program.config, memory_bytes=program.memory_bytes,
                             latency=latency, bandwidth=bandwidth)
        progress(f"running {model} on {where}, {program.config.name}")
        result = device.run(program, inputs, all_tensors=all_tensors)

    arrays = {f"out{index}": result.outputs[tensor.name]
              for index, tensor in enumerate(program.outputs)}
    facts = {"model": model, "on": where, **report(program, result),
             "outputs": [_describe(key, tensor, array) for tensor, (key, array)
                         in zip(program.outputs, arrays.items())]}
    if all_tensors:
        arrays.update({f"t{tensor.tensor_id}": result.tensors[tensor.name]
                       for tensor in program.tensors + program.outputs
                       if tensor.tensor_id is not None and tensor.name in result.tensors})
    if output_path:
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)      # type: ignore[arg-type]  # numpy's stub lacks this call
        write_output(output_path, buffer.getvalue())
    if as_json:
        print_json(facts)
    else:
        _show(program, arrays, facts)


def _show(program: Program, arrays: dict[str, npt.NDArray[Any]], facts: dict[str, Any]) -> None:
    for index, tensor in enumerate(program.outputs):
        flat = arrays[f"out{index}"].reshape(-1)
        text = " ".join(map(str, flat[:16])) + (" ..." if flat.size > 16 else "")
        click.echo(f"out{index} {tensor.name} {list(tensor.shape)}: {text}")
    if facts["cycles"]:
        click.echo(f"{facts['cycles']:,} cycles, {facts['macs']:,} MACs, "
                   f"{100 * facts['utilisation']:.1f} % of the array, "
                   f"{facts['bytes_read']:,} bytes read, {facts['bytes_written']:,} written")
        busy = facts["counters"].get("CYCLES", facts["cycles"])
        if busy != facts["cycles"]:
            click.echo(f"The cycles count from the start to the interrupt; the device was busy in "
                       f"{busy:,} of them (counter CYCLES).")
