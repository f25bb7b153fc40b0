"""From pins to a bitstream with the real tools, on designs that take seconds."""

import json
import re
import subprocess

import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

import bitstream
import flash
from nextpnr_report import read_timing
from weft_boards import board, board_names


class Counting(wiring.Component):
    """What a board's top looks like to its pins.

    ``width`` bits of counter, whose carry takes its time, and after it as many flip-flops in
    each of ``delay`` stages.
    """

    def __init__(self, width, delay=4):
        self.width = width
        self.delay = delay
        super().__init__({"rx": In(1), "tx": Out(1), "busy": Out(1)})

    def elaborate(self, platform):
        m = Module()
        counter = Signal(self.width)
        stages = [counter, *(Signal(self.width, name=f"stage{index}")
                             for index in range(self.delay))]
        m.d.sync += [after.eq(before) for before, after in zip(stages, stages[1:])]
        m.d.sync += [counter.eq(counter + self.rx), self.tx.eq(stages[-1].xor()),
                     self.busy.eq(~counter[-1])]
        return m


class Slowest(Counting):
    """The same, with a product or a word of memory in place of the slowest carries.

    ``kind`` is ``product``, or how many words the memory has; 16 are in look-up tables.
    """

    def __init__(self, kind):
        self.kind = kind
        super().__init__(18, delay=1)

    def elaborate(self, platform):
        m = super().elaborate(platform)
        word, out = Signal(18), Signal(36)
        m.d.sync += word.eq(Cat(word[1:], self.rx))
        if self.kind == "product":
            m.d.sync += out.eq(word * word)
        else:
            m.submodules.memory = memory = Memory(shape=18, depth=self.kind, init=[])
            read = memory.read_port(domain="comb" if self.kind == 16 else "sync")
            write = memory.write_port()
            m.d.comb += [read.addr.eq(word), write.addr.eq(word), write.data.eq(~word),
                         write.en.eq(self.rx)]
            m.d.sync += out.eq(read.data * 5)
        m.d.sync += self.tx.eq(out.xor())
        return m


# nextpnr for Gowin reads its description of the device for minutes: not here
@pytest.mark.parametrize("name, suffix, seeds", [
    ("icebreaker", "bin", [1, 2]), ("ulx3s_25f", "bit", [1])])
def test_builds(name, suffix, seeds, tmp_path, capsys):
    result = bitstream.build(board(name), seeds, folder=tmp_path, top=Counting(8))
    assert result["fits"] and result["met"] and list(result["mhz"]) == seeds
    assert result["mhz_best"] == max(result["mhz"].values()) >= board(name).clock_hz / 1e6
    assert 0 < result["used"]["ffs"][0] < 100 < result["used"]["ffs"][1]
    assert 0 < result["used"]["logic"][0] < 200
    assert (tmp_path / f"{name}.{suffix}").stat().st_size > 1000
    assert (tmp_path / "floorplan.png").read_bytes()[1:4] == b"PNG"
    assert json.loads((tmp_path / "result.json").read_text())["board"] == name
    assert "slowest path" in capsys.readouterr().out


def test_a_seed_is_placed_once(tmp_path, capsys):
    def build(seeds, width=8, hertz=24_000_000):
        result = bitstream.build(board("icebreaker").at(clock_hz=hertz), seeds, folder=tmp_path,
                                 top=Counting(width))
        told = capsys.readouterr().err
        return result, [seed for seed in (1, 2) if f"seed {seed}: the netlist is placed" in told]

    first, kept = build([1])
    assert not kept
    second, kept = build([1, 2])
    assert kept == [1] and second["mhz"][1] == first["mhz"][1]
    assert second["place_seconds"][1] == first["place_seconds"][1]
    assert build([2, 1])[1] == [1, 2]
    (tmp_path / "top-2.config").unlink()
    assert build([2, 1])[1] == [1]
    for changed in ({"width": 9}, {"width": 9, "hertz": 19_500_000}):
        assert not build([1], **changed)[1] and build([1], **changed)[1] == [1]


