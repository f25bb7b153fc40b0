"""The benchmarks and their bars, in cycles of the RTL; fails if a bar is missed."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]

# arguments of weft bench, and the bar: cycles in ideal cycles, at most
GEMM = [
    ("gemm 256 256 256 --preset small", 1.08),
    ("gemm 256 256 256 --preset ulx3s", 1.08),
    ("gemm 1 512 512 --preset ulx3s", 1.15),
]
DMA = "dma 65536 --preset small"
# shares of the bus's peak, at least: with both addresses on whole beats, and at odd ones
DMA_ALIGNED, DMA_ODD = 0.95, 0.90


def bench(arguments):
    print(f"bench: {arguments}", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "weft_host.cli", "bench", *arguments.split(), "--on", "rtl",
         "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"bench: weft bench {arguments} failed")
    return json.loads(done.stdout)


def measure():
    """``(name, result, bar, met)`` of every benchmark."""
    for arguments, bar in GEMM:
        result = bench(arguments)
        yield arguments, result, f"<= {bar}", result["ratio"] <= bar
    for entry in bench(DMA):
        host, local = entry["host_offset"], entry["local_offset"]
        bar = DMA_ODD if host or local else DMA_ALIGNED
        yield (f"{DMA}, {entry['direction']} at {host}, {local}", entry, f">= {bar}",
               entry["ratio"] >= bar)


def main():
    rows = list(measure())
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "bench.json").write_text(json.dumps(
        [{"name": name, "bar": bar, "met": met, **result} for name, result, bar, met in rows],
        indent=1) + "\n")
    print(f"{'benchmark':46} {'cycles':>9} {'ideal':>9} {'ratio':>6}  bar")
    for name, result, bar, met in rows:
        print(f"{name:46} {result['cycles']:9,} {result['ideal_cycles']:9,.0f} "
              f"{result['ratio']:6.3f}  {bar}{'' if met else '  MISSED'}")
    raise SystemExit(0 if all(met for *_, met in rows) else 1)


if __name__ == "__main__":
    main()
