"""The verbs check, compile, disasm, explain and bench llm for language models."""

import dataclasses
import json
import re

import numpy as np
import pytest

from support.language_models import random_file
from weft_host import LanguageModel, Program
from weft_host.configuration import find_board
from weft_host.device import EmulatorDevice
from weft_host.language import open_language_model
from weft_host.perf import language_benchmarks
from weft_host.perf.language_benchmarks import StepMeasurement

CONTEXT = 20


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return random_file(tmp_path_factory.mktemp("model"), kind="Q4_1")


@pytest.fixture(scope="module")
def program(model):
    path = model.with_suffix(".weft")
    LanguageModel(model, context=CONTEXT).program.save(path)
    return path


def test_a_compiled_program_generates_the_text_of_the_model(weft, model, tmp_path):
    path = tmp_path / "p.weft"
    facts = json.loads(weft("compile", model, "-o", path, "--context", CONTEXT, "--json"))
    assert facts["preset"] == "small+fixed_point=True+tile_lines=2" and facts["context"] == CONTEXT
    assert facts["bytes"] == path.stat().st_size and facts["outputs"] == {"logits": [360]}
    arguments = ("--prompt", "the", "--max-tokens", "5", "--json")
    found, expected = (json.loads(weft("generate", *source, *arguments)) for source in (
        (path,), (model, "--context", CONTEXT)))
    assert found | {"model": ""} == expected | {"model": ""} and len(found["ids"]) == 5
    again = tmp_path / "again.weft"
    weft("compile", model, "-o", again, "--context", CONTEXT)
    assert again.read_bytes() == path.read_bytes(), "a second compilation gives other bytes"


def test_perplexity_of_a_program_is_that_of_the_model(weft, model, program, tmp_path):
    (tmp_path / "ids.json").write_text("[1, 5, 9, 12, 7]")
    (tmp_path / "a.txt").write_text("the weft is the thread")
    for text in (("--ids", tmp_path / "ids.json"), ("--text", tmp_path / "a.txt")):
        found, expected = (json.loads(weft("perplexity", *source, *text, "--json"))
                           for source in ((program,), (model, "--context", CONTEXT)))
        assert found["perplexity"] == expected["perplexity"]


def test_disasm_shows_layers_and_parts(weft, program):
    lines = weft("disasm", program).splitlines()
    assert lines[0] == "embedding:"
    headings = [line for line in lines if not re.match(r" *\d+  ", line)]
    for name in ("layer 0 query, key and value projections:", "layer 1 attention scores:",
                 "layer 1 norm:", "layer 0 attention softmax:", "layer 0 down projection:",
                 "head:"):
        assert name in headings
    entries = json.loads(weft("disasm", program, "--json"))
    assert len(entries) == len(lines) - len(headings)
    assert {(entry["layer"], entry["part"]) for entry in entries} >= {
        ("layer 1", "attention values"), ("head", "head"), ("embedding", "embedding")}


def test_check_shows_sizes_types_tokenizer_and_memory(weft, model):
    facts = json.loads(weft("check", model, "--context", CONTEXT, "--json"))
    needed = Program.load(compiled(weft, model)).memory_bytes
    assert facts["memory"]["needed_bytes"] == needed and facts["unsupported"] == 0
    assert facts["target"] == "small+fixed_point=True+tile_lines=2" and facts["problem"] is None
    out = weft("check", model, "--context", CONTEXT)
    for text in ("Q4_1", "int8, expanded from the codes", "2 layers, dim 32, 4 heads of 8, 2 of "
                 "keys and values, feed-forward 44, vocabulary 360, context 64",
                 "tokenizer: SentencePiece, 360 text tokens", f"{needed:,} of 4,294,967,296 bytes"):
        assert text in out
    facts = json.loads(weft("check", model, "--preset", "ulx3s", "--set", "vector_lanes=4",
                            "--json"))
    assert facts["target"] == "ulx3s+vector_lanes=4+fixed_point=True+tile_lines=2"
    assert facts["context"] == 64


def compiled(weft, model):
    path = model.with_name("compiled.weft")
    weft("compile", model, "-o", path, "--context", CONTEXT)
    return path


@pytest.mark.parametrize("options, message", [
    (("--board", "ulx3s_25f"), "the block RAM of ulx3s_25f has only 32768"),
    (("--set", "addr_width=16", "--context", "64"), "the 16 address bits of"),
    (("--preset", "tiny"), "bytes of scratchpad of tiny"),
    (("--context", "65"), "the context must be from 1 to 64 positions, not 65")])
def test_check_and_compile_refuse_what_does_not_fit(weft, capsys, model, tmp_path, options,
                                                    message):
    facts = json.loads(output_of(weft, capsys, "check", model, *options, "--json"))
    assert message in facts["problem"] and message in facts["summary"]
    err = weft("compile", model, "-o", tmp_path / "p.weft", *options, status=2)
    assert err.startswith("weft: ") and err.count("\n") == 1
    assert not (tmp_path / "p.weft").exists()


