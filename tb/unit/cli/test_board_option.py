"""The option --board: configuration, memory and clock of a board in every verb."""

import dataclasses
import json

import numpy as np
import pytest

from support.link_emulator import EmulatedBoard
from support.mlperf_like import anomaly_detection
from weft_boards import board, board_names
from weft_host.cli import main
from weft_host.device import SerialDevice
from weft_host.tflite_writer import ModelWriter

VERBS = ("verilog", "info", "check", "compile", "header", "run", "explain", "trace",
         "conformance", "bench gemm", "bench dma", "bench models", "selftest")


@pytest.fixture
def large(tmp_path):
    """Return a model with 264,192 weights, more than the memory of an iCEBreaker holds."""
    path = tmp_path / "large.tflite"
    path.write_bytes(anomaly_detection())
    return path


@pytest.fixture
def both(capsys):
    """Return a function that runs ``weft`` and returns its output and its messages."""
    def call(*arguments, status=0):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert stop.value.code == status, err
        return out, err
    return call


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_with_a_preset_has_a_board(weft, verb):
    out = weft(*verb.split(), "--help")
    assert "--preset" in out and "--board NAME" in out


@pytest.mark.parametrize("name", board_names())
def test_info_shows_the_board(weft, name):
    chosen = board(name)
    facts = json.loads(weft("info", "--board", name, "--json"))
    assert facts["parameters"] == chosen.config.as_dict()
    assert facts["board"] == {
        "name": name, "title": chosen.title, "device": chosen.device.name,
        "clock_hz": chosen.clock_hz, "memory_bytes": chosen.memory_bytes,
        "memory_kind": chosen.memory_kind, "latency": chosen.read_latency,
        "bandwidth": chosen.bandwidth, "baud": chosen.baud}
    assert facts["array"]["macs_per_cycle"] == chosen.peak_macs
    out = weft("info", "--board", name)
    assert f"{chosen.memory_bytes:,} bytes of {chosen.memory_kind}" in out
    assert f"{chosen.clock_hz / 1e6:.1f} MHz" in out and chosen.title in out


def test_without_a_board_info_shows_none(weft):
    assert json.loads(weft("info", "--json"))["board"] is None


@pytest.mark.parametrize("arguments, message", [
    (["--board", "ulx3s_25"], "Invalid value for '--board': No board is named 'ulx3s_25'; did you "
                              "mean 'ulx3s_25f'? Boards: colorlight_5a75b, "),
    (["--board", "small"], "No board is named 'small'. Boards: "),
    (["--board", "ulx3s_25f", "--preset", "small"],
     "--preset small contradicts --board ulx3s_25f, which has a configuration of its own; leave "
     "one of the two out, or change single parameters with --set"),
    (["--preset", "ulx3s_85f", "--board", "ulx3s_25f"], "--preset ulx3s_85f contradicts --board"),
    (["--board", "ulx3s_25f", "--set", "rows=5"], "rows must be a power of two"),
])
def test_contradicting_options_are_refused(weft, arguments, message):
    assert message in weft("info", *arguments, status=2)


@pytest.mark.parametrize("name", ["icebreaker", "ulx3s_25f", "colorlight_5a75b"])
def test_a_preset_that_agrees_is_allowed(weft, name):
    """The preset icebreaker has more address bits than the board; its name is the board's."""
    given = "ulx3s_25f" if name == "colorlight_5a75b" else name
    facts = json.loads(weft("info", "--preset", given, "--board", name, "--json"))
    assert facts["parameters"] == board(name).config.as_dict()


def test_a_changed_configuration_needs_a_new_bitstream(both):
    out, err = both("info", "--board", "ulx3s_25f", "--set", "queue_depth=8", "--json")
    assert json.loads(out)["parameters"]["queue_depth"] == 8
    assert err == ("weft: --set changes the configuration of ulx3s_25f: the board needs a new "
                   "bitstream, with these parameters in boards/weft_boards/ulx3s_25f.py\n")
    assert both("info", "--board", "ulx3s_25f", "--set", "queue_depth=4")[1] == ""
    assert both("info", "--preset", "ulx3s_25f", "--set", "queue_depth=8")[1] == ""


