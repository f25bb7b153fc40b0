"""Run the benchmarks on the RTL and check their cycles against the requirements."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import typing
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[1]

# arguments of weft bench, and the maximum of cycles over ideal cycles
GEMM = [
    ("gemm 256 256 256 --preset small", 1.08),
    ("gemm 256 256 256 --preset ulx3s", 1.08),
    ("gemm 1 512 512 --preset ulx3s", 1.15),
]
DMA = "dma 65536 --preset small"
# minimum shares of the bus's peak: with both addresses aligned to beats, and at odd addresses
DMA_ALIGNED, DMA_ODD = 0.95, 0.90


def bench(arguments: str) -> typing.Any:
    """Run ``weft bench`` and return its JSON output."""
    print(f"bench: {arguments}", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "weft_host.cli", "bench", *arguments.split(), "--on", "rtl",
         "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"bench: weft bench {arguments} failed")
    return json.loads(done.stdout)


def measure() -> Iterator[tuple[str, dict[str, typing.Any], str, bool]]:
    """Yield ``(name, result, limit, met)`` of every benchmark."""
    for arguments, limit in GEMM:
        result = bench(arguments)
        yield arguments, result, f"<= {limit}", result["ratio"] <= limit
    for entry in bench(DMA):
        host, local = entry["host_offset"], entry["local_offset"]
        limit = DMA_ODD if host or local else DMA_ALIGNED
        yield (f"{DMA}, {entry['direction']} at {host}, {local}", entry, f">= {limit}",
               entry["ratio"] >= limit)


def main() -> None:
    rows = list(measure())
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "bench.json").write_text(json.dumps(
        [{"name": name, "limit": limit, "met": met, **result}
         for name, result, limit, met in rows],
        indent=1) + "\n")
    print(f"{'benchmark':46} {'cycles':>9} {'ideal':>9} {'ratio':>6}  limit")
    for name, result, limit, met in rows:
        print(f"{name:46} {result['cycles']:9,} {result['ideal_cycles']:9,.0f} "
              f"{result['ratio']:6.3f}  {limit}{'' if met else '  MISSED'}")
    raise SystemExit(0 if all(met for *_, met in rows) else 1)


if __name__ == "__main__":
    main()
