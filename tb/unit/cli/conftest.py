"""Fixture for tests of the command line."""

import pathlib

import pytest

from weft_host.cli import main


@pytest.fixture
def digits():
    """Return the paths of the digits model and of its data."""
    folder = pathlib.Path(__file__).resolve().parents[3] / "examples" / "digits"
    return folder / "digits.tflite", folder / "digits.npz"


@pytest.fixture
def weft(capsys):
    """Return a function that runs ``weft``, checks its status and returns its output or message."""
    def call(*arguments, status=0):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert stop.value.code == status, err
        return out if status == 0 else err
    return call