@pytest.mark.parametrize("name", board_names())
def test_check_shows_fit_and_time_of_every_board(weft, digits, name):
    chosen = board(name)
    facts = json.loads(weft("check", digits[0], "--board", name, "--json"))
    fit = facts["board"]
    assert (facts["on_weft"], facts["on_host"], facts["unsupported"]) == (8, 0, 0)
    assert fit["fits"] and fit["macs"] == 92_400
    assert fit["memory"]["needed_bytes"] <= fit["memory"]["available_bytes"] == chosen.memory_bytes
    assert facts["summary"].startswith(
        f"{digits[0]} on {name}: 8 operators on Weft, 0 on the host; "
        f"{fit['memory']['needed_bytes']:,} of {chosen.memory_bytes:,} bytes of "
        f"{chosen.memory_kind}; ")
    if chosen.config.compact:
        assert fit["cycles"] is None and "at least 23,100 cycles = " in facts["summary"]
        return
    assert fit["milliseconds"] == pytest.approx(1000 * fit["cycles"] / chosen.clock_hz)
    assert f"; {fit['cycles']:,} cycles = {fit['milliseconds']:.3f} ms at " in facts["summary"]


def test_check_and_explain_agree(weft, digits):
    options = (digits[0], "--board", "ulx3s_85f_sdram", "--json")
    fit, explained = (json.loads(weft(verb, *options)) for verb in ("check", "explain"))
    assert explained["total"]["predicted"] == fit["board"]["cycles"]
    assert (explained["latency"], explained["bandwidth"]) == (24, 0.125)
    assert explained["board"] == fit["board"]


def test_check_and_explain_end_with_a_summary(weft, digits):
    for verb in ("check", "explain"):
        lines = weft(verb, digits[0], "--board", "ulx3s_85f").splitlines()
        assert lines[-3].startswith(f"{digits[0]} on ulx3s_85f: ")
        assert " ms at 100.0 MHz (predicted); 92,400 MACs, " in lines[-3]
        assert lines[-2].endswith("Nothing was measured on a board.")
        assert lines[-1].startswith("The host link, at 1,000,000 baud, takes at least 119.0 ms ")
    last = weft("check", digits[0]).splitlines()[-1]
    assert last == f"{digits[0]} on small: 8 operators on Weft, 0 on the host"


def test_options_of_the_memory_replace_the_timing_of_the_board(weft, digits):
    facts = json.loads(weft("explain", digits[0], "--board", "ulx3s_85f_sdram", "--latency", "7",
                            "--json"))
    assert (facts["latency"], facts["bandwidth"]) == (7, 0.125) == (
        facts["board"]["latency"], facts["board"]["bandwidth"])


def test_check_reports_a_program_that_does_not_fit(both, large):
    out, _ = both("check", large, "--board", "icebreaker", status=2)
    assert f"{large} on icebreaker: 10 operators on Weft, 0 on the host; does not fit: " in out
    assert f"{large} does not fit icebreaker: the program needs " in out
    out, _ = both("check", large, "--board", "icebreaker", "--json", status=2)
    facts = json.loads(out)
    assert not facts["board"]["fits"] and facts["board"]["cycles"] is None
    assert facts["board"]["memory"]["needed_bytes"] > 264_192
    assert facts["board"]["memory"]["available_bytes"] == 65_536


def test_check_of_an_unsupported_operator_has_a_summary(both, tmp_path):
    writer = ModelWriter()
    x = writer.input("x", (1, 4), scale=0.1)
    y = writer.tensor("y", (1, 4), scale=0.1)
    writer.operator("EXP", [x], [y])
    writer.output(y)
    (tmp_path / "exp.tflite").write_bytes(writer.finish())
    out, _ = both("check", tmp_path / "exp.tflite", "--board", "icebreaker", status=2)
    assert out.endswith("on icebreaker: 0 operators on Weft, 0 on the host, 1 unsupported: the "
                        "model cannot be compiled\n")


def test_measured_cycles_are_those_of_the_rtl(weft, digits, monkeypatch):
    """The board has the preset tiny, whose simulator other tests have built."""
    chosen = dataclasses.replace(board("ulx3s_25f"), preset="tiny", changes={"addr_width": 32})
    monkeypatch.setattr("weft_boards.board", lambda name: chosen)
    options = (digits[0], "--board", "ulx3s_25f", "--json")
    fit = json.loads(weft("check", *options, "--measure"))["board"]
    run = json.loads(weft("run", *options, "--input", digits[1], "--on", "rtl"))
    assert fit["cycles"] == run["cycles"]
    predicted = json.loads(weft("check", *options))["board"]
    assert (fit["origin"], predicted["origin"]) == ("simulated", "predicted")
    assert fit["cycles"] == pytest.approx(predicted["cycles"], rel=0.03)
    assert fit["latency"] == chosen.read_latency != 20


