"""Generated pages of the boards against the board files and the stored results."""

import dataclasses
import json

import pytest

import board_builds
import board_page
import board_results
from weft_boards import board, board_names
from weft_host.cli import main
from weft_host.errors import ProgramError

RESULT = {
    "board": "ulx3s_85f", "device": "LFE5U-85F-6", "config": board("ulx3s_85f").config.name,
    "clock_mhz": 100.0, "fmax_trusted": True, "yosys": "Yosys 0.70", "nextpnr": "nextpnr-0.11.1",
    "fits": True, "met": True, "mhz": {"1": 101.0, "2": 99.0, "3": 104.5}, "median_mhz": 101.0,
    "mhz_best": 104.5, "used": {"logic": [50000, 83640], "ffs": [40000, 83640],
                                "dsps": [150, 156], "rams": [200, 208]},
    "critical_path": ["a.Q", "b.D"], "synthesis_seconds": 600,
    "place_seconds": {"1": 1800, "2": 2000, "3": 2400},
}
CYCLES = {"config": RESULT["config"], "networks": {
    "digits": {"bytes": 20480, "cycles": 2020}, "large": {"bytes": 1 << 20, "cycles": None}}}


def test_pages_are_generated_from_the_stored_results():
    kept = board_builds.read_kept()
    assert board_results.PAGE.read_text() == board_page.page(kept), "run weft results --write"
    for name in board_names():
        path = board_results.ROOT / "docs" / "boards" / f"{name}.inc"
        assert path.read_text() == board_page.facts(name, kept), "run weft results --write"
        assert path.with_suffix(".md").exists(), f"{name} has no page in docs/boards"
        assert f"\n{name}\n" in (path.parent / "index.md").read_text()


def test_peak_and_reached_rate_are_side_by_side():
    path, kept = board_results.SERIAL_ENGINE, board_builds.read_kept()
    assert path.read_text() == board_page.serial_engine(kept), "run weft results --write"
    assert f"{{include}} {path.name}" in path.with_suffix(".md").read_text()
    chosen = board("icebreaker")
    result = {**RESULT, "board": chosen.name, "device": chosen.device.name,
              "config": chosen.config.name, "median_mhz": 28.25}
    cycles = {"config": chosen.config.name,
              "networks": {"digits": {"bytes": 1, "cycles": 400_000, "macs": 92_400}}}
    kept = {"builds": {"icebreaker": result}, "cycles": {"icebreaker": cycles}}
    # 0.231 of 4 MACs per cycle, at 28.25 MHz
    assert ("| icebreaker | 28.2 | 4 | 0.231 | 5.8 % | 0.113 | 0.007 |\n| tang_primer_20k | "
            "27.0, not built | 4 | - | - | 0.108 | - |") in board_page.serial_engine(kept)
    assert "| 28.2 | yes | 0.113 | 0.007, 5.8 % |" in board_page.page(kept)
    cycles["config"] = "icebreaker+rows=8"
    assert "| 28.2 | yes | 0.113 | - |" in board_page.page(kept)


def test_measured_networks_have_their_macs(monkeypatch, tmp_path):
    monkeypatch.setattr(board_results, "MODELS", tmp_path)
    # with less memory than digits needs, nothing is simulated
    small = dataclasses.replace(board("ulx3s_25f"), memory_bytes=4096)
    assert board_results.measure(small)["digits"] == {
        "bytes": 12_416, "cycles": None, "macs": 92_400}


def test_order_of_stored_networks_does_not_matter():
    kept = board_builds.read_kept()
    page = board_page.page(kept)
    for entry in kept["cycles"].values():
        entry["networks"] = dict(reversed(entry["networks"].items()))
    assert board_page.page(kept) == page


def test_figures_are_computed_from_the_results():
    kept = {"builds": {"ulx3s_85f": RESULT}, "cycles": {"ulx3s_85f": CYCLES}}
    text = board_page.page(kept)
    assert "101.0 (99.0 to 104.5, 3 seeds)" in text
    # 256 cells and 2020 cycles at 101 MHz
    assert "| ulx3s_85f | 100.0 | 101.0 | yes | 25.856 | - | 10 + 40 | yes |" in text
    assert "| digits | ulx3s_85f | 20 KiB | 2,020 | 0.020 |" in text
    assert "| large | ulx3s_85f | 1024 KiB | more than the board's host memory | - |" in text
    assert "| - | icebreaker | - | not measured | - |" in text
    assert text.count(board_page.ESTIMATED) == 2


def test_an_unreliable_clock_is_limited_to_the_target():
    kept = {"builds": {"ulx3s_85f": {**RESULT, "fmax_trusted": False}},
            "cycles": {"ulx3s_85f": {**CYCLES, "networks": {
                "digits": {"bytes": 20480, "cycles": 50500}}}}}
    assert "| digits | ulx3s_85f | 20 KiB | 50,500 | 0.505 |" in board_page.page(kept)


