"""What the board files claim, and their tops: pins, clocks, sizes, and a ping over the line."""

import dataclasses
import re

import pytest
from amaranth.build import Attrs, Clock, Pins, Resource
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
from amaranth.vendor import LatticeECP5Platform
from amaranth_boards.resources import UARTResource

from weft.host_memory.sdram_chip import M12L64322A, MT48LC16M16
from weft.host_memory.sdram_pins import SdramPins
from weft.spec.link_frames import ANSWER_HEADER, ANSWER_MARK, CRC_BYTES, Command, Info, Status
from weft_boards import board, board_names
from weft_boards._board import Board
from weft_boards._pins import OnPins, make_platform
from weft_boards._pll import RANGES, Pll
from weft_boards._top import BoardTop
from weft_host.link.codec import encode_request

BOARDS = [board(name) for name in board_names()]
IDS = [entry.name for entry in BOARDS]
every_board = pytest.mark.parametrize("entry", BOARDS, ids=IDS)
# the others differ from these in pins and clock only
SMALL = [board("icebreaker"), board("ulx3s_25f")]
BIT = 4                 # cycles of a bit on the line, so that few do
TIMEOUT_US = 10


@every_board
def test_name_is_the_file_s(entry):
    assert board(entry.name) is entry


def test_unknown_boards_are_told_from_known_ones():
    with pytest.raises(ValueError, match=f"^no board 'ulx4s'; there are {', '.join(IDS)}; "
                                         r"docs/porting\.md says how to add one$"):
        board("ulx4s")
    with pytest.raises(ValueError, match="^no board '_top'; "):
        board("_top")


@every_board
def test_pll_makes_the_clock_exactly_and_within_its_ranges(entry):
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
def test_host_link_of_three_megabaud(entry):
    fast = entry.at(baud=3_000_000)
    assert (fast.baud, fast.clock_hz, fast.config) == (3_000_000, entry.clock_hz, entry.config)
    BoardTop.of(fast)


def test_another_clock_and_rate():
    entry = board("icebreaker").at(clock_hz=18_000_000)
    assert (entry.clock_hz, entry.baud, entry.pll.o_hz) == (18_000_000, 1_000_000, 18_000_000)
    with pytest.raises(ValueError, match="^6000000 baud need a clock of at least 24000000 Hz, not "
                                         "18000000$"):
        entry.at(baud=6_000_000)
    with pytest.raises(ValueError, match="^baud must be positive, not 0$"):
        entry.at(baud=0)
    with pytest.raises(ValueError, match="^at 300 baud a byte takes 33333 us, too long for a "
                                         "timeout_us of 10000$"):
        entry.at(baud=300)


@pytest.mark.parametrize("family, device, i_hz, o_hz, message", [
    ("ice40", "iCE40UP5K", 12_000_000, 23_900_000,
     "the PLL of iCE40UP5K cannot make 23.9 MHz from 12 MHz; near are 22.875, 23.25, 23.625, 24"),
    ("ecp5", "LFE5U-85F-6", 25_000_000, 500_000_000,
     "the PLL of LFE5U-85F-6 cannot make 500 MHz from 25 MHz; near are 393.75, 395, "
     "396.875, 400"),
    ("gowin", "GW5A-LV25", 27_000_000, 54_000_000,
     "no PLL ranges for GW5A-LV25; there are ecp5, ice40, GW1NR-LV9, GW2A-LV18"),
    ("ecp5", "LFE5U-85F-6", 4_000_000, 100_000_000,
     "the PLL of LFE5U-85F-6 takes clocks of 8 to 400 MHz, not 4 MHz"),
    ("ice40", "iCE40UP5K", 200_000_000, 24_000_000,
     "the PLL of iCE40UP5K takes clocks of 10 to 133 MHz, not 200 MHz"),
])
def test_pll_rejects(family, device, i_hz, o_hz, message):
    with pytest.raises(ValueError) as caught:
        Pll(family, device, i_hz, o_hz)
    assert str(caught.value) == message


