"""Load of a bitstream with known programmers, and with an unknown one."""

import dataclasses

import pytest

import flash
from weft_boards import board, board_names

OTHER = dataclasses.replace(board("ulx3s_25f"), flash=("ecpprog", "-S", "{bitstream}"))


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Provide an empty tree, an empty PATH, and a board with an unknown programmer."""
    monkeypatch.setattr(flash, "ROOT", tmp_path)
    monkeypatch.setattr(flash, "find_board", lambda name: OTHER)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_names_a_missing_programmer(folder, capsys):
    flash.main(["--board", OTHER.name, "--dry-run"])
    assert capsys.readouterr().out.splitlines() == [
        f"ecpprog -S {flash.bitstream_of(OTHER)}", "ecpprog is not installed.",
        "There is no bitstream: run make bitstream BOARD=ulx3s_25f first"]
    flash.bitstream_of(OTHER).parent.mkdir(parents=True)
    flash.bitstream_of(OTHER).write_bytes(b"")
    with pytest.raises(SystemExit) as caught:
        flash.main(["--board", OTHER.name])
    assert str(caught.value) == ("flash: Radiona ULX3S 25F needs ecpprog, which is not installed.")


def test_failure_of_the_programmer_refers_to_weft_doctor(folder):
    flash.bitstream_of(OTHER).parent.mkdir(parents=True)
    flash.bitstream_of(OTHER).write_bytes(b"")
    program = folder / "ecpprog"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(SystemExit, match="^flash: ecpprog ended with status 3; check that the "
                                         "board is connected and that you have access to its port, "
                                         "for example with weft doctor$"):
        flash.main(["--board", OTHER.name])


def test_dry_run_prints_the_command(capsys):
    flash.main(["--board", "icebreaker", "--dry-run"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"iceprog {flash.bitstream_of(board('icebreaker'))}"


@pytest.mark.parametrize("name", board_names())
def test_each_board_has_a_known_programmer(name, monkeypatch, tmp_path):
    chosen = board(name)
    assert "{bitstream}" in chosen.flash and chosen.flash[0] in flash.INSTALL
    monkeypatch.setattr(flash, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match=rf"is missing: run make bitstream BOARD={name} first$"):
        flash.main(["--board", name])
    flash.bitstream_of(chosen).parent.mkdir(parents=True)
    flash.bitstream_of(chosen).write_bytes(b"")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=f"needs {chosen.flash[0]}, which is not installed"):
        flash.main(["--board", name])