def output_of(weft, capsys, *arguments):
    """Return the standard output of a command with exit status 2."""
    from weft_host.cli import main
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    assert stop.value.code == 2
    return capsys.readouterr().out


def test_check_lists_everything_that_is_not_supported(weft, capsys, tmp_path):
    path = random_file(tmp_path, "qwen2", extra=[("add_tokenizer_pre", "strange"),
                                                 ("add_expert_count", 4)])
    out = output_of(weft, capsys, "check", path)
    assert "qwen2.expert_count" in out and "tokenizer.ggml.pre" in out
    assert "2 unsupported properties: the model cannot be used" in out
    facts = json.loads(output_of(weft, capsys, "check", path, "--json"))
    assert [entry["property"] for entry in facts["properties"]] == [
        "qwen2.expert_count", "tokenizer.ggml.pre"]
    assert facts["unsupported"] == 2 and facts["sizes"] is None


def test_explain_shows_each_layer_and_kind(weft, model, program):
    facts = json.loads(weft("explain", program, "--json"))
    assert facts == json.loads(weft("explain", model, "--context", CONTEXT, "--json")) | {
        "model": str(program)}
    assert facts["context"] == CONTEXT
    assert facts["ideal_bytes"] == 26112 + 2 * CONTEXT * 2 * 16
    assert facts["total"]["work"]["instructions"] == Program.load(program).instruction_count
    assert [group["layer"] for group in facts["layers"]] == [
        "embedding", "layer 0", "layer 1", "head"]
    out = weft("explain", model, "--context", CONTEXT)
    assert re.search(r"^layer 0 to 1 +attention scores +\d+", out, re.MULTILINE)
    assert "host memory twice as wide:" in out and "predicted cycles" in out
    decode = json.loads(weft("bench", "llm", program, "--on", "cycle-model", "--json"))["decode"]
    assert 0 < decode["cycles"] - facts["total"]["cycles"] < 20
    assert facts["origin"] == "predicted"
    assert facts["ratio"] == pytest.approx(decode["ratio"], rel=0.01)
    slow = json.loads(weft("explain", program, "--bandwidth", "0.5", "--json"))
    assert slow["total"]["ideal"] == 2 * facts["total"]["ideal"]


class Recorder(EmulatorDevice):
    """Emulator that reports one cycle for each instruction."""

    def recorded(self, program, run, steps):
        assert max(steps) > 0
        times = np.tile(np.arange(1, program.instruction_count + 1), (3, 1))
        return run() | {"CYCLES": 5}, times


def test_explain_adds_up_the_cycles_of_a_run(weft, program, monkeypatch):
    def make(config, *, memory_bytes, latency, bandwidth):
        assert (latency, bandwidth) == (7, 1.0)
        return Recorder(config, memory_bytes=memory_bytes)

    monkeypatch.setattr("weft_host.cli.explain_language.make_rtl_device", make)
    arguments = ("explain", program, "--measure", "--latency", "7")
    facts = json.loads(weft(*arguments, "--json"))
    for group in (*facts["groups"], facts["total"]):
        assert group["cycles"] == group["work"]["instructions"] > 0
    assert facts["counters"]["CYCLES"] == 5
    count = Program.load(program).instruction_count
    assert facts["origin"] == "measured" and facts["helps"]
    assert f"measured: {count:,} cycles" in weft(*arguments)


def test_bench_refuses_a_board_without_enough_memory_before_it_builds(weft, model, monkeypatch):
    monkeypatch.setattr("weft_host.cli.language.make_device", None)
    board = find_board("ulx3s_25f")
    small = dataclasses.replace(board, memory_bytes=32768, preset="small",
                                changes={"addr_width": 32})
    monkeypatch.setattr("weft_host.cli.options.find_board", lambda name: small)
    needed = LanguageModel(model).program.memory_bytes
    err = weft("bench", "llm", model, "--board", "ulx3s_25f", status=2)
    assert err == (f"weft: {model} needs {needed:,} bytes of host memory; ulx3s_25f has 32,768 "
                   "bytes of block RAM\n")


def test_bench_prints_the_measurement(weft, model, program, monkeypatch):
    contexts = []

    def measured(running):
        contexts.append(running.context)
        return (StepMeasurement(cycles=7000, bytes_read=45000, ideal_bytes=28000, ratio=2.0),
                StepMeasurement(cycles=600, bytes_read=4000, ideal_bytes=2400, ratio=2.5))

    monkeypatch.setattr(language_benchmarks, "measure_decode", measured)
    monkeypatch.setattr("weft_host.cli.language.make_device", emulator)
    facts = json.loads(weft("bench", "llm", model, "--context", CONTEXT, "--json"))
    assert facts["decode"] == {"cycles": 7000, "bytes_read": 45000, "ideal_bytes": 28000,
                               "ratio": 2.0}
    assert facts["attention"]["cycles"] == 600
    assert (facts["on"], facts["weights"], facts["context"]) == ("rtl", "int8", CONTEXT)
    assert re.search(r"^decode +7,000 +45,000 +28,000 +2\.000$", weft("bench", "llm", program),
                     re.MULTILINE)
    assert contexts == [CONTEXT, CONTEXT]