def test_marks_missed_targets_and_old_results():
    slow = {**RESULT, "median_mhz": 99.0, "config": "ulx3s+rows=8"}
    text = board_page.page({"builds": {"ulx3s_85f": slow}, "cycles": {}})
    assert "| 99.0 | **no** |" in text and "of an earlier configuration" in text
    full = {**RESULT, "fits": False, "used": {"logic": [90000, 83640]}}
    kept = {"builds": {"ulx3s_85f": full}, "cycles": {"ulx3s_85f": CYCLES}}
    assert "| does not fit |" in board_page.page(kept)
    assert "| digits | ulx3s_85f | 20 KiB | 2,020 | - |" in board_page.page(kept)
    assert ("does not fit: LUTs 90,000 of 83,640"
            in board_page.facts("ulx3s_85f", kept))


def test_newest_builds_are_collected(monkeypatch, tmp_path):
    monkeypatch.setattr(board_builds, "ROOT", tmp_path)
    (tmp_path / "build" / "ulx3s_85f").mkdir(parents=True)
    (tmp_path / "build" / "ulx3s_85f" / "result.json").write_text(json.dumps(
        {**RESULT, "yosys": "Yosys 0.70 (git sha1 1, built somewhere)",
         "nextpnr": '"x" -- Next Generation (Version nextpnr-0.11.1)'}))
    kept = {"builds": {"ulx3s_85f": {"old": 1}, "icebreaker": {"other": 1}}, "cycles": {}}
    board_builds.collect(kept)
    assert kept["builds"] == {"ulx3s_85f": RESULT, "icebreaker": {"other": 1}}


@pytest.mark.parametrize("change, why", [
    ({"clock_mhz": 50.0}, "its clock_mhz is 50.0, the board's 100.0"),
    ({"baud": 3_000_000}, "its baud is 3000000, the board's 1000000"),
    ({"config": "ulx3s+rows=8"}, "its config is ulx3s+rows=8, the board's "),
    ({"board": "ulx3s_25f"}, "its board is ulx3s_25f, the board's ulx3s_85f"),
    ({"device": "LFE5U-85F-8"}, "its device is LFE5U-85F-8, the board's LFE5U-85F-6"),
    ({"mhz": {"1": 120.0}, "median_mhz": 120.0},
     'a median needs at least 3 seeds, and the build has 1: make bitstream BOARD=ulx3s_85f '
     'SEEDS="1 2 3"'),
    ({"pnr": "nextpnr"}, "its pnr is nextpnr, the board's ecp5_pnr"),
])
def test_builds_of_another_design_are_left_out(change, why, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(board_builds, "ROOT", tmp_path)
    path = tmp_path / "build" / "ulx3s_85f" / "result.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({**RESULT, **change}))
    kept = {"builds": {"ulx3s_85f": {"old": 1}}, "cycles": {}}
    board_builds.collect(kept)
    assert kept["builds"] == {"ulx3s_85f": {"old": 1}}
    assert f"the build in {path.parent} is left out: {why}" in capsys.readouterr().err


DAMAGES = {name: {name: damaged} for name, damaged in {
    "board": 1, "fits": None, "pnr": 1, "fmax_trusted": "yes", "clock_mhz": "100", "used": {},
    "mhz": {"1": float("nan"), "2": 99.0, "3": 104.5}, "median_mhz": 102.0, "critical_path": [],
    "place_seconds": {}, "synthesis_seconds": None}.items()}
WITHOUT = [name for name in RESULT if name not in ("met", "mhz_best")]


def damaged():
    """Yield incomplete results as text, with a description."""
    yield from {"empty": "", "half": json.dumps(RESULT)[:200], "null": "null", "list": "[]",
                "object": "{}"}.items()
    for name, change in DAMAGES.items():
        yield f"wrong {name}", json.dumps({**RESULT, **change})
    for name in WITHOUT:
        yield f"no {name}", json.dumps({key: RESULT[key] for key in RESULT if key != name})


@pytest.mark.parametrize("text", dict(damaged()).values(), ids=dict(damaged()))
def test_rejects_incomplete_results(text, monkeypatch, tmp_path):
    monkeypatch.setattr(board_builds, "ROOT", tmp_path)
    path = tmp_path / "build" / "ulx3s_85f" / "result.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(SystemExit, match=r"result\.json is not a complete result of make "
                                         "bitstream; nothing is written. Run make bitstream "
                                         "BOARD=ulx3s_85f again, or remove the file$"):
        board_builds.collect({"builds": {}, "cycles": {}})


@pytest.mark.parametrize("text", ["", "[]", '{"builds": {"icebreaker": {}}, "cycles": {}}',
                                  '{"builds": {}, "cycles": {"icebreaker": {}}}'])
def test_rejects_damaged_stored_results(text, monkeypatch, tmp_path):
    monkeypatch.setattr(board_builds, "KEPT", tmp_path / "boards.json")
    (tmp_path / "boards.json").write_text(text)
    with pytest.raises(SystemExit, match=r"boards\.json is damaged: .*; nothing is written\. To "
                                         r"restore it: git checkout docs/boards\.json$"):
        board_builds.read_kept()


