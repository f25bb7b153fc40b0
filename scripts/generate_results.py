"""Measures the benchmarks on the RTL and writes docs/results.md. Nothing in it is typed."""

import json
import pathlib
import sys

import numpy as np

from weft.presets import preset
from weft_host import RtlDevice, compile
from weft_host.measure import measure_dma, measure_gemm

ROOT = pathlib.Path(__file__).resolve().parents[1]
DIGITS = ROOT / "examples" / "digits"
GEMM = (("small", 256, 256, 256), ("ulx3s", 256, 256, 256), ("ulx3s", 1, 512, 512))
DMA = (("small", 65536), ("ulx3s", 65536))
NETWORK = ("tiny", "wide", "tall", "small", "ulx3s")


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


def fpga_rows():
    for path in sorted((ROOT / "build" / "fpga").glob("*/result.json")):
        found = json.loads(path.read_text())
        mhz = list(found["mhz"].values())
        yield (path.parent.name, found["device"], f"{found['median_mhz']:.1f}",
               f"{min(mhz):.1f} to {max(mhz):.1f}", len(mhz), f"{found['luts']:,}",
               f"{found['ffs']:,}", found["dsps"], found.get("block_rams", 0))


def main():
    lines = [
        "# Results", "",
        "`python scripts/generate_results.py` makes this page. Cycles are those of the RTL in",
        "simulation, from start to done, with operands and results in a host memory with 20 cycles",
        "of latency and full bandwidth. Every run was compared with numpy, the emulator or the",
        "reference kernels before its figure was written down.", "",
        "## Matrix products", "", "`weft bench gemm M K N --preset P --on rtl`", "",
        *table(("M × K × N", "preset", "cycles", "ideal", "ratio"), gemm_rows()),
        "## Copies", "", "`weft bench dma BYTES --preset P --on rtl`", "",
        *table(("preset", "direction", "host offset", "local offset", "cycles", "ideal",
                "share of peak"), dma_rows()),
        "## The digits network", "", "`make demo`, or `weft run` on `examples/digits`", "",
        *table(("preset", "array", "cycles an image", "MACs over cells", "utilisation",
                "bytes read", "bytes written"), network_rows()),
    ]
    fpga = list(fpga_rows())
    if fpga:
        lines += [
            "## Area and clock", "",
            "`python scripts/fpga_array.py` and `python scripts/fpga_accelerator.py`: synthesis by",
            "Yosys, place and route by nextpnr. **Estimated by nextpnr, not measured on a board.**",
            "The clock is the median of the seeds.", "",
            *table(("design", "device", "MHz", "range", "seeds", "LUT", "FF", "DSP", "block RAM"),
                   fpga),
        ]
        for path in sorted((ROOT / "build" / "fpga").glob("*/result.json")):
            found = json.loads(path.read_text())
            if found.get("critical_path"):
                steps = found["critical_path"]
                lines += [f"Critical path of {path.parent.name}: from `{steps[0]}` to "
                          f"`{steps[-1]}`, {len(steps)} steps.", ""]
    (ROOT / "docs" / "results.md").write_text("\n".join(lines).rstrip() + "\n")


if __name__ == "__main__":
    main()