def test_bench_measures_the_codes_of_the_file_or_their_expansion(weft, model):
    def bench(*options):
        facts = json.loads(weft("bench", "llm", model, "--context", CONTEXT, "--on", "cycle-model",
                                "--json", *options))
        decode = facts["decode"]
        assert decode["ratio"] == pytest.approx(decode["cycles"] * 8 / decode["ideal_bytes"])
        return facts["weights"], facts["preset"], decode

    sizes = open_language_model(model).sizes
    assert sizes.coded_weights
    name, int8, found = bench()
    assert (name, int8) == ("int8", "small+fixed_point=True+tile_lines=2")
    assert found["ideal_bytes"] == sizes.ideal_bytes(CONTEXT)
    assert bench("--weights", "int8") == (name, int8, found)
    name, preset, coded = bench("--weights", "file")
    assert (name, preset) == ("file", int8 + "+weights_4bit=True")
    assert coded["ideal_bytes"] == sizes.ideal_bytes(CONTEXT, codes=True)
    assert found["bytes_read"] - coded["bytes_read"] > 0.3 * sizes.coded_weights
    assert bench("--set", "weights_4bit=true")[0] == "file"


def test_tile_lines_of_the_command_line_are_kept(weft, model):
    facts = json.loads(weft("check", model, "--set", "tile_lines=1", "--json"))
    assert facts["target"] == "small+tile_lines=1+fixed_point=True"


def emulator(where, config, *, memory_bytes, latency, bandwidth):
    assert where == "rtl"
    return EmulatorDevice(config, memory_bytes=memory_bytes)


@pytest.mark.parametrize("arguments, message", [
    (("bench", "llm", "{model}", "--batch", "2"), "steps of several texts are not available yet"),
    (("bench", "llm", "{model}", "--prefill", "8"), "with several positions are not available yet"),
    (("bench", "llm", "{program}", "--weights", "file"), "is compiled without weights_4bit"),
    (("bench", "llm", "{model}", "--weights", "int8", "--set", "weights_4bit=true"),
     "has weights_4bit, which stores the codes"),
    (("bench", "llm", "{model}", "--weights", "file", "--set", "bus_width=128"),
     "weights_4bit requires beats of at most a line of a tile"),
    (("bench", "llm", "{model}", "--on", "emulator"), "'emulator' is not"),
    (("bench", "llm", "{digits}"), "is not a GGUF file"),
    (("generate", "{program}", "--prompt", "the", "--preset", "ulx3s"),
     "is compiled for small+fixed_point=True+tile_lines=2, not for ulx3s+fixed_point=True+tile_l"),
    (("generate", "{program}", "--prompt", "the", "--context", "21"),
     "is compiled for a context of 20 positions, not of 21"),
    (("run", "{program}", "--input", "{npz}"), "is the program of a language model; use weft gene"),
    (("run", "{model}", "--input", "{npz}"), "is a language model; use weft generate"),
    (("trace", "{program}", "-o", "{folder}/t"), "is the program of a language model"),
    (("header", "{program}", "-o", "{folder}/t"), "is the program of a language model"),
    (("explain", "{model}", "--html", "{folder}/t"), "not available for language models"),
    (("explain", "{model}", "--measure", "--set", "addr_width=16"), "the 16 address bits of"),
    (("explain", "{digits}", "--context", "5"), "only language models have a context"),
    (("check", "{digits}", "--context", "5"), "only language models have a context"),
    (("compile", "{digits}", "--context", "5", "-o", "{folder}/t"), "only language models have a"),
    (("compile", "{model}", "--keep-tensors", "-o", "{folder}/t"), "of a language model stay on"),
    (("check", "{model}", "--measure", "--board", "ulx3s_85f"), "bench llm measures language mod"),
    (("check", "{folder}"), "config.json cannot be read"),
    (("check", "{model}", "--preset", "icebreaker"), "is the serial engine, which cannot run"),
    (("explain", "{damaged}"), "is damaged"),
])
def test_refuses_with_a_sentence(weft, model, program, digits, tmp_path, arguments, message):
    (tmp_path / "damaged.weft").write_bytes(program.read_bytes()[:-9] + bytes(9))
    places = {"model": model, "program": program, "digits": digits[0], "npz": digits[1],
              "folder": tmp_path, "damaged": tmp_path / "damaged.weft"}
    output = weft(*(part.format(**places) for part in arguments), status=2)
    assert message in output and "Traceback" not in output
    assert not (tmp_path / "t").exists()
