"""Throughput of an SDRAM as a share of its peak, as docs/blocks/sdram.inc shows it."""

import os
import pathlib
import random

import pytest

from support.axi_manager import random_write
from support.memory_bench import read_burst
from support.sdram_bench import CHIPS, KINDS, run
from support.seeds import seed

MEASURED = KINDS[:5]
TABLE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "blocks" / "sdram.inc"
HEAD = ["| chip | word | beat | clock | peak | writes | reads | both |", "|" + "---|" * 8]
BURST_BYTES, BURSTS = 256, 24


def shares(name, width, clock_hz):
    """Yield the shares of the chip's peak for writes, reads, and both, in bursts of 256 bytes.

    They are counted at the chip, so that buffers at the port have no influence.
    """
    chip, beats = CHIPS[name], BURST_BYTES * 8 // width
    draw = random.Random(seed(width))
    addresses = [number * BURST_BYTES for number in range(BURSTS)]
    writes = [random_write(draw, address, beats, width) for address in addresses]
    reads = [read_burst(width, address, beats) for address in addresses]
    other_writes = [random_write(draw, chip.size // 2 + address, beats, width)
                    for address in addresses]
    _, model = run(
        chip, width, clock_hz,
        {"writes": writes[:1]},         # until the chip is initialised
        {"writes": writes[1:]},
        {"reads": reads},
        {"writes": other_writes,
         "reads": [read_burst(width, address, beats) for address in addresses]})
    burst_words = BURST_BYTES * 8 // chip.data_width
    remaining = model.accesses[burst_words:]
    for count in (BURSTS - 1, BURSTS, 2 * BURSTS):
        cycles, remaining = remaining[:count * burst_words], remaining[count * burst_words:]
        assert len(cycles) == count * burst_words
        yield (len(cycles) - 1) / (cycles[-1] - cycles[0])
    assert not remaining


def row_start(name, width, clock_hz):
    """Return the first columns of a row of the table."""
    part, bits = {"ulx3s": "MT48LC16M16", "colorlight": "M12L64322A"}[name], CHIPS[name].data_width
    return (f"| {part} | {bits} bits | {width} bits | {clock_hz / 1e6:g} MHz | "
            f"{clock_hz * bits / 8e6:g} MB/s ")


@pytest.mark.parametrize("name, width, clock_hz", MEASURED)
def test_reaches_most_of_the_peak(name, width, clock_hz):
    writing, reading, both = found = tuple(shares(name, width, clock_hz))
    assert writing >= 0.95 and reading >= 0.95 and both >= 0.85, found
    start = row_start(name, width, clock_hz)
    row = start + "".join(f"| {100 * share:.1f} % " for share in found) + "|"
    table = TABLE.read_text().splitlines() if TABLE.exists() else []
    rows = {line.rsplit("|", 4)[0]: line for line in table}
    if os.environ.get("WEFT_UPDATE"):
        rows[start] = row
        TABLE.write_text("\n".join([*HEAD, *(
            rows[key] for key in (row_start(*kind) for kind in MEASURED) if key in rows)]) + "\n")
    else:
        assert table[:2] == HEAD and list(rows)[2:] == [row_start(*kind) for kind in MEASURED]
        assert rows[start] == row, (
            "update the table with WEFT_UPDATE=1 pytest "
            "tb/unit/host_memory/test_sdram_throughput.py")
