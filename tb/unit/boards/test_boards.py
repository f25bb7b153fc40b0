"""All boards: name, clock, memories, host link and constraints."""

import dataclasses
import gc
import re
import warnings

import pytest
from amaranth.back.rtlil import convert
from amaranth.hdl import Module

from support.pin_loop import PinLoop
from weft.spec.integers import ceil_div
from weft_boards import board, board_names
from weft_boards._pins import DeviceTop, make_platform
from weft_boards._pll import RANGES
from weft_boards._top import BoardTop

BOARDS = [board(name) for name in board_names()]
IDS = [entry.name for entry in BOARDS]
every_board = pytest.mark.parametrize("entry", BOARDS, ids=IDS)


@every_board
def test_the_name_is_that_of_the_file(entry):
    assert board(entry.name) is entry


def test_an_unknown_name_is_rejected_with_a_list_of_all_boards():
    with pytest.raises(ValueError, match=f"^no board 'ulx4s'; there are {', '.join(IDS)}; "
                                         r"docs/porting\.md explains how to add one$"):
        board("ulx4s")
    with pytest.raises(ValueError, match="^no board '_top'; "):
        board("_top")


@every_board
def test_the_platform_has_all_pins_and_the_clock(entry):
    entry.check_platform()


@every_board
def test_the_pll_generates_the_clock_exactly_and_within_its_ranges(entry):
    pll = entry.pll
    divide, multiply, out = pll.dividers
    if entry.device.family == "ice40":
        top, bottom, vco_out = multiply + 1, (divide + 1) << out, 1 << out
    elif entry.device.family == "gowin":
        top, bottom, vco_out = multiply + 1, divide + 1, out
    else:
        top, bottom, vco_out = multiply, divide, out
    assert entry.input_hz * top == entry.clock_hz * bottom
    assert pll.vco_hz == entry.clock_hz * vco_out
    ranges = RANGES[entry.device.family if entry.device.family in RANGES else "GW2A-LV18"]
    for value, (low, high) in zip((pll.detector_hz, pll.vco_hz, entry.clock_hz), ranges):
        assert low <= value <= high
    assert entry.input_hz % (pll.detector_hz) == 0


@every_board
def test_supports_three_megabaud(entry):
    fast = entry.at(baud=3_000_000)
    assert (fast.baud, fast.clock_hz, fast.config) == (3_000_000, entry.clock_hz, entry.config)
    BoardTop.of(fast)


@every_board
def test_the_clock_is_at_least_four_times_the_baud_rate(entry):
    assert 4 * entry.baud <= entry.clock_hz


