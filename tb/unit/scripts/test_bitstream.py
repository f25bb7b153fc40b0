"""Builds of bitstreams with the real tools, of designs that take seconds."""

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys

import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

import bitstream
from nextpnr_report import read_timing
from support.made_once import made_once
from weft_boards import board


@pytest.fixture
def shared_build(tmp_path_factory):
    """Return a function that returns the folder of a counter's build with seed 1.

    All tests share the folder, and do not change it.
    """
    def get(name, width=8):
        def build(folder):
            messages = io.StringIO()
            with contextlib.redirect_stderr(messages):
                bitstream.build(board(name), [1], folder=folder, top=Counting(width))
            assert "up to date" not in messages.getvalue()

        return made_once(tmp_path_factory, f"{name}-{width}", build)
    return get


@pytest.fixture
def copied_build(shared_build, tmp_path):
    """Return a function that copies a shared build to ``tmp_path``."""
    return lambda *design: shutil.copytree(shared_build(*design), tmp_path, dirs_exist_ok=True)


@pytest.fixture
def compiled_once(shared_build, monkeypatch):
    """Copy the programs of ecp5_pnr to each build, instead of compiling them."""
    compiled = shared_build("ulx3s_25f")

    def copy_programs(folder):
        for name in ("refine", "route"):
            shutil.copy2(compiled / name, folder)

    monkeypatch.setattr("ecp5_flow.compile_programs", copy_programs)


class Counting(wiring.Component):
    """Component with the ports of a board's top: a counter and a delay line.

    The counter has ``width`` bits, whose carry chain is the critical path. The delay line has
    ``delay`` stages of as many flip-flops.
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
    """Component whose critical path leads through a multiplier or a memory.

    ``kind`` is ``product``, or the number of words of the memory; 16 words are in LUTs.
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


# without Gowin: nextpnr takes minutes to read its database of the device
@pytest.mark.parametrize("name, suffix, seeds", [
    ("icebreaker", "bin", [1, 2]), ("ulx3s_25f", "bit", [1])])
def test_builds(name, suffix, seeds, tmp_path, capsys, compiled_once, copied_build):
    copied_build(name)
    result = bitstream.build(board(name), seeds, folder=tmp_path, top=Counting(8))
    assert result["fits"] and result["met"] and list(result["mhz"]) == seeds
    assert result["mhz_best"] == max(result["mhz"].values()) >= board(name).clock_hz / 1e6
    assert 0 < result["used"]["ffs"][0] < 100 < result["used"]["ffs"][1]
    assert 0 < result["used"]["logic"][0] < 200
    assert (tmp_path / f"{name}.{suffix}").stat().st_size > 1000
    assert (tmp_path / "floorplan.png").read_bytes()[1:4] == b"PNG"
    kept = json.loads((tmp_path / "result.json").read_text())
    assert kept["board"] == name
    assert kept["pnr"] == ("ecp5_pnr" if suffix == "bit" else "nextpnr")
    assert "critical path" in capsys.readouterr().out


def test_nextpnr_alone_needs_no_ecp5_pnr(tmp_path, capsys, compiled_once, copied_build):
    def build(pnr):
        result = bitstream.build(board("ulx3s_25f"), [1], folder=tmp_path, top=Counting(8),
                                 pnr=pnr)
        assert "place and route is up to date" not in capsys.readouterr().err
        assert json.loads((tmp_path / "result.json").read_text())["pnr"] == result["pnr"]
        assert (tmp_path / "ulx3s_25f.bit").stat().st_size > 1000
        return result["pnr"]

    copied_build("ulx3s_25f")                               # by ecp5_pnr; its results are not used
    with pytest.MonkeyPatch.context() as without:
        without.setenv("CXX", "no-such-compiler")
        for name in list(sys.modules):
            if name.partition(".")[0] in ("ecp5_pnr", "ecp5_flow"):
                without.delitem(sys.modules, name)
        without.setitem(sys.modules, "ecp5_pnr", None)      # an import of it fails
        assert build("nextpnr") == "nextpnr"
        with pytest.raises(ImportError):
            build("ecp5_pnr")
    assert build(None) == "ecp5_pnr"                        # the results of nextpnr are not used


def test_a_seed_is_placed_and_routed_once(tmp_path, capsys, copied_build):
    def build(seeds, width=8, hertz=24_000_000):
        result = bitstream.build(board("icebreaker").at(clock_hz=hertz), seeds, folder=tmp_path,
                                 top=Counting(width))
        messages = capsys.readouterr().err
        return result, [seed for seed in (1, 2)
                        if f"seed {seed}: place and route is up to date" in messages]

    copied_build("icebreaker")
    first = json.loads((tmp_path / "result.json").read_text())
    second, kept = build([1, 2])
    assert kept == [1] and second["mhz"][1] == first["mhz"]["1"]
    assert second["place_seconds"][1] == first["place_seconds"]["1"]
    assert build([2, 1])[1] == [1, 2]
    (tmp_path / "top-2.config").unlink()
    assert build([2, 1])[1] == [1]
    for changed in ({"width": 9}, {"width": 9, "hertz": 19_500_000}):
        assert not build([1], **changed)[1] and build([1], **changed)[1] == [1]