def test_an_ecp5s_places_are_kept_by_themselves_and_its_ways_taken(tmp_path, capsys):
    def build():
        """The clock, and whether the places were there."""
        result = bitstream.build(board("ulx3s_25f"), [1], folder=tmp_path, top=Counting(32))
        return result["mhz"][1], "seed 1: the cells have their places already" in \
            capsys.readouterr().err

    mhz, kept = build()
    assert not kept
    ways = int(re.search(r"round 0: (\d+) ways", (tmp_path / "route-1.log").read_text())[1])
    left = int(re.search(r"Routing (\d+) arcs", (tmp_path / "nextpnr-1.log").read_text())[1])
    assert left < ways / 2                      # clocks, and what has no length
    (tmp_path / "seed-1.json").unlink()
    assert build() == (mhz, True)
    for gone in ("refined-1.json", "places-1.json"):
        (tmp_path / "seed-1.json").unlink()
        (tmp_path / gone).unlink()
        assert build() == (mhz, False)
    assert not list(tmp_path.glob("routed-*")) and not list(tmp_path.glob("*.whole"))


@pytest.mark.parametrize("top", [
    Counting(48), Slowest("product"), Slowest(1024), Slowest(16)],
    ids=["carries", "product", "block RAM", "memory in tables"])
def test_what_an_ecp5_is_routed_for_is_what_nextpnr_says(top, tmp_path):
    bitstream.build(board("ulx3s_25f"), [1], folder=tmp_path, top=top)
    paths = json.loads((tmp_path / "report-1.json").read_text())["critical_paths"]
    slowest = max(sum(step["delay"] for step in path["path"]) for path in paths)    # pads', too
    estimate = re.search(r"routed: slowest ([\d.]+) ns", (tmp_path / "route-1.log").read_text())[1]
    assert float(estimate) == pytest.approx(slowest, rel=0.01)


def test_fails_when_timing_is_missed(tmp_path):
    slow = board("icebreaker").at(clock_hz=135_000_000)
    (tmp_path / "icebreaker.bin").write_bytes(b"an old one")
    with pytest.raises(SystemExit, match=r"^icebreaker: misses 135 MHz: place and route reached "
                                         r"\d+\.\d MHz\. No bitstream was written\. A slower one: "
                                         r"make bitstream BOARD=icebreaker CLOCK=[\d.]+; another "
                                         r"try: SEEDS='4 5 6'$") as caught:
        bitstream.build(slow, [1], folder=tmp_path, top=Counting(64))
    reached, lower = re.findall(r"reached ([\d.]+) .*CLOCK=([\d.]+)", str(caught.value))[0]
    assert slow.at(clock_hz=round(float(lower) * 1e6)).clock_hz <= float(reached) * 1e6
    assert not (tmp_path / "icebreaker.bin").exists()
    assert not json.loads((tmp_path / "result.json").read_text())["met"]


def test_fails_when_it_does_not_fit(tmp_path):
    with pytest.raises(SystemExit, match=r"^icebreaker: icebreaker\S* does not fit the iCE40UP5K: "
                                         r"ICESTORM_LC 6,\d+ of 5,280; log in \S+$"):
        bitstream.build(board("icebreaker"), [1], folder=tmp_path, top=Counting(32, delay=190))
    result = json.loads((tmp_path / "result.json").read_text())
    assert not result["fits"] and result["used"]["logic"][0] > 5280