def blocks(width, depth, device):
    """Return the number of block RAMs of a memory without byte strobes; parity bits are data."""
    kilobits = device.block_ram_bytes // 512
    return min(ceil_div(width, 9 * wide) * ceil_div(depth, 512 * kilobits // wide)
               for wide in (1, 2, 4) if wide <= kilobits)


@every_board
def test_all_memories_fit_the_device(entry):
    device, config = entry.device, entry.config
    if entry.storage == "sdram":
        assert entry.memory_bytes == entry.sdram.size
        entry = dataclasses.replace(entry, storage="block", sdram=None, memory_bytes=4096)
    if entry.storage == "spram":
        words = 8 * entry.memory_bytes // config.bus_width
        assert words % 16384 == 0
        assert words // 16384 * config.bus_width // 16 <= device.wide_rams
        return          # block RAM of the serial engine: docs/decisions/0009-serial-engine.md
    lanes = config.spad_banks * config.spad_row_bytes
    needed = (
        lanes * blocks(8, config.spad_bytes // lanes, device)
        + config.wgt_row_bytes // config.wgt_group
        * blocks(8 * config.wgt_group, config.wgt_bytes // config.wgt_row_bytes, device)
        + 2 * blocks(32 * config.cols, config.acc_rows // 2, device)
        + config.vector_lanes * blocks(32, 512, device)                 # tables
        + config.bus_bytes * blocks(8, entry.memory_bytes // config.bus_bytes, device)
        + 2)                                                            # host link
    assert needed <= device.block_rams


def connection(netlist, cell, port):
    """Return the connection of a port of a submodule of the top, in RTLIL."""
    body = re.search(rf"  cell \\top\.{cell} \\{cell}\n(.*?)\n  end", netlist, re.S)[1]
    return re.search(rf"connect \\{port}(?:\$\d+)? (.*)", body)[1]


@every_board
def test_constraints_contain_all_pins_and_the_clock(entry):
    platform = make_platform(entry)
    plan = platform.prepare(DeviceTop(entry, PinLoop(entry.sdram)), "top", debug_verilog=False)
    name, = (name for name in plan.files if name.endswith((".lpf", ".pcf", ".cst")))
    text = plan.files[name]
    text = text.decode() if isinstance(text, bytes) else text
    sites = []
    for port in (f"{platform.default_clk}_0__io", "uart_0__rx__io", "uart_0__tx__io"):
        site = re.search(rf'(?:COMP|IO_LOC|set_io) "?{port}"?(?: SITE)? "?([A-Z]*[0-9]+)"?', text)
        assert site, f"{port} has no pin in {text}"
        sites.append(site[1])
    assert len(set(sites)) == 3
    if entry.device.family == "ecp5":
        assert f'FREQUENCY NET "clock" {entry.clock_hz}.0 HZ;' in text
    elif entry.device.family == "ice40":
        assert f"set_frequency clock {entry.clock_hz / 1e6}" in text
    netlist = plan.files["top.il"]
    netlist = netlist.decode() if isinstance(netlist, bytes) else netlist
    assert netlist.count({"ecp5": "EHXPLLL", "ice40": "SB_PLL40_PAD",
                          "gowin": "rPLL"}[entry.device.family]) == 1
    # on an ECP5, the clock is gated until the PLL has locked, and there is no reset
    gated = entry.device.family == "ecp5"
    assert netlist.count("cell \\DCCA ") == gated and ("\\rst" in netlist) != gated
    if gated:
        gate = re.search(r"  cell \\DCCA \\gate\n(.*?)\n  end", netlist, re.S)[1]
        assert r"connect \CLKI \clock" in gate and r"connect \CE \enable" in gate
    if entry.sdram is not None:
        # a register at every pin; test_sdram_pins.py checks their contents
        for port, count in (("a", 13), ("ba", 2), ("dq", 16), ("dqm", 2), ("ras", 1), ("cas", 1),
                            ("we", 1), ("cs", 1), ("clk_en", 1), ("clk", 1)):
            assert len(re.findall(rf'COMP "sdram_0__{port}__io(?:\[\d+\])?" SITE', text)) == count
        assert netlist.count("cell \\ODDRX1F") == 1
        assert netlist.count("cell \\OFS1P3DX") >= 13 + 2 + 2 + 5 + 16
        assert netlist.count("cell \\IFS1P3DX") == 16
    for pin, inner, port in (("rx_in", "i", "rx"), ("tx_out", "o", "tx")):
        assert connection(netlist, pin, inner) == connection(netlist, "top", port)


def test_the_latency_of_a_memory_is_computed_without_warnings():
    """Amaranth warns of unused components once a design has been elaborated."""
    convert(Module(), ports=[])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for entry in BOARDS:
            assert dataclasses.replace(entry).read_latency >= 5
        gc.collect()
    assert not [warning for warning in caught if "host_memory" in str(warning.message)]


@every_board
def test_the_kind_of_memory_is_named(entry):
    kinds = dict.fromkeys(
        ("colorlight_5a75b", "ecpix5_85f", "orangecrab_85f", "tang_primer_20k", "ulx3s_25f",
         "ulx3s_85f"), "block RAM") | {"ulx3s_85f_sdram": "SDRAM", "icebreaker": "SPRAM"}
    # a board that a user adds is not in the table
    expected = {kinds[entry.name]} if entry.name in kinds else {"block RAM", "SDRAM", "SPRAM"}
    assert entry.memory_kind in expected
