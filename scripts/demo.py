"""Generate Verilog, compile a network, run its images on the RTL and compare every byte."""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
import time
import typing
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Console

from weft.spec.config import Config
from weft.spec.presets import preset
from weft_host import Program, Result, RtlDevice, compile
from weft_host.cli.tables import print_table

ROOT = pathlib.Path(__file__).resolve().parents[1]
DIGITS = ROOT / "examples" / "digits"


def run_images(device: RtlDevice, program: Program, data: Mapping[str, typing.Any],
               count: int) -> tuple[list[Result], list[str]]:
    """Run the first images; return the results and a description of each mismatch."""
    results, mismatches = [], []
    for index in range(count):
        result = device.run(program, [data["images"][index:index + 1]], all_tensors=True)
        results.append(result)
        output, = result.outputs.values()
        if not np.array_equal(output.reshape(-1), data["outputs"][index]):
            mismatches.append(f"image {index}: output")
        arrays = {tensor.tensor_id: result.tensors[tensor.name] for tensor in program.all_tensors
                  if tensor.name in result.tensors}
        for tensor, crc in zip(data["tensors"], data["tensor_crc32"][index]):
            array = arrays.get(int(tensor))
            if array is None or zlib.crc32(array.tobytes()) != crc:
                mismatches.append(f"image {index}: tensor {tensor}")
        if (index + 1) % 10 == 0:
            print(f"  {index + 1} of {count} images", file=sys.stderr)
    return results, mismatches


def print_profile(console: Console, config: Config, program: Program,
                  results: Sequence[Result]) -> None:
    """Print the activity of the units, averaged over the images."""
    mean = {name: sum(result.counters[name] for result in results) / len(results)
            for name in results[0].counters}
    cycles = mean["CYCLES"]
    macs = program.meta["macs"]
    columns = ("unit", "busy", "waits for a token", "waits for memory", "bank conflicts")
    print_table(columns, [
        (unit, *(f"{100 * mean[name] / cycles:.1f} %" if name in mean else "-"
                 for name in (f"{unit}_BUSY", f"{unit}_WAIT_TOKEN", f"{unit}_WAIT_MEMORY",
                              f"{unit}_CONFLICT")))
        for unit in ("LOAD", "MATMUL", "VECTOR", "STORE")], numbers=columns[1:],
        title="Activity of the units: shares of all cycles, mean of the images")
    console.print(
        f"{cycles:,.0f} cycles per image, {macs:,} multiply-adds: "
        f"{100 * macs / (cycles * config.rows * config.cols):.1f} % of the {config.rows} x "
        f"{config.cols} array; a vector entered it in {100 * mean['MAC_BUSY'] / cycles:.1f} % of "
        f"the cycles.\n{mean['BYTES_READ']:,.0f} bytes read, {mean['BYTES_WRITTEN']:,.0f} written "
        f"per image. Simulated RTL, host memory with 20 cycles of latency.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="small")
    parser.add_argument("--images", type=int, default=50, help="number of held-out images")
    options = parser.parse_args()

    config = preset(options.preset)
    console = Console()
    verilog = ROOT / "build" / f"weft_{config.name}.v"
    verilog.parent.mkdir(exist_ok=True)
    subprocess.run([sys.executable, "-m", "weft_host.cli", "verilog", "--preset", config.name,
                    "-o", str(verilog.relative_to(ROOT))], cwd=ROOT, check=True)
    program = compile(DIGITS / "digits.tflite", config, keep_tensors=True)
    console.print(f"digits.tflite: {program.instruction_count} instructions, "
                  f"{program.memory_bytes:,} bytes of host memory")

    data = np.load(DIGITS / "digits.npz")
    count = min(options.images, len(data["images"]))
    with RtlDevice(config, memory_bytes=1 << 20) as device:
        begin = time.monotonic()
        results, mismatches = run_images(device, program, data, count)
        seconds = time.monotonic() - begin
    guesses = [int(np.argmax(next(iter(result.outputs.values())))) for result in results]
    right = sum(guess == label for guess, label in zip(guesses, data["labels"]))
    print_profile(console, config, program, results)
    total = sum(result.cycles or 0 for result in results)
    console.print(f"{total:,} cycles simulated in {seconds:.1f} s.")
    reference = np.mean(data["outputs"].argmax(axis=1) == data["labels"])
    console.print(f"accuracy: {right}/{count} = {100 * right / count:.1f} % (reference results of "
                  f"all {len(data['labels'])} held-out images: {100 * reference:.1f} %)")
    wrong_images = len({message.split(":")[0] for message in mismatches})
    console.print(f"bit-exact: {count - wrong_images}/{count}")
    for message in mismatches[:10]:
        console.print(f"differs from the reference: {message}")
    sys.exit(1 if mismatches else 0)


if __name__ == "__main__":
    main()