def blocks(width, depth, device):
    """Block RAMs of a memory whose words are written whole: parity bits serve as data."""
    kilobits = device.block_ram_bytes // 512
    return min(-(-width // (9 * wide)) * -(-depth // (512 * kilobits // wide))
               for wide in (1, 2, 4) if wide <= kilobits)


@every_board
def test_memories_fit_the_device(entry):
    device, config = entry.device, entry.config
    if entry.storage == "sdram":
        assert entry.memory_bytes == entry.sdram.size
        entry = dataclasses.replace(entry, storage="block", sdram=None, memory_bytes=4096)
    if entry.storage == "spram":
        words = 8 * entry.memory_bytes // config.bus_width
        assert words % 16384 == 0
        assert words // 16384 * config.bus_width // 16 <= device.wide_rams
        return          # the accelerator's memories do not fit: decision 0009
    lanes = config.spad_banks * config.spad_row_bytes
    needed = (
        lanes * blocks(8, config.spad_bytes // lanes, device)
        + config.wgt_row_bytes // config.wgt_group
        * blocks(8 * config.wgt_group, config.wgt_bytes // config.wgt_row_bytes, device)
        + 2 * blocks(32 * config.cols, config.acc_rows // 2, device)
        + config.vector_lanes * blocks(32, 512, device)                 # tables
        + config.bus_bytes * blocks(8, entry.memory_bytes // config.bus_bytes, device)
        + 2)                                                            # the host link's
    assert needed <= device.block_rams


@every_board
def test_line_is_slow_enough_for_the_clock(entry):
    assert 4 * entry.baud <= entry.clock_hz


class Loop(wiring.Component):
    """What a board's top looks like to its pins: pins and clocks are quickly looked at."""

    def __init__(self, entry):
        sdram = {} if entry.sdram is None else {"sdram": Out(SdramPins(entry.sdram))}
        super().__init__({"rx": In(1), "tx": Out(1), "busy": Out(1), **sdram})

    def elaborate(self, platform):
        m = Module()
        m.d.sync += [self.tx.eq(self.rx), self.busy.eq(~self.rx)]
        return m


def wire_of(netlist, cell, port):
    """What is connected to a port of a submodule of the top, in RTLIL."""
    body = re.search(rf"  cell \\top\.{cell} \\{cell}\n(.*?)\n  end", netlist, re.S)[1]
    return re.search(rf"connect \\{port}(?:\$\d+)? (.*)", body)[1]


@every_board
def test_constraints_name_pins_and_clock(entry):
    platform = make_platform(entry)
    plan = platform.prepare(OnPins(entry, Loop(entry)), "top", debug_verilog=False)
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
    # on an ECP5 the clock waits for the PLL, and nothing is reset
    gated = entry.device.family == "ecp5"
    assert netlist.count("cell \\DCCA ") == gated and ("\\rst" in netlist) != gated
    if gated:
        gate = re.search(r"  cell \\DCCA \\gate\n(.*?)\n  end", netlist, re.S)[1]
        assert r"connect \CLKI \clock" in gate and r"connect \CE \enable" in gate
    if entry.sdram is not None:
        # a register at every pin; tb/unit/host_memory/test_sdram_pins.py has what is in them
        for port, count in (("a", 13), ("ba", 2), ("dq", 16), ("dqm", 2), ("ras", 1), ("cas", 1),
                            ("we", 1), ("cs", 1), ("clk_en", 1), ("clk", 1)):
            assert len(re.findall(rf'COMP "sdram_0__{port}__io(?:\[\d+\])?" SITE', text)) == count
        assert netlist.count("cell \\ODDRX1F") == 1
        assert netlist.count("cell \\OFS1P3DX") >= 13 + 2 + 2 + 5 + 16
        assert netlist.count("cell \\IFS1P3DX") == 16
    for pin, inner, port in (("rx_in", "i", "rx"), ("tx_out", "o", "tx")):
        assert wire_of(netlist, pin, inner) == wire_of(netlist, "top", port)


def decode(levels, bit_cycles):
    """Bytes in the levels of a serial line, one sample a cycle."""
    found, cycle = [], 0
    while cycle < len(levels):
        if levels[cycle]:
            cycle += 1
            continue
        middles = [round(cycle + (1.5 + bit) * bit_cycles) for bit in range(9)]
        if middles[-1] >= len(levels):
            break
        assert levels[middles[-1]], f"no stop bit near cycle {cycle}"
        found.append(sum(levels[middle] << bit for bit, middle in enumerate(middles[:8])))
        cycle = middles[-1]
    return bytes(found)


@pytest.mark.parametrize("entry", SMALL, ids=lambda entry: entry.name)
def test_top_answers_a_ping_over_the_line(entry):
    entry = dataclasses.replace(entry, baud=entry.clock_hz // BIT)
    top = BoardTop.of(entry, simulate=True, timeout_us=TIMEOUT_US)
    levels, lamp = [], []

    async def talk(ctx):
        # until then what comes may be the rest of a frame
        await ctx.tick().repeat(2 * TIMEOUT_US * entry.clock_hz // 1_000_000)
        for byte in encode_request(Command.INFO, 1):
            for bit in (0, *(byte >> index & 1 for index in range(8)), 1):
                ctx.set(top.rx, bit)
                await ctx.tick().repeat(BIT)
        sent = len(levels)
        await ctx.tick().repeat(BIT * 10 * (ANSWER_HEADER.size + Info.FORMAT.size + 20))
        assert 1 in lamp[:sent] and lamp[-1] == 0

    async def listen(ctx):
        async for _, _, tx, busy in ctx.tick().sample(top.tx, top.busy):
            levels.append(tx)
            lamp.append(busy)

    sim = Simulator(top)
    sim.add_clock(1 / entry.clock_hz)
    sim.add_testbench(talk)
    sim.add_testbench(listen, background=True)
    sim.run()
    answer = decode(levels, BIT)
    assert answer[0] == ANSWER_MARK
    status, sequence, _, length = ANSWER_HEADER.unpack_from(answer, 1)
    assert (status, sequence, length) == (Status.OKAY, 1, Info.FORMAT.size)
    info = Info.unpack(answer[1 + ANSWER_HEADER.size + CRC_BYTES:])
    assert (info.board, info.clock_hz, info.baud) == (entry.name, entry.clock_hz, entry.baud)
    assert (info.memory_base, info.memory_bytes) == (0, entry.memory_bytes)
    assert info.bus_bytes == entry.config.bus_bytes


class OwnPlatform(LatticeECP5Platform):
    device, package, speed = "LFE5U-25F", "BG381", "6"
    default_clk = "clk25"
    resources = [
        Resource("clk25", 0, Pins("G2", dir="i"), Clock(25e6), Attrs(IO_TYPE="LVCMOS33")),
        UARTResource(0, rx="M1", tx="L4", attrs=Attrs(IO_TYPE="LVCMOS33")),
    ]
    connectors = []


class NoSerialLine(OwnPlatform):
    resources = OwnPlatform.resources[:1]


class NoClock(OwnPlatform):
    resources = [Resource("clk25", 0, Pins("G2", dir="i")), OwnPlatform.resources[1]]


def test_a_board_may_bring_its_platform():
    entry = dataclasses.replace(board("ulx3s_25f"), platform=OwnPlatform)
    assert (entry.input_hz, entry.platform_class) == (25_000_000, OwnPlatform)
    plan = make_platform(entry).prepare(OnPins(entry, Loop(entry)), "top", debug_verilog=False)
    assert 'LOCATE COMP "uart_0__tx__io" SITE "L4";' in plan.files["top.lpf"]


@pytest.mark.parametrize("changes, message", [
    ({"platform": "ulx4s:ULX4S"}, "amaranth-boards has no platform 'ulx4s:ULX4S', module:class: No "
     "module named 'amaranth_boards.ulx4s'"),
    ({"platform": "ulx3s:ULX4S"}, "amaranth-boards has no platform 'ulx3s:ULX4S', module:class: "
     "module 'amaranth_boards.ulx3s' has no attribute 'ULX4S'"),
    ({"platform": "ulx3s"}, "amaranth-boards has no platform 'ulx3s', module:class: module "
     "'amaranth_boards.ulx3s' has no attribute ''"),
    ({"platform": NoSerialLine}, "NoSerialLine has no resource 'uart' with number 0; add it with "
     "resources="),
    ({"platform": OwnPlatform, "storage": "sdram", "sdram": M12L64322A,
      "memory_bytes": M12L64322A.size},
     "OwnPlatform has no resource 'sdram' with number 0; add it with resources="),
    ({"platform": NoClock}, "NoClock has no resource that default_clk, 'clk25', names, with a "
     "Clock"),
    ({"storage": "blocks"}, "storage must be one of block, spram, spram_model, sdram, not "
     "'blocks'"),
    ({"memory_bytes": 48 * 1024}, "memory_bytes must be a power of two of at least 4096, not "
     "49152"),
    ({"memory_bytes": 2048}, "memory_bytes must be a power of two of at least 4096, not 2048"),
    ({"storage": "spram"}, "LFE5U-25F-6 has 0 bytes for storage 'spram', memory_bytes is 32768"),
    ({"memory_bytes": 1 << 20}, "LFE5U-25F-6 has 114688 bytes for storage 'block', memory_bytes "
     "is 1048576"),
])
def test_board_rejects_what_cannot_work(changes, message):
    with pytest.raises(ValueError) as caught:
        dataclasses.replace(board("ulx3s_25f"), **changes)
    assert str(caught.value) == message


@pytest.mark.parametrize("platform", ["ulx3s:os", Board, None])
def test_board_rejects_what_is_no_platform(platform):
    with pytest.raises(TypeError) as caught:
        dataclasses.replace(board("ulx3s_25f"), platform=platform)
    assert str(caught.value) == ("platform must be a platform class of Amaranth, or the name of "
                                 f"one in amaranth-boards, not {platform!r}")


def test_board_rejects_a_clock_that_its_sdram_cannot_have():
    with pytest.raises(ValueError, match="^the SDRAM runs at 133.333 MHz at most, not at 150 MHz$"):
        board("ulx3s_85f_sdram").at(clock_hz=150_000_000)


def test_board_rejects_an_sdram_wider_than_its_bus():
    entry = board("ulx3s_85f_sdram")
    chip = dataclasses.replace(entry.sdram, data_width=64)
    with pytest.raises(ValueError, match="^bus_width of 32 is less than the 64 bits of the "
                                         "SDRAM$"):
        dataclasses.replace(entry, changes={**entry.changes, "bus_width": 32}, sdram=chip,
                            memory_bytes=chip.size)


def test_board_rejects_a_memory_without_addresses():
    entry = board("ulx3s_85f")
    with pytest.raises(ValueError, match="^memory_bytes of 262144 need more than addr_width 17$"):
        dataclasses.replace(entry, changes={**entry.changes, "addr_width": 17})


def test_board_rejects_an_spram_in_parts():
    with pytest.raises(ValueError, match="^SPRAM on a bus of 32 bits comes in units of 65536 "
                                         "bytes, memory_bytes is 32768$"):
        dataclasses.replace(board("icebreaker"), memory_bytes=32 * 1024)


def test_ranges_of_a_new_series_are_found_by_the_beginning_of_its_name(monkeypatch):
    monkeypatch.setitem(RANGES, "GW1NSR-LV4C", RANGES["GW1NR-LV9"])
    assert Pll("gowin", "GW1NSR-LV4CQN48PC7/I6", 27_000_000, 54_000_000).o_hz == 54_000_000


@pytest.mark.parametrize("changes, message", [
    *(({"sdram": dataclasses.replace(MT48LC16M16, **change), "memory_bytes": size},
       f"^the SDRAM of Radiona ULX3S 85F, with its SDRAM has {there} pins '{name}', its chip "
       f"{wanted}$") for change, size, name, there, wanted in (
        ({"row_bits": 12}, 1 << 24, "a", 13, 12), ({"bank_bits": 1}, 1 << 24, "ba", 2, 1),
        ({"data_width": 32}, 1 << 26, "dq", 16, 32), ({"data_width": 8}, 1 << 24, "dq", 16, 8))),
    ({"sdram": dataclasses.replace(MT48LC16M16, cas={3: 166e6}), "clock_hz": 150_000_000},
     "^words of an SDRAM arrive too late at 150 MHz; the fastest clock is 140 MHz$"),
    ({"sdram": None}, "^storage 'sdram' and sdram None do not belong together$"),
    ({"memory_bytes": 4096}, "^memory_bytes must be the SDRAM's 33554432, not 4096$"),
])
def test_board_rejects_an_sdram_that_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(board("ulx3s_85f_sdram"), **changes)


def test_a_top_with_an_sdram_needs_to_know_it():
    with pytest.raises(ValueError, match="^storage 'sdram' needs sdram, the chip$"):
        BoardTop(config=BOARDS[0].config, clock_hz=1_000_000, baud=10_000, memory_bytes=4096,
                 storage="sdram", name="any")


def test_an_sdram_without_masks_is_refused():
    entry = board("colorlight_5a75b")
    with pytest.raises(ValueError, match="^the SDRAM of .*5A-75B.* has no pins for byte masks; a "
                                         "part of a beat could not be written$"):
        dataclasses.replace(
            entry, changes={**entry.changes, "addr_width": 24}, storage="sdram", sdram=M12L64322A,
            memory_bytes=M12L64322A.size)


def test_board_rejects_a_long_name():
    fields = {field.name: getattr(BOARDS[0], field.name) for field in dataclasses.fields(Board)}
    with pytest.raises(ValueError, match="^name must have at most 16 characters, not "
                                         "'a_name_of_many_letters'$"):
        Board(**{**fields, "name": "a_name_of_many_letters"})
