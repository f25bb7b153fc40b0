"""Comparison of area and clock with the stored figures of the gates."""

import json

import pytest

import gates

KEPT = {"config": "tiny", "device": "LFE5U-25F-6", "mhz": 60.0, "yosys": "Yosys 0.70",
        "nextpnr": "nextpnr-0.11.1", "area": {"logic": 10000, "ffs": 5000, "dsps": 20, "rams": 30}}


def found(mhz=60.0, tools=None, **area):
    return {**KEPT, "mhz": mhz, **(tools or {}), "area": {**KEPT["area"], **area}}


@pytest.mark.parametrize("now", [
    found(), found(logic=11000, ffs=5500, dsps=22, rams=33, mhz=54.0),
    found(logic=9000, ffs=4500, dsps=18, rams=27, mhz=66.0)])
def test_changes_of_a_tenth_pass(now):
    assert gates.compare("g", KEPT, now) == []


@pytest.mark.parametrize("now, sentence", [
    (found(logic=11001), "g: LUTs: 11,001, 10.0 % more than the stored 10,000; the limit "
                         "is 10%"),
    (found(ffs=6000), "g: flip-flops: 6,000, 20.0 % more than the stored 5,000; the limit is "
                      "10%"),
    (found(dsps=23), "g: multipliers: 23, 15.0 % more than the stored 20; the limit is 10%"),
    (found(rams=34), "g: block RAMs: 34, 13.3 % more than the stored 30; the limit is 10%"),
    (found(wide_rams=1), "g: SPRAMs: 1, with no stored figure; the limit is 10%"),
    (found(mhz=53.9), "g: MHz: 53.9, 10.2 % less than the stored 60.0; the limit is 10%"),
])
def test_more_than_a_tenth_worse_fails(now, sentence):
    assert gates.compare("g", KEPT, now) == [sentence]


@pytest.mark.parametrize("now, sentence", [
    (found(logic=8999), "g: LUTs: 8,999, 10.0 % less than the stored 10,000. This is an "
                        "improvement: store it with make gates UPDATE=1"),
    (found(rams=0), "g: block RAMs: 0, 100.0 % less than the stored 30. This is an improvement: "
                    "store it with make gates UPDATE=1"),
    (found(mhz=66.1), "g: MHz: 66.1, 10.2 % more than the stored 60.0. This is an improvement: "
                      "store it with make gates UPDATE=1"),
])
def test_more_than_a_tenth_better_requires_new_figures(now, sentence):
    assert gates.compare("g", KEPT, now) == [sentence]


def test_reports_all_failures_and_other_versions_of_tools():
    other = {"yosys": "Yosys 0.71", "nextpnr": "nextpnr-0.12"}
    assert gates.compare("g", KEPT, found(tools=other)) == []
    wrong = gates.compare("g", KEPT, found(mhz=10.0, logic=20000, tools=other))
    assert [sentence.split(",")[0] for sentence in wrong] == [
        "g: LUTs: 20", "g: MHz: 10.0", "g: the tools differ"]
    assert wrong[-1] == ("g: the tools differ, too: Yosys 0.71 instead of Yosys 0.70, "
                         "nextpnr-0.12 instead of nextpnr-0.11.1")


@pytest.mark.parametrize("what", ["config", "device"])
def test_figures_of_another_design_are_not_compared(what):
    assert gates.compare("g", KEPT, {**found(logic=1), what: "new"}) == [
        f"g: the stored figures are for {what} {KEPT[what]}, not new: run make gates UPDATE=1"]


def test_a_gate_without_figures_fails():
    assert gates.compare("g", None, found()) == [
        "g: there are no stored figures: run make gates UPDATE=1"]


def test_figures_are_taken_from_the_result():
    result = {"config": "tiny", "device": "LFE5U-25F-6", "median_mhz": 60.0,
              "used": {"logic": [10000, 24288], "ffs": [5000, 24288], "dsps": [20, 28],
                       "rams": [30, 56]},
              "yosys": "Yosys 0.70 (git sha1 1, built somewhere)",
              "nextpnr": '"x" -- Next Generation (Version nextpnr-0.11.1)', "seconds": 3}
    assert gates.figures(result) == KEPT


def test_stored_figures_match_the_gates():
    kept = json.loads(gates.KEPT.read_text())
    assert {name: entry["config"] for name, entry in kept.items()} == {
        name: chosen.config.name for name, chosen in gates.gates().items()}
    assert {name: entry["device"] for name, entry in kept.items()} == {
        name: chosen.device.name for name, chosen in gates.gates().items()}
    for name, entry in kept.items():
        assert gates.compare(name, entry, entry) == []
        assert entry["mhz"] >= gates.gates()[name].clock_hz / 1e6
        assert entry["area"]["logic"] > 1000 and entry["area"]["ffs"] > 500


def test_names_a_gate_whose_build_fails(monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(gates, "ROOT", tmp_path)
    monkeypatch.setattr(gates, "__file__", str(tmp_path / "fails.py"))
    (tmp_path / "fails.py").write_text(
        "import sys\nprint(sys.argv[2:])\nsys.exit(sys.argv[2] == 'a')\n")
    with pytest.raises(SystemExit, match="^gates: the build of a failed; its output is above$"):
        gates.build_all(["a", "b"])
    assert f"{'b':15} | ['b']" in capfd.readouterr().err
