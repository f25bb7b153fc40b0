"""Cycles in docs/results.md against measured ones, which are the same on every machine."""

import pathlib
import re

import pytest

from support.shared_models import NAMES, model_folder
from weft.spec.presets import preset
from weft_host.device import RtlDevice
from weft_host.perf.microbenchmarks import measure_dma, measure_gemm
from weft_host.perf.model_benchmarks import measure_models

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "results.md"
HINT = "docs/results.md is out of date: run python scripts/generate_results.py"


def rows(heading, level="##"):
    """Return the cells of the first table below ``heading``, without the header."""
    section = re.search(rf"^{level} {heading}\n(.*?)(?=^{level} |\Z)", PAGE.read_text(),
                        re.M | re.S)[1]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def number(cell):
    return int(cell.replace(",", ""))


@pytest.fixture(scope="module")
def small():
    with RtlDevice(preset("small"), memory_bytes=1 << 22) as device:
        yield device


def test_page_has_the_cycles_of_matrix_products(small):
    found = [row for row in rows("Matrix products") if row[1] == "small"]
    assert found, "no product on small"
    for sizes, _, cycles, *_ in found:
        m, k, n = map(int, sizes.split(" × "))
        assert measure_gemm(small, m, k, n).cycles == number(cycles), HINT


def test_page_has_the_cycles_of_copies(small):
    found = [row for row in rows("Copies") if row[0] == "small"]
    assert len(found) == 8
    measured = [("small", entry.direction, entry.host_offset, entry.local_offset, entry.cycles)
                for entry in measure_dma(small, 65536)]
    assert [(name, direction, int(host), int(local), number(cycles))
            for name, direction, host, local, cycles, *_ in found] == measured, HINT


@pytest.mark.parametrize("network", NAMES)
def test_page_has_the_cycles_of_networks(small, network):
    """One case suffices, because cycles do not depend on data."""
    (found, status), = measure_models(model_folder(network), small.config, lambda _: small, most=1)
    assert status == 0, found.problem
    cycles = {row[0]: row[2] for row in rows("small, 8 × 8", level="###")}
    assert found.cycles == number(cycles[network]), HINT
