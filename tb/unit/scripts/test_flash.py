"""Loading with a program that the scripts know nothing about."""

import dataclasses

import pytest

import flash
from weft_boards import board

OTHER = dataclasses.replace(board("ulx3s_25f"), flash=("ecpprog", "-S", "{bitstream}"))


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A tree and a PATH with nothing in them, and a board that needs another program."""
    monkeypatch.setattr(flash, "ROOT", tmp_path)
    monkeypatch.setattr(flash, "board", lambda name: OTHER)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_another_program_is_named(folder, capsys):
    flash.main(["--board", OTHER.name, "--dry-run"])
    assert capsys.readouterr().out.splitlines() == [
        f"ecpprog -S {flash.bitstream_of(OTHER)}", "ecpprog is not installed.",
        "There is no bitstream yet: make bitstream BOARD=ulx3s_25f"]
    flash.bitstream_of(OTHER).parent.mkdir(parents=True)
    flash.bitstream_of(OTHER).write_bytes(b"")
    with pytest.raises(SystemExit) as caught:
        flash.main(["--board", OTHER.name])
    assert str(caught.value) == ("flash: Radiona ULX3S 25F needs ecpprog, which is not installed.")


def test_a_failure_points_to_the_doctor(folder):
    flash.bitstream_of(OTHER).parent.mkdir(parents=True)
    flash.bitstream_of(OTHER).write_bytes(b"")
    program = folder / "ecpprog"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(SystemExit, match="^flash: ecpprog ended with status 3; .* weft doctor says "
                                         "what is missing$"):
        flash.main(["--board", OTHER.name])