def test_a_refined_placement_is_kept_and_its_routes_are_used(tmp_path, capsys, compiled_once,
                                                             copied_build):
    def build():
        """Return the clock in MHz, and whether the placement was up to date."""
        result = bitstream.build(board("ulx3s_25f"), [1], folder=tmp_path, top=Counting(48))
        return result["mhz"][1], "seed 1: the placement is up to date" in \
            capsys.readouterr().err

    copied_build("ulx3s_25f", 48)
    mhz = json.loads((tmp_path / "result.json").read_text())["mhz"]["1"]
    arcs = int(re.search(r"round 0: (\d+) arcs", (tmp_path / "route-1.log").read_text())[1])
    left = int(re.search(r"Routing (\d+) arcs", (tmp_path / "nextpnr-1.log").read_text())[1])
    assert left < arcs / 2                      # clocks, and arcs without wires
    (tmp_path / "seed-1.json").unlink()
    assert build() == (mhz, True)
    for gone in ("refined-1.json", "placement-1.json"):
        (tmp_path / "seed-1.json").unlink()
        (tmp_path / gone).unlink()
        assert build() == (mhz, False)
    assert not list(tmp_path.glob("routed-*"))


@pytest.mark.parametrize("slowest", ["carries", "product", 1024, 16],
                         ids=["carries", "product", "block RAM", "memory in LUTs"])
def test_the_routers_timing_is_that_of_nextpnr(slowest, tmp_path, compiled_once, copied_build):
    if slowest == "carries":
        copied_build("ulx3s_25f", 48)
    else:
        bitstream.build(board("ulx3s_25f"), [1], folder=tmp_path, top=Slowest(slowest))
    paths = json.loads((tmp_path / "report-1.json").read_text())["critical_paths"]
    delay = max(sum(step["delay"] for step in path["path"]) for path in paths)    # of pads, too
    log = (tmp_path / "route-1.log").read_text()
    estimate = float(re.search(r"routed: critical path ([\d.]+) ns", log)[1])
    assert estimate == pytest.approx(delay, rel=0.01)


def test_fails_when_timing_is_missed(tmp_path):
    slow = board("icebreaker").at(clock_hz=135_000_000)
    (tmp_path / "icebreaker.bin").write_bytes(b"of an earlier build")
    with pytest.raises(SystemExit, match=r"^icebreaker: misses 135 MHz: place and route reached "
                                         r"\d+\.\d MHz\. No bitstream was written\. Try a slower "
                                         r"clock, make bitstream BOARD=icebreaker CLOCK=[\d.]+, or "
                                         r"other placements, SEEDS='4 5 6'$") as caught:
        bitstream.build(slow, [1], folder=tmp_path, top=Counting(64))
    reached, lower = re.findall(r"reached ([\d.]+) .*CLOCK=([\d.]+),", str(caught.value))[0]
    assert slow.at(clock_hz=round(float(lower) * 1e6)).clock_hz <= float(reached) * 1e6
    assert not (tmp_path / "icebreaker.bin").exists()
    assert not json.loads((tmp_path / "result.json").read_text())["met"]


def test_fails_when_it_does_not_fit(tmp_path):
    with pytest.raises(SystemExit, match=r"^icebreaker: icebreaker\S* does not fit the iCE40UP5K: "
                                         r"ICESTORM_LC 6,\d+ of 5,280; log in \S+$"):
        bitstream.build(board("icebreaker"), [1], folder=tmp_path, top=Counting(32, delay=190))
    result = json.loads((tmp_path / "result.json").read_text())
    assert not result["fits"] and result["used"]["logic"][0] > 5280


@pytest.mark.parametrize("program, status", [("printf half > {}; exit 1", 1), (":", 0)])
def test_a_packer_that_fails_leaves_no_bitstream(program, status, monkeypatch, tmp_path):
    made = tmp_path / "icebreaker.bin"
    monkeypatch.setattr(bitstream, "pack_command", lambda *arguments, **options: ["icepack"])
    monkeypatch.setattr(bitstream, "run_watched", lambda *arguments: subprocess.run(
        ["sh", "-c", program.format(made)], check=False).returncode and (1, 0.1) or (0, 0.1))
    with pytest.raises(SystemExit, match=f"ended with status {status} and without a bitstream; "):
        bitstream.pack(board("icebreaker"), tmp_path, made, (), seed=1)
    assert not made.exists()


def test_invalid_options_leave_the_bitstream(monkeypatch, tmp_path):
    monkeypatch.setattr(bitstream, "ROOT", tmp_path)
    made = tmp_path / "build" / "icebreaker" / "icebreaker.bin"
    made.parent.mkdir(parents=True)
    made.write_bytes(b"good")
    no_clock = "the clock must be a positive number of MHz, not "
    for options, why in ((["--clock", "inf"], f"{no_clock}inf"),
                         (["--clock", "nan"], f"{no_clock}nan"), (["--clock=-1"], f"{no_clock}-1"),
                         (["--clock", "23.9"], "cannot generate 23.9 MHz"),
                         (["--baud", "9000000"], "9000000 baud requires a clock of"),
                         (["--pnr", "vpr"],
                          "place and route is by ecp5_pnr or nextpnr, not 'vpr'$")):
        monkeypatch.setattr("sys.argv", ["bitstream.py", "--board", "icebreaker", *options])
        with pytest.raises(SystemExit, match=f"^bitstream: .*{why}"):
            bitstream.main()
    assert made.read_bytes() == b"good"


def test_a_reached_clock_is_rounded_down(tmp_path):
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"fmax": {"clk": {"achieved": 23.96, "constraint": 24.0}},
                                  "critical_paths": []}))
    assert read_timing(report, 24).mhz == 23.9


def test_the_critical_path_is_that_of_the_required_clock(tmp_path):
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