def test_measuring_needs_a_board(weft, digits):
    assert "--measure needs --board" in weft("check", digits[0], "--measure", status=2)


@pytest.mark.parametrize("options", [
    ["--board", "icebreaker"], ["--preset", "icebreaker"], ["--preset", "ulx3s_25f"],
    ["--preset", "icebreaker", "--set", "queue_depth=8"],
    ["--board", "icebreaker", "--set", "addr_width=32"]])
def test_check_and_compile_refuse_what_does_not_fit_the_board(both, large, tmp_path, options):
    output = tmp_path / "x.weft"
    name = options[1]
    out, _ = both("check", large, *options, status=2)
    assert f"\n{large} does not fit {name}: the program needs " in out
    _, message = both("compile", large, *options, "-o", output, status=2)
    assert f"weft: {large} does not fit {name}: the program needs " in message
    assert f"and the board has {board(name).memory_bytes:,} bytes of " in message
    assert not output.exists()


def test_compile_for_another_memory(weft, large, tmp_path):
    output = tmp_path / "x.weft"
    for options in (["--preset", "icebreaker", "--set", "addr_width=32"], ["--preset", "small"],
                    ["--board", "ulx3s_85f_sdram"]):
        facts = json.loads(weft("compile", large, *options, "-o", output, "--json"))
        assert facts["memory_bytes"] > 264_192 and output.exists()
        assert (facts["board"] is not None) == (options[0] == "--board")
        output.unlink()


def test_a_compiled_program_is_that_of_the_preset(weft, digits, tmp_path):
    one, other = tmp_path / "1.weft", tmp_path / "2.weft"
    assert "12,416 of 32,768 bytes of block RAM, for ulx3s_25f" in weft(
        "compile", digits[0], "--board", "ulx3s_25f", "-o", one)
    weft("compile", digits[0], "--preset", "ulx3s_25f", "--set", "addr_width=16", "-o", other)
    assert len(one.read_bytes()) > 5_000
    assert weft("disasm", one) == weft("disasm", other)


def test_the_emulator_has_the_memory_of_the_board(weft, large, digits, tmp_path):
    np.savez(tmp_path / "x.npz", in0=np.zeros((1, 640), np.int8))
    assert f"{large} does not fit icebreaker: the program needs " in weft(
        "run", large, "--input", tmp_path / "x.npz", "--board", "icebreaker", status=2)
    program = tmp_path / "large.weft"
    weft("compile", large, "--preset", "icebreaker", "--set", "addr_width=32", "-o", program)
    weft("run", program, "--input", tmp_path / "x.npz")
    assert f"{program} does not fit icebreaker: the program needs " in weft(
        "run", program, "--input", tmp_path / "x.npz", "--board", "icebreaker", status=2)
    assert json.loads(weft("run", digits[0], "--input", digits[1], "--board", "icebreaker",
                           "--json"))["preset"] == board("icebreaker").config.name


def test_explain_refuses_the_serial_engine_with_an_alternative(weft, digits):
    assert "weft check MODEL --board NAME --measure counts them" in weft(
        "explain", digits[0], "--board", "icebreaker", status=2)


@pytest.mark.parametrize("reported, status, message", [
    ("ulx3s_25f", 0, ""),
    ("colorlight_5a75b", 1, "the board at /dev/ttyX reports the name 'colorlight_5a75b', not "
                            "'ulx3s_25f'; leave out --board, or choose the port of the other"),
])
def test_the_board_at_a_port_must_be_the_named_one(both, digits, monkeypatch, reported, status,
                                                   message):
    config = board("ulx3s_25f").config

    class Line:
        def __init__(self):
            self.board = EmulatedBoard(config, memory_bytes=1 << 15, baud=1_000_000, name=reported)
            self.received = b""

        def write(self, data):
            self.received += self.board.run(bytes(data))

        def read(self, seconds):
            taken, self.received = self.received or self.board.run(), b""
            return taken

    monkeypatch.setattr("weft_host.cli.devices.SerialDevice",
                        lambda port, config, baud: SerialDevice(Line(), config))
    _, err = both("run", digits[0], "--input", digits[1], "--board", "ulx3s_25f", "--on",
                  "/dev/ttyX", status=status)
    assert message in err
