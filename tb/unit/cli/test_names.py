"""Names with square brackets, and long ones, in the output of every verb that shows them."""

import json

import numpy as np
import pytest

from weft_host.tflite_writer import ModelWriter

NAMES = ("conv[relu]", "[bold]x[/bold]", "[/]", "[red]" + 60 * "deep/" + "y[0]")


@pytest.fixture
def model(tmp_path):
    """Return a folder with a model of two operators, whose names look like markup, and a case."""
    folder = tmp_path / "[bold]models[/bold]" / "net[1]"
    folder.mkdir(parents=True)
    writer = ModelWriter()
    tensors = [writer.input(NAMES[0], (1, 4), scale=0.1)]
    for name in NAMES[1:]:
        tensors.append(writer.tensor(name, (1, 4), scale=0.1))
        writer.operator("RELU", tensors[-2:-1], tensors[-1:])
    writer.output(tensors[-1])
    (folder / "model.tflite").write_bytes(writer.finish())
    np.savez(folder / "case.npz", in0=np.full((1, 4), 7, np.int8), out0=np.full((1, 4), 7, np.int8))
    return folder / "model.tflite"


def test_names_are_shown_as_they_are(weft, model, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    out = weft("check", model)
    assert out.splitlines()[0] == str(model)
    for name in NAMES[1:]:
        assert f"RELU      {name} " in out
    out = weft("explain", model, "--board", "ulx3s_85f")
    assert out.startswith(f"{model} on ulx3s") and f"\n{model} on ulx3s_85f: " in out
    out = weft("run", model, "--input", model.parent / "case.npz")
    assert f" {NAMES[3]} [1, 4]: 7 7 7 7" in out
    out = weft("conformance", model.parent.parent)
    assert "\nnet[1] " in out
    assert out.endswith("\n2 tensors have no stored result; --verbose lists them\n")
    out = weft("conformance", model.parent.parent, "--verbose")
    for name in NAMES[1:3]:
        assert f"net[1]: the cases do not contain tensor {name!r}" in out


def test_names_in_json_are_the_same(weft, model):
    facts = json.loads(weft("check", model, "--json"))
    assert [entry["output"] for entry in facts["operators"]] == list(NAMES[1:])
    assert facts["model"] == str(model)


def test_every_parameter_and_number_is_shown(weft, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    facts = json.loads(weft("info", "--board", "ulx3s_25f", "--json"))
    lines = weft("info", "--board", "ulx3s_25f").splitlines()
    assert lines[0] == f"weft {facts['preset']}"
    for name, value in facts["parameters"].items():
        assert name == "name" or any(line.split() == [name, str(value)] for line in lines)
    for name, entry in facts["instructions"].items():
        fields = ", ".join(f"{field} ({offset}:{width})"
                           for field, (offset, width) in entry["fields"].items())
        assert any(line.startswith(f"{name} ") and line.endswith(fields) for line in lines)
