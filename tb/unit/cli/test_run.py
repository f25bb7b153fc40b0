"""``weft run``: outputs in the JSON, and requests that are refused before the run."""

import json

import numpy as np
import pytest

from weft_host.tflite_writer import ModelWriter


def test_the_json_describes_the_outputs(weft, digits):
    facts = json.loads(weft("run", digits[0], "--input", digits[1], "--json"))
    output, = facts["outputs"]
    with np.load(digits[1]) as data:
        expected = data["outputs"][0]
    assert output == {"key": "out0", "name": "probability", "shape": [1, 10], "dtype": "int8",
                      "values": [expected.reshape(-1).tolist()]}


@pytest.mark.parametrize("size", [64, 65])
def test_values_of_large_outputs_are_left_out(weft, tmp_path, size):
    m = ModelWriter()
    x = m.input("x", (1, size), scale=0.1)
    y = m.tensor("[bold]y[/bold]", (1, size), scale=0.1)
    m.operator("RELU", [x], [y])
    m.output(y)
    (tmp_path / "x.tflite").write_bytes(m.finish())
    values = np.arange(size, dtype=np.int8).reshape(1, size)
    np.savez(tmp_path / "x.npz", in0=values)
    arguments = ("run", tmp_path / "x.tflite", "--input", tmp_path / "x.npz")
    output, = json.loads(weft(*arguments, "--json"))["outputs"]
    assert output.get("values") == (values.tolist() if size == 64 else None)
    assert output["shape"] == [1, size]
    assert weft(*arguments).startswith(f"out0 [bold]y[/bold] [1, {size}]: 0 1 2 ")


@pytest.mark.parametrize("arguments", [
    ("run", "--input"), ("header", "-o", "x.h", "--input"), ("trace", "-o", "x.json", "--input")])
def test_the_form_of_the_input_is_checked_before_the_model_is_read(weft, tmp_path, monkeypatch,
                                                                   arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.tflite").write_bytes(b"no model")
    (tmp_path / "x.md").write_text("# Title")
    verb, *options = arguments
    assert "x.md is not an .npz file" in weft(verb, "x.tflite", *options, "x.md", status=2)


def test_all_tensors_needs_a_file(weft, digits):
    err = weft("run", digits[0], "--input", digits[1], "--all-tensors", status=2)
    assert "--all-tensors writes tensors to a file; name it with --output" in err


def test_all_tensors_needs_a_program_that_stores_them(weft, tmp_path, digits):
    arguments = ("--input", digits[1], "--all-tensors", "--output", tmp_path / "out.npz")
    weft("compile", digits[0], "-o", tmp_path / "a.weft")
    err = weft("run", tmp_path / "a.weft", *arguments, status=2)
    assert err == (f"weft: {tmp_path / 'a.weft'} was compiled without --keep-tensors, so some "
                   "tensors stay on chip and cannot be read; compile it with --keep-tensors, or "
                   "run the .tflite file\n")
    assert not (tmp_path / "out.npz").exists()
    weft("compile", digits[0], "-o", tmp_path / "b.weft", "--keep-tensors")
    weft("run", tmp_path / "b.weft", *arguments)
    with np.load(tmp_path / "out.npz") as made:
        assert len(made.files) > 5


@pytest.mark.parametrize("option, value", [("--latency", 5), ("--bandwidth", 0.5)])
@pytest.mark.parametrize("verb", ["run", "selftest", "conformance"])
def test_the_emulator_has_no_timing(weft, digits, verb, option, value):
    arguments = {"run": (digits[0], "--input", digits[1]), "selftest": (),
                 "conformance": (digits[0].parent,)}[verb]
    err = weft(verb, *arguments, option, value, status=2)
    assert (f"Invalid value for {option}: the emulator has no clock, so the option has no effect; "
            "use --on rtl") in err
