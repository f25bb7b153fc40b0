"""Files that commands read and write: nothing that is read is overwritten."""

import os
import shutil

import pytest

from weft_host.cli.files import OutputFile


@pytest.fixture
def model(monkeypatch, tmp_path, digits):
    """Copy the digits model and its data into an empty current folder."""
    monkeypatch.chdir(tmp_path)
    for path in digits:
        shutil.copy(path, tmp_path)
    os.symlink("digits.tflite", "link.tflite")
    os.link("digits.tflite", "hard.tflite")
    (tmp_path / "folder").mkdir()
    return tmp_path / "digits.tflite"


SPELLINGS = ("digits.tflite", "./digits.tflite", "folder/../digits.tflite", "link.tflite",
             "hard.tflite")
LOST = "is also the file of 'MODEL', which would be lost; choose another file to write"


@pytest.mark.parametrize("path", SPELLINGS)
def test_the_model_is_not_overwritten(weft, model, path):
    before = model.read_bytes()
    for verb in (("compile", "-o"), ("trace", "-o"), ("explain", "--html"),
                 ("run", "--input", "digits.npz", "--output")):
        err = weft(verb[0], "digits.tflite", *verb[1:], path, status=2)
        assert f": {path!r} {LOST}" in err
    assert LOST in weft("compile", "-o", path, "digits.tflite", status=2)
    assert LOST in weft("compile", "digits.tflite", "-o", model.parent / path, status=2)
    assert model.read_bytes() == before


def test_the_input_is_not_overwritten(weft, model):
    err = weft("run", model, "--input", "digits.npz", "--output", "./digits.npz", status=2)
    assert "'./digits.npz' is also the file of '--input', which would be lost" in err


def test_a_program_is_not_overwritten(weft, model):
    weft("compile", model, "-o", "digits.weft")
    err = weft("header", "digits.weft", "-o", "digits.weft", status=2)
    assert "'digits.weft' is also the file of 'PROGRAM', which would be lost" in err
    weft("compile", model, "-o", "digits.weft")     # an earlier output is replaced


def test_a_new_file_in_the_folder_of_the_model_is_written(weft, model):
    weft("compile", "link.tflite", "-o", "new.weft")
    assert (model.parent / "new.weft").read_bytes()[:8] == b"WEFTPROG"


@pytest.mark.parametrize("path, message", [
    ("", "the name of the file is empty"),
    ("folder", "is a directory"),
    ("new/", "'new/' names a folder; add the name of a file"),
    ("fifo", "'fifo' is not a regular file"),
    ("/dev/null", "'/dev/null' is not a regular file"),
    ("y" * 300, f"the name {'y' * 40}... of 300 bytes is too long"),
])
def test_an_output_that_cannot_be_a_file_is_refused(weft, model, path, message):
    os.mkfifo("fifo")
    assert message in weft("compile", model, "-o", path, status=2)
    assert sorted(path.name for path in model.parent.iterdir()) == [
        "digits.npz", "digits.tflite", "fifo", "folder", "hard.tflite", "link.tflite"]


def test_the_longest_name_is_written(weft, model):
    name = "x" * 255
    weft("compile", model, "-o", name)
    assert (model.parent / name).exists()


@pytest.mark.parametrize("path, message", [
    ("", "File '' does not exist"),
    ("folder", "File 'folder' is a directory"),
    ("fifo", "'fifo' is not a regular file"),
    ("/dev/zero", "'/dev/zero' is not a regular file"),
])
def test_a_model_that_is_not_a_file_is_refused(weft, model, path, message):
    os.mkfifo("fifo")
    # check also takes folders, of language models
    of_check = {"": "Path '' does not exist", "folder": "folder/config.json cannot be read"}
    assert of_check.get(path, message) in weft("check", path, status=2)
    assert message in weft("run", path, "--input", "digits.npz", status=2)
    assert message in weft("run", "digits.tflite", "--input", path, status=2)


def test_the_type_converts_without_a_command(tmp_path):
    assert OutputFile().convert(tmp_path / "x", None, None) == str(tmp_path / "x")