def test_a_build_for_another_device_is_marked_as_old():
    kept = {"builds": {"ulx3s_85f": {**RESULT, "device": "LFE5U-85F-8"}}, "cycles": {}}
    assert "3 seeds), of an earlier configuration |" in board_page.page(kept)


def test_peak_of_the_serial_engine_is_one_column():
    chosen = board("icebreaker")
    assert chosen.peak_macs == 4 and board("ulx3s_25f").peak_macs == 32
    result = {**RESULT, "board": chosen.name, "device": chosen.device.name,
              "config": chosen.config.name}
    assert "| 101.0 | yes | 0.404 |" in board_page.page({"builds": {"icebreaker": result},
                                                        "cycles": {}})
    untrusted = {"builds": {"icebreaker": {**result, "fmax_trusted": False}}, "cycles": {}}
    assert "| 101.0 | yes | 0.096 |" in board_page.page(untrusted)      # 24 MHz
    assert "101.0 MHz (estimated by nextpnr, not measured on a board, unreliable)" in (
        board_page.facts("icebreaker", untrusted))


def test_an_unsupported_network_has_a_row(monkeypatch, tmp_path):
    def reject(path, config):
        raise ProgramError("3 unsupported operators")

    monkeypatch.setattr("weft_host.compile", reject)
    monkeypatch.setattr(board_results, "MODELS", tmp_path)
    networks = board_results.measure(board("icebreaker"))
    kept = {"builds": {}, "cycles": {}}
    board_results.keep_cycles(kept, board("icebreaker"), networks)
    assert "| digits | icebreaker | - | not supported by this configuration | - |" in (
        board_page.page(kept))


def test_nothing_is_written_if_a_page_fails(monkeypatch, tmp_path):
    kept = tmp_path / "boards.json"
    kept.write_text('{"builds": {}, "cycles": {}}')
    for module in (board_builds, board_results):
        monkeypatch.setattr(module, "KEPT", kept)
    monkeypatch.setattr(board_results, "collect", lambda kept: kept["builds"].update(icebreaker={}))
    monkeypatch.setattr("sys.argv", ["board_results.py", "--write"])
    with pytest.raises(KeyError):
        board_results.main()
    assert kept.read_text() == '{"builds": {}, "cycles": {}}'


@pytest.mark.parametrize("options", [(), ("--json",), ("--write",)])
def test_results_are_printed_and_only_written_on_request(monkeypatch, tmp_path, capsys, options):
    kept, page = tmp_path / "boards.json", tmp_path / "docs" / "board_results.md"
    (tmp_path / "docs" / "boards").mkdir(parents=True)
    kept.write_text('{"builds": {}, "cycles": {}}')
    for module in (board_builds, board_results):
        monkeypatch.setattr(module, "KEPT", kept)
    monkeypatch.setattr(board_results, "ROOT", tmp_path)
    monkeypatch.setattr(board_results, "PAGE", page)
    monkeypatch.setattr(board_results, "SERIAL_ENGINE", tmp_path / "docs" / "compact.inc")
    monkeypatch.setattr(board_results, "collect",
                        lambda kept: kept["builds"].update({"ulx3s_85f": RESULT}))
    monkeypatch.setattr("sys.argv", ["board_results.py", *options])
    board_results.main()
    out = capsys.readouterr().out
    assert '"ulx3s_85f"' in out if "--json" in options else "# Results on the boards" in out
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    if "--write" in options:
        assert page.read_text() + "\n" == out and json.loads(kept.read_text())["builds"]
        assert len(written) == 3 + len(board_names())
    else:
        assert written == [kept] and kept.read_text() == '{"builds": {}, "cycles": {}}'


def test_missing_networks_keep_their_cycles():
    kept = {"builds": {}, "cycles": {"ulx3s_85f": CYCLES}}
    newer = {"digits": {"bytes": 1, "cycles": 2}}
    board_results.keep_cycles(kept, board("ulx3s_85f"), newer)
    assert kept["cycles"]["ulx3s_85f"]["networks"] == {**CYCLES["networks"], **newer}
    kept["cycles"]["ulx3s_85f"]["config"] = "ulx3s+rows=8"
    assert "| 2, of an earlier configuration |" in board_page.page(kept)
    board_results.keep_cycles(kept, board("ulx3s_85f"), newer)
    assert kept["cycles"]["ulx3s_85f"] == {"config": RESULT["config"], "networks": newer}


def test_rejects_a_board_without_measuring(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["results", "--board", "icebreaker"])
    assert caught.value.code == 2
    assert "--board requires --measure" in capsys.readouterr().err


def test_rejects_an_unknown_board_before_anything_runs(monkeypatch, capsys):
    monkeypatch.setattr("subprocess.run", None)
    with pytest.raises(SystemExit) as caught:
        main(["results", "--measure", "--board", "ulx3s_85"])
    assert caught.value.code == 2
    assert "No board is named 'ulx3s_85'; did you mean 'ulx3s_85f'?" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["board_results.py", "--board", "ulx3s_85"])
    with pytest.raises(SystemExit, match="^results: No board is named 'ulx3s_85'; did you mean"):
        board_results.main()