def test_flash_says_what_it_would_run(capsys):
    flash.main(["--board", "icebreaker", "--dry-run"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"iceprog {flash.bitstream_of(board('icebreaker'))}"


@pytest.mark.parametrize("name", board_names())
def test_flash_needs_a_program_that_it_knows(name, monkeypatch, tmp_path):
    chosen = board(name)
    assert "{bitstream}" in chosen.flash and chosen.flash[0] in flash.INSTALL
    monkeypatch.setattr(flash, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match=rf"is missing: run make bitstream BOARD={name} first$"):
        flash.main(["--board", name])
    flash.bitstream_of(chosen).parent.mkdir(parents=True)
    flash.bitstream_of(chosen).write_bytes(b"")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=f"needs {chosen.flash[0]}, which is not installed"):
        flash.main(["--board", name])


def test_flash_reports_a_failure_of_the_program(monkeypatch, tmp_path):
    monkeypatch.setattr(flash, "ROOT", tmp_path)
    flash.bitstream_of(board("icebreaker")).parent.mkdir(parents=True)
    flash.bitstream_of(board("icebreaker")).write_bytes(b"")
    program = tmp_path / "iceprog"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(SystemExit, match="^flash: iceprog ended with status 3; is the board"):
        flash.main(["--board", "icebreaker"])


@pytest.mark.parametrize("program, status", [("printf half > {}; exit 1", 1), (":", 0)])
def test_a_packer_that_fails_leaves_no_bitstream(program, status, monkeypatch, tmp_path):
    made = tmp_path / "icebreaker.bin"
    monkeypatch.setattr(bitstream, "pack_command", lambda *arguments, **options: ["icepack"])
    monkeypatch.setattr(bitstream, "run_watched", lambda *arguments: subprocess.run(
        ["sh", "-c", program.format(made)], check=False).returncode and (1, 0.1) or (0, 0.1))
    with pytest.raises(SystemExit, match=f"ended with status {status} and without a bitstream; "):
        bitstream.pack(board("icebreaker"), tmp_path, made, (), seed=1)
    assert not made.exists()


def test_what_cannot_be_asked_for_leaves_what_was_built(monkeypatch, tmp_path):
    monkeypatch.setattr(bitstream, "ROOT", tmp_path)
    made = tmp_path / "build" / "icebreaker" / "icebreaker.bin"
    made.parent.mkdir(parents=True)
    made.write_bytes(b"good")
    no_clock = "the clock must be a positive number of MHz, not "
    for options, why in ((["--clock", "inf"], f"{no_clock}inf"),
                         (["--clock", "nan"], f"{no_clock}nan"), (["--clock=-1"], f"{no_clock}-1"),
                         (["--clock", "23.9"], "cannot make 23.9 MHz"),
                         (["--baud", "9000000"], "9000000 baud need a clock of")):
        monkeypatch.setattr("sys.argv", ["bitstream.py", "--board", "icebreaker", *options])
        with pytest.raises(SystemExit, match=f"^bitstream: .*{why}"):
            bitstream.main()
    assert made.read_bytes() == b"good"


def test_a_clock_that_is_missed_by_a_little_is_missed(tmp_path):
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"fmax": {"clk": {"achieved": 23.96, "constraint": 24.0}},
                                  "critical_paths": []}))
    assert read_timing(report, 24).mhz == 23.9


def test_the_slowest_path_is_that_of_the_clock_asked_for_not_of_one_named_alike(tmp_path):
    def path(clock, cell):
        return {"from": f"posedge {clock}", "to": f"posedge {clock}", "path": [
            {"type": "routing", "delay": 1.0, "from": {"cell": cell, "port": "Q"},
             "to": {"cell": cell, "port": "D"}}]}

    report = tmp_path / "report.json"
    report.write_text(json.dumps({
        "fmax": {"$glbnet$sdram_clk": {"achieved": 397.3, "constraint": 100},
                 "clk": {"achieved": 105.29, "constraint": 100}},
        "critical_paths": [path("$glbnet$sdram_clk", "pin"), path("clk", "fetch")]}))
    timing = read_timing(report, 100)
    assert timing.mhz == 105.2
    assert timing.path == [("routing", 1.0, "fetch.Q", "fetch.D")]
