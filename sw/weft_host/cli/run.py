"""``weft run``."""

import io
import os
import zipfile
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from ..device import Result
from ..errors import InputError
from ..program.file import Program
from .devices import make_config, make_device
from .model import load_program
from .options import config_options, device_options, json_option, model_argument
from .output import OutputFile, print_json, progress, write_output

__all__ = ["read_inputs", "report", "run"]


def read_inputs(path: str | os.PathLike[str], program: Program) -> list[npt.NDArray[Any]]:
    """Read the arrays ``in0``, ``in1``, ... of an .npz file, in the program's order.

    Raises
    ------
    InputError
        If the file cannot be read or an array is missing.
    """
    arrays: list[npt.NDArray[Any]] = []
    try:
        archive = np.load(path, allow_pickle=False)
        if not hasattr(archive, "files"):
            raise ValueError("it contains a single array; an .npz file with in0 is expected")
        for index in range(len(program.inputs)):
            if f"in{index}" not in archive.files:
                raise InputError(f"{path} has no array in{index}; it has "
                                 f"{', '.join(archive.files) or 'none'}")
            arrays.append(archive[f"in{index}"])
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        # numpy advises to load such a file with pickle, which executes code of the file
        reason = ("it contains no arrays of numbers; write it with numpy.savez"
                  if "pickle" in str(error) else error)
        raise InputError(f"{path} is not a readable .npz file: {reason}") from None
    return arrays


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


@click.command()
@model_argument
@click.option("--input", "input_path", required=True, type=click.Path(exists=True, dir_okay=False),
              help="File (.npz) with the inputs in0, in1, ...; other arrays are ignored.")
@click.option("--output", "output_path", type=OutputFile(),
              help="File (.npz) to write the outputs out0, out1, ... to.")
@click.option("--all-tensors", is_flag=True,
              help="Also write t<i> for each tensor i of the model that the device computes. A "
                   "model is compiled so that all tensors are stored, which costs cycles.")
@device_options
@config_options
@json_option
def run(model: str, input_path: str, output_path: str | None, all_tensors: bool, where: str,
        latency: int, bandwidth: float, preset_name: str, changes: tuple[str, ...],
        as_json: bool) -> None:
    """Run MODEL, a .tflite file or a compiled program, on a device."""
    program = load_program(model, lambda: make_config(preset_name, changes, where),
                           keep_tensors=all_tensors)
    inputs = read_inputs(input_path, program)
    device = make_device(where, program.config, memory_bytes=program.memory_bytes, latency=latency,
                         bandwidth=bandwidth)
    progress(f"running {model} on {where}, {program.config.name}")
    result = device.run(program, inputs, all_tensors=all_tensors)

    arrays = {f"out{index}": result.outputs[tensor.name]
              for index, tensor in enumerate(program.outputs)}
    if all_tensors:
        arrays.update({f"t{tensor.tensor_id}": result.tensors[tensor.name]
                       for tensor in program.tensors + program.outputs
                       if tensor.tensor_id is not None and tensor.name in result.tensors})
    if output_path:
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)      # type: ignore[arg-type]  # numpy's stub lacks this call
        write_output(output_path, buffer.getvalue())
    facts = {"model": model, "on": where, **report(program, result)}
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
