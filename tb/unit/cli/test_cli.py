"""The command ``weft``: help, JSON output and exit status of every verb."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from support.litert import reference
from weft import __version__
from weft.spec import register_map
from weft.spec.presets import PRESETS
from weft_boards import board
from weft_host.device import EmulatorDevice
from weft_host.errors import MismatchError
from weft_host.tflite_writer import ModelWriter

DIGITS = Path(__file__).resolve().parents[3] / "examples" / "digits"
MODEL, DATA = DIGITS / "digits.tflite", DIGITS / "digits.npz"
VERBS = ("verilog", "info", "check", "compile", "header", "disasm", "run", "explain",
         "trace", "conformance", "bench", "selftest", "doctor")


def test_help_lists_every_verb_and_exit_status(weft):
    out = weft("--help")
    for verb in VERBS:
        assert re.search(rf"^  {verb}  +\w", out, re.MULTILINE), verb
    assert "Exit status: 0 after success" in out
    assert weft("--version") == f"weft, version {__version__}\n"


@pytest.mark.parametrize("verb", [*VERBS, "bench gemm", "bench dma"])
def test_every_verb_has_help(weft, verb):
    out = weft(*verb.split(), "--help")
    assert f"{verb} [OPTIONS]" in out and len(out.splitlines()) > 5
    if verb != "bench":
        assert ("--preset" in out) == (verb not in ("disasm", "doctor"))
        assert ("--json" in out) == (verb not in ("verilog", "header"))


def test_the_command_is_installed():
    command = Path(sys.executable).with_name("weft")
    done = subprocess.run([command, "info", "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["preset"] == "small"


@pytest.mark.parametrize("arguments, message", [
    (["nothing"], "No such command 'nothing'"),
    (["info", "--preset", "smal"], "No preset or board is named 'smal'; did you mean 'small'?"),
    (["info", "--set", "rows"], "'rows' is not NAME=VALUE"),
    (["info", "--set", "rows=many"], "'many' is not an integer"),
    (["info", "--set", "rows=5"], "rows must be a power of two from 4 to 64, not 5"),
    (["info", "--set", "colour=5"], "no parameter 'colour'"),
    (["check", "nowhere.tflite"], "nowhere.tflite"),
    (["bench", "gemm", "0", "1", "1"], "0 is not in the range"),
    (["bench", "dma", "64", "--on", "emulator"], "'emulator' is not"),
    (["bench", "gemm", "4", "4", "4", "--seed", "-1"], "-1 is not in the range x>=0"),
    (["bench", "gemm", "128", "256", "128", "--set", "addr_width=16"],
     "128 x 256 x 128 needs 81,920 bytes of host memory; the 16 address bits of "
     "small+addr_width=16 reach 65,536"),
    (["bench", "dma", "4096", "--board", "ulx3s_25f"],
     "a copy of 4096 bytes needs 57,344 bytes of host memory; ulx3s_25f has 32,768 bytes of block "
     "RAM"),
    (["info", "--set", "rows=8", "--set", "rows=4"],
     "rows is set to 8 and to 4; keep one of the two"),
    (["info", "--set", "compact=true"],
     "compact cannot be changed; --preset icebreaker is the serial engine"),
    (["selftest", "--seed", "-1"], "-1 is not in the range x>=0"),
    (["run", MODEL], "Missing option '--input'"),
    (["run", MODEL, "--input", DATA, "--on", "emulator", "--output", "/no/such/y.npz"],
     "the folder /no/such does not exist; create it first"),
    (["compile", MODEL, "-o", "/no/such/x.weft"],
     "the folder /no/such does not exist; create it first"),
    (["verilog", "-o", "/no/such/x.v"], "the folder /no/such does not exist; create it first"),
])
def test_invalid_requests_end_with_status_2(weft, arguments, message):
    err = weft(*arguments, status=2)
    assert message in err and "Traceback" not in err


@pytest.mark.parametrize("name", PRESETS)
def test_info_describes_every_preset(weft, name):
    facts = json.loads(weft("info", "--preset", name, "--json"))
    config = PRESETS[name]
    assert facts["preset"] == name and facts["parameters"] == config.as_dict()
    assert facts["array"]["cells"] == config.rows * config.cols
    assert facts["fingerprint"] == f"{config.fingerprint:08x}"
    assert len(facts["instructions"]) == 14
    assert name in weft("info", "--preset", name)
    changed = json.loads(weft("info", "--preset", "small", "--set", "rows=16", "--set",
                              "multiplier=ecp5", "--set", "dsp_cells=None", "--json"))
    assert changed["parameters"]["rows"] == 16 and changed["parameters"]["multiplier"] == "ecp5"


def test_a_board_names_a_configuration(weft):
    config = board("ulx3s_25f").config
    assert json.loads(weft("info", "--preset", "ulx3s_25f", "--json"))["fingerprint"] == \
        f"{config.fingerprint:08x}"
    changed = json.loads(weft("info", "--preset", "ulx3s_25f", "--set", "queue_depth=4", "--json"))
    assert changed["parameters"] == {
        **config.as_dict(), "queue_depth": 4, "name": f"{config.name}+queue_depth=4"}


def test_check_lists_every_operator(weft):
    facts = json.loads(weft("check", MODEL, "--json"))
    assert [entry["operator"] for entry in facts["operators"]] == [
        "CONV_2D", "CONV_2D", "MAX_POOL_2D", "CONV_2D", "AVERAGE_POOL_2D", "RESHAPE",
        "FULLY_CONNECTED", "SOFTMAX"]
    for entry in facts["operators"]:
        assert entry["where"] in ("weft", "host", "unsupported") and entry["reason"]
    assert {entry["operator"] for entry in facts["operators"] if entry["where"] == "host"} <= {
        "SOFTMAX", "RESHAPE"}
    assert facts["unsupported"] == 0
    assert "CONV_2D" in weft("check", MODEL)


@pytest.mark.parametrize("kind, function", [("gemm", "measure_gemm"), ("dma", "measure_dma")])
def test_a_wrong_result_gives_status_1(weft, monkeypatch, kind, function):
    def differs(*_):
        raise MismatchError("3 of 4 elements differ")

    monkeypatch.setattr("weft_host.cli.bench.make_rtl_device", lambda *_, **__: None)
    monkeypatch.setattr(f"weft_host.perf.microbenchmarks.{function}", differs)
    sizes = ["4", "4", "4"] if kind == "gemm" else ["64"]
    assert "weft: 3 of 4 elements differ" in weft("bench", kind, *sizes, status=1)


def test_compiled_programs_are_reproducible_and_can_be_disassembled(weft, tmp_path):
    path = tmp_path / "digits.weft"
    facts = json.loads(weft("compile", MODEL, "-o", path, "--json"))
    assert facts["preset"] == "small" and facts["bytes"] == path.stat().st_size
    listing = json.loads(weft("disasm", path, "--json"))
    assert len(listing) == facts["instructions"] > 10
    lines = weft("disasm", path).splitlines()
    for name in ("LOAD", "LOAD_WGT", "MATMUL", "PARAMS", "DRAIN", "STORE"):
        assert any(re.search(rf"\b{name}\b", line) for line in lines), name
    again = tmp_path / "again.weft"
    weft("compile", MODEL, "-o", again)
    assert again.read_bytes() == path.read_bytes(), "a second compilation gives other bytes"


def assert_run(weft, tmp_path, model, where, *options):
    """Run the model; compare every tensor with the reference kernels."""
    output = tmp_path / f"{where}.npz"
    facts = json.loads(weft("run", model, "--input", DATA, "--on", where, "--output", output,
                            "--all-tensors", "--json", *options))
    assert facts["macs"] == 92_400 and set(facts["counters"]) <= {
        name for name, _ in register_map.COUNTERS}
    assert facts["bytes_read"] == facts["counters"]["BYTES_READ"] > 1000
    assert facts["bytes_written"] == facts["counters"]["BYTES_WRITTEN"] > 100
    with np.load(DATA) as data, np.load(output) as made:
        expected = reference(MODEL.read_bytes(), [data["in0"]])
        numbers = [int(key[1:]) for key in made.files if key.startswith("t")]
        assert sorted(numbers) == data["tensors"].tolist()
        for number in numbers:
            np.testing.assert_array_equal(made[f"t{number}"], expected[number])
        np.testing.assert_array_equal(made["out0"].reshape(-1), data["outputs"][0])
    return facts


def test_run_on_the_emulator_matches_the_reference(weft, tmp_path):
    facts = assert_run(weft, tmp_path, MODEL, "emulator")
    assert facts["cycles"] is None and facts["utilisation"] is None
    assert_run(weft, tmp_path, MODEL, "emulator", "--preset", "tiny", "--set", "rows=8", "--set",
               "wgt_bytes=1024")
    program = tmp_path / "a.weft"
    weft("compile", MODEL, "-o", program, "--preset", "ulx3s", "--keep-tensors")
    assert assert_run(weft, tmp_path, program, "emulator")["preset"] == "ulx3s"
    assert re.search(r"^out0 .* \[1, 10\]: -?\d+", weft(
        "run", MODEL, "--input", DATA, "--on", "emulator"), re.MULTILINE)


def test_run_on_the_rtl_matches_the_reference(weft, tmp_path):
    facts = assert_run(weft, tmp_path, MODEL, "rtl")
    # from the start to the interrupt, and while the device is busy
    assert facts["cycles"] == facts["counters"]["CYCLES"] + 6 > 1000
    assert facts["utilisation"] == pytest.approx(facts["macs"] / facts["cycles"] / 64)
    assert set(facts["counters"]) == {name for name, _ in register_map.COUNTERS}
    assert re.search(r" cycles, .*; the device was busy in [\d,]+ of them \(counter CYCLES\)",
                     weft("run", MODEL, "--input", DATA, "--on", "rtl"), re.DOTALL)


def test_bench_reports_cycles_and_ratios(weft):
    facts = json.loads(weft("bench", "gemm", "9", "20", "11", "--preset", "tiny", "--json"))
    assert facts["ideal_cycles"] == 9 * 20 * 11 / 16
    assert facts["ratio"] == facts["cycles"] / facts["ideal_cycles"] > 1
    assert facts["counters"]["MAC_BUSY"] == 9 * 5 * 3
    assert "ratio" in weft("bench", "gemm", "9", "20", "11", "--preset", "tiny")
    entries = json.loads(weft("bench", "dma", "4096", "--preset", "tiny", "--json"))
    assert isinstance(entries, list)
    kinds = {(entry["direction"], entry["host_offset"] % 4 or entry["local_offset"] > 0)
             for entry in entries}
    assert {direction for direction, _ in kinds} == {"read", "write"}
    assert {bool(odd) for _, odd in kinds} == {True, False}
    for entry in entries:
        assert entry["ideal_cycles"] == 1024
        assert entry["ratio"] == entry["ideal_cycles"] / entry["cycles"]
    assert "share of peak" in weft("bench", "dma", "4096", "--preset", "tiny")


@pytest.mark.parametrize("where", ["emulator", "rtl"])
def test_selftest_passes_on_simulated_devices(weft, where):
    facts = json.loads(weft("selftest", "--preset", "tiny", "--on", where, "--json"))
    assert facts["failed"] == 0 and len(facts["checks"]) > 5
    assert weft("selftest", "--preset", "tiny", "--on", where).count("ok ") == len(facts["checks"])


def test_selftest_stays_within_the_address_range(weft):
    facts = json.loads(weft("selftest", "--preset", "tiny", "--set", "addr_width=16", "--json"))
    assert facts["failed"] == facts["not_checked"] == 0


def test_a_failed_check_of_a_device_gives_status_1(weft, monkeypatch):
    monkeypatch.setattr(EmulatorDevice, "_read", lambda self, addr, size: bytes(size))
    weft("selftest", "--preset", "tiny", "--on", "emulator", "--json", status=1)


def test_check_of_an_unsupported_operator_gives_status_2(weft, tmp_path):
    m = ModelWriter()
    x = m.input("x", (1, 4), scale=0.1)
    y = m.tensor("y", (1, 4), scale=0.1)
    m.operator("EXP", [x], [y])
    m.output(y)
    (tmp_path / "exp.tflite").write_bytes(m.finish())
    weft("check", tmp_path / "exp.tflite", "--json", status=2)


def test_bench_measures_models(weft, tmp_path):
    home = tmp_path / "models" / "digits"
    home.mkdir(parents=True)
    (home / "model.tflite").write_bytes(MODEL.read_bytes())
    with np.load(DATA) as data:
        for index in range(2):
            np.savez(home / f"{index}.npz", in0=data["images"][index:index + 1],
                     out0=data["outputs"][index:index + 1])
        np.savez(home / "wrong.npz", in0=data["in0"], out0=~data["outputs"][:1])
    arguments = ("bench", "models", home.parent, "--preset", "tiny")
    facts = json.loads(weft(*arguments, "--cases", "2", "--json"))
    entry, = facts["models"]
    assert (entry["exact"], entry["cases"], entry["macs"]) == (2, 2, 92_400)
    assert entry["utilisation"] == pytest.approx(entry["macs"] / entry["cycles"] / 16)
    assert entry["ratio"] == min(entry["weight_stationary"],
                                 entry["output_stationary"]) / entry["cycles"]
    assert 0.2 < entry["utilisation"] < 1 and facts["latency"] == 20
    out = weft(*arguments, "--cases", "1")
    assert "1/1" in out and "digits" in out
    weft(*arguments, status=1)
