"""Atomic file writing."""

import stat

import pytest

from weft_host.atomic_file import write_atomically
from weft_host.cli.output import write_output
from weft_host.errors import InputError


@pytest.mark.parametrize("content, stored", [(b"\x00\xff", b"\x00\xff"), ("µ\n", b"\xc2\xb5\n")])
def test_writes_bytes_and_text_for_all_readers(tmp_path, content, stored):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    write_atomically(path, content)
    assert path.read_bytes() == stored
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError("disk is full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="^disk is full$"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("path", [".", "/dev/null"])
def test_a_folder_and_a_device_are_not_replaced(path):
    with pytest.raises(OSError, match=f"Not a regular file: '{path}'$"):
        write_atomically(path, b"new")
    with pytest.raises(InputError, match=f"^cannot write {path}: Not a regular file$"):
        write_output(path, b"new")


def test_the_longest_names_are_written(tmp_path):
    for name in ("x" * 255, "𝔵" * 63):
        write_atomically(tmp_path / name, b"new")
        assert (tmp_path / name).read_bytes() == b"new"


def test_characters_of_names_that_are_not_utf_8_are_escaped(tmp_path):
    write_atomically(tmp_path / "file", "caf\udce9")
    assert (tmp_path / "file").read_bytes() == rb"caf\udce9"


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(tmp_path / "no" / "file", b"new")
    assert caught.value.filename == str(tmp_path / "no" / "file")
    with pytest.raises(InputError, match=r"^cannot write .*/no/file: No such file or directory$"):
        write_output(str(tmp_path / "no" / "file"), b"new")
