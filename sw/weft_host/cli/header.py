"""``weft header``."""

import click

from ..device import EmulatorDevice
from ..program.c_header import c_header
from .devices import make_config
from .files import InputFile, OutputFile
from .input_arrays import ArraysFile, read_inputs
from .model import load_program
from .options import config_options
from .output import progress, write_output

__all__ = ["header"]


@click.command()
@click.argument("program", type=InputFile())
@config_options
@click.option("--input", "input_path", type=ArraysFile(),
              help="File (.npz) with the inputs in0, in1, ...: their bytes, and those of the "
                   "outputs that the emulator computes from them, are in the header, too. Without "
                   "it, the header has only the offsets and sizes of inputs and outputs.")
@click.option("-o", "--output", required=True, type=OutputFile(), help="C header to write.")
def header(program: str, preset_name: str, changes: tuple[str, ...], input_path: str | None,
           output: str) -> None:
    """Write PROGRAM, a compiled program or a .tflite file, as a header for the C driver.

    The header needs weft.h, the driver in examples/litex/driver.
    """
    loaded = load_program(program, lambda: make_config(preset_name, changes))
    inputs = outputs = None
    if input_path is not None:
        arrays = read_inputs(input_path, loaded)
        c_header(loaded)        # refuses what has no header before the run
        progress(f"running {program} on the emulator, {loaded.config.name}")
        inputs = {tensor.name: array for tensor, array in zip(loaded.inputs, arrays)}
        outputs = EmulatorDevice(loaded.config, memory_bytes=loaded.memory_bytes).run(
            loaded, inputs).outputs
    write_output(output, c_header(loaded, inputs, outputs))
    count = sum(tensor.span for tensor in loaded.outputs)
    click.echo(f"{output}: {loaded.instruction_count} instructions, {loaded.memory_bytes:,} bytes "
               f"of memory, " + (f"{count:,} expected bytes of output" if outputs is not None
                                 else "without bytes of inputs and outputs"))
