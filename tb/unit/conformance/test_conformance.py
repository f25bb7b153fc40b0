"""``weft conformance``: equal results pass; every difference and omission is reported."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from support.litert import outputs, reference
from weft.spec.presets import preset
from weft_host import compile
from weft_host.cli import main
from weft_host.conformance import ModelReport, compare_case, read_case, run_models
from weft_host.device import EmulatorDevice
from weft_host.errors import DeviceError, ErrorRecord, LinkError
from weft_host.tflite_writer import ModelWriter

DIGITS = Path(__file__).resolve().parents[3] / "examples" / "digits"
MODEL = (DIGITS / "digits.tflite").read_bytes()
CASES = 3


@pytest.fixture
def folder(tmp_path):
    """A folder of models with the network digits and results of the reference kernels."""
    home = tmp_path / "models" / "digits"
    home.mkdir(parents=True)
    shutil.copy(DIGITS / "digits.tflite", home / "model.tflite")
    with np.load(DIGITS / "digits.npz") as file:
        images, numbers = file["images"][:CASES], file["tensors"].tolist()
    for index in range(CASES):
        inputs = [images[index:index + 1]]
        tensors = reference(MODEL, inputs)
        np.savez(home / f"case{index}.npz", in0=inputs[0], out0=outputs(MODEL, inputs)[0],
                 **{f"t{number}": tensors[number] for number in numbers})
    return home.parent


def change(folder, change_arrays, name="digits/case1.npz"):
    with np.load(folder / name) as file:
        arrays = {key: file[key] for key in file.files}
    change_arrays(arrays)
    np.savez(folder / name, **arrays)
    return arrays


@pytest.fixture
def weft(capsys):
    def call(*arguments, status=0):
        with pytest.raises(SystemExit) as stop:
            main(["conformance", *map(str, arguments)])
        out, err = capsys.readouterr()
        assert stop.value.code == status, out + err
        return out, err
    return call


def facts(weft, folder, *options, status=0):
    return json.loads(weft(folder, "--on", "emulator", "--json", *options, status=status)[0])


def test_equal_results_pass(weft, folder):
    found = facts(weft, folder)
    assert (found["cases"], found["exact"], found["first_mismatch"]) == (CASES, CASES, None)
    assert found["tensors_compared"] == CASES * 9 and found["tensors_not_compared"] == 0
    model, = found["models"]
    assert model["model"] == "digits" and model["left_out"] == 0 and not model["not_stored"]
    out, err = weft(folder, "--on", "emulator", "--preset", "tall", "--cases", "2")
    assert "digits" in out and "+1 left" in out and "case 2 of 2" in err
    # the folder of a single model is accepted, too
    assert facts(weft, folder / "digits", "--preset", "tiny")["exact"] == CASES


@pytest.mark.parametrize("tensor", ["t11", "out0"])
def test_a_wrong_element_is_found_and_named(weft, folder, tensor):
    with np.load(folder / "digits" / "case1.npz") as file:
        names = [name for name in file.files if name.startswith("t")]
    tensor = names[1] if tensor == "t11" else tensor

    def flip(arrays):
        arrays[tensor].reshape(-1)[-1] ^= 1

    arrays = change(folder, flip)
    found = facts(weft, folder, status=1)
    assert found["exact"] == CASES - 1
    wrong = found["first_mismatch"]
    assert (wrong["model"], wrong["case"], wrong["tensor"]) == ("digits", "case1", tensor)
    assert wrong["index"] == [size - 1 for size in arrays[tensor].shape]
    assert wrong["expected"] == arrays[tensor].reshape(-1)[-1]
    assert wrong["actual"] == wrong["expected"] ^ 1 and wrong["wrong_elements"] == 1
    out, _ = weft(folder, "--on", "emulator", status=1)
    assert "case case1" in out and f"expected {wrong['expected']}, got {wrong['actual']}" in out


def test_the_first_mismatch_is_the_first_tensor_in_program_order(weft, folder):
    def flip(arrays):
        for name in arrays:
            if name != "in0":
                arrays[name] = ~arrays[name]

    change(folder, flip)
    first = compile(MODEL, preset("small"), keep_tensors=True).tensors[0]
    assert facts(weft, folder, status=1)["first_mismatch"]["name"] == first.name


def test_a_wrong_shape_is_a_mismatch(weft, folder):
    change(folder, lambda arrays: arrays.update(out0=arrays["out0"].reshape(-1)))
    wrong = facts(weft, folder, status=1)["first_mismatch"]
    assert wrong["tensor"] == "out0" and wrong["index"] is None
    assert wrong["expected"] == "[10] of int8"


def test_arrays_that_are_not_compared_are_reported(weft, folder):
    def spoil(arrays):
        name = next(name for name in arrays if name.startswith("t"))
        arrays.update(t99=np.zeros(3, np.int8), out1=np.zeros(3, np.int8), label=np.zeros(1))
        arrays["t0"] = arrays["in0"]
        if name != "t0":
            del arrays[name]

    change(folder, spoil, "digits/case0.npz")
    found = facts(weft, folder)
    model, = found["models"]
    assert model["not_compared"] == {
        "label": "neither an input nor a result",
        "t99": "not computed by the program: constant, unused or fused with another tensor",
        "out1": "the model has 1 outputs",
        "t0": "an input of the model, which is not computed"}
    assert len(model["not_stored"]) == 1 and found["tensors_compared"] == CASES * 9 - 1
    out, _ = weft(folder, "--on", "emulator")
    assert out.splitlines()[-1] == ("4 stored arrays are not compared and 1 tensor has no stored "
                                    "result; --verbose lists them")
    assert "t99" not in out and "do not contain" not in out
    out, _ = weft(folder, "--on", "emulator", "--verbose")
    assert "digits: t99 is not compared: not computed by the program" in out
    assert "digits: the cases do not contain tensor " in out and "--verbose" not in out


def test_tensors_that_the_device_did_not_write_do_not_pass(folder):
    """Correct bytes of an earlier run do not count."""
    class Lazy(EmulatorDevice):
        def start(self):
            if self.lazy:
                self.registers.set("STATUS", DONE=1)
            else:
                super().start()

    config = preset("small")
    program = compile(MODEL, config, keep_tensors=True)
    device, report = Lazy(config, memory_bytes=1 << 20), ModelReport(model="digits")
    case = read_case(folder / "digits" / "case0.npz")
    device.lazy = False
    compare_case(device, program, case, report)
    assert report.exact == 1
    device.lazy = True
    compare_case(device, program, case, report)
    on_device = [tensor for tensor in program.tensors if tensor.offset is not None]
    assert report.exact == 1 and report.mismatch.name == on_device[0].name
    assert report.mismatch.wrong_elements == np.prod(on_device[0].shape)


def test_a_failed_device_gives_status_1(weft, folder, monkeypatch):
    def fails(*_, **__):
        raise DeviceError(ErrorRecord(code="WATCHDOG", unit="LOAD", index=3, addr=0))

    monkeypatch.setattr(EmulatorDevice, "run", fails)
    found = facts(weft, folder, status=1)
    assert found["models"][0]["failure"].startswith("case0: WATCHDOG in LOAD")
    assert found["exact"] == 0 and found["cases"] == CASES


def test_a_model_that_cannot_run_gives_status_2_and_others_still_run(weft, folder):
    m = ModelWriter()
    x = m.input("x", (1, 4), scale=0.1)
    y = m.tensor("y", (1, 4), scale=0.1)
    m.operator("EXP", [x], [y])
    m.output(y)
    (folder / "exp").mkdir()
    (folder / "exp" / "model.tflite").write_bytes(m.finish())
    (folder / "empty").mkdir()
    shutil.copy(DIGITS / "digits.tflite", folder / "empty" / "model.tflite")
    (folder / "digits" / "case2.npz").write_bytes(b"PK nothing")
    found = facts(weft, folder, status=2)
    refusals = {model["model"]: model["refusal"] for model in found["models"]}
    assert "EXP" in refusals["exp"] and "no .npz file" in refusals["empty"]
    assert "case2.npz is not a readable .npz file" in refusals["digits"]
    assert found["exact"] == CASES - 1


@pytest.mark.parametrize("spoil, message", [
    (lambda arrays: arrays.pop("in0"), "needs inputs in0, in1, ...; it has none"),
    (lambda arrays: arrays.update(in2=arrays["in0"]), "it has in0, in2"),
    (lambda arrays: [arrays.pop(name) for name in list(arrays) if name != "in0"],
     "no results to compare: neither t<i> nor out<i>"),
    (lambda arrays: arrays.update(in0=arrays["in0"][0]), "has shape"),
])
def test_invalid_cases_are_rejected(weft, folder, spoil, message):
    change(folder, spoil)
    found = facts(weft, folder, status=2)
    assert message in found["models"][0]["refusal"]


def test_a_folder_without_models_is_rejected(weft, tmp_path):
    _, err = weft(tmp_path, "--on", "emulator", status=2)
    assert "neither model.tflite nor folders with that file" in err


def test_a_program_that_needs_more_memory_is_rejected_before_it_is_loaded(folder):
    home = folder / "another"
    shutil.copytree(folder / "digits", home)
    config = preset("tiny")
    program = compile(home / "model.tflite", config, keep_tensors=True)
    large = dataclasses.replace(program, memory_bytes=1 << 17)
    device = EmulatorDevice(config, memory_bytes=1 << 16)
    first, second = run_models(
        folder, lambda path: large if path.parent == home else program, lambda size: device)
    assert (first.model, first.status, first.cases) == ("another", 2, 0)
    assert first.refusal == ("the program needs 131072 bytes of host memory, but this device has "
                             "65536")
    assert (second.model, second.status, second.exact) == ("digits", 0, CASES)


@pytest.mark.parametrize("status, ran, left_out, other", [
    (None, 2, 1, "not run: the cable"),     # the link is broken
    (2, CASES, 0, "case1: the cable")])     # the board has answered
def test_a_broken_link_ends_the_run_with_a_failure(folder, monkeypatch, status, ran,
                                                         left_out, other):
    shutil.copytree(folder / "digits", folder / "more")
    run, calls = EmulatorDevice.run, []

    def breaks(*arguments, **options):
        calls.append(arguments)
        if len(calls) % CASES == 2:
            raise LinkError("the cable", status=status)
        return run(*arguments, **options)

    monkeypatch.setattr(EmulatorDevice, "run", breaks)
    config, messages = preset("tiny"), []
    first, second = run_models(
        folder, lambda path: compile(path, config, keep_tensors=True),
        lambda size: EmulatorDevice(config, memory_bytes=size), progress=messages.append)
    assert (first.failure, first.cases, first.left_out) == ("case1: the cable", ran, left_out)
    assert second.failure == other and first.status == second.status == 1
    assert any("case 2 of 3" in text for text in messages)
