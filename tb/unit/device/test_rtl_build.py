"""Build of simulators: cache, errors, waveforms and the removed reset."""

import errno
import os
import pathlib
import re

import pytest

from support.copy_engine import CopyEngine
from support.copy_simulation import BASE, TARGET, copy, make_simulation, no_progress
from weft.verilog import to_rtlil
from weft_host.device import RtlDevice, rtl_build
from weft_host.device.rtl_build import build, cache_directory, tie_reset_low
from weft_host.device.rtl_sim import Simulation
from weft_host.errors import BuildError


def test_a_missing_compiler_is_reported_with_advice(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(BuildError, match=(
            r"^no C\+\+ compiler: 'no-such-compiler' is not on PATH; install g\+\+ or clang\+\+ "
            r"\(Debian: apt install g\+\+\), or set CXX$")):
        build("", cache=tmp_path)


def test_a_failed_build_adds_nothing_but_the_log_to_the_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(rtl_build, "_FLAGS", ("-std=no-such-standard",))
    with pytest.raises(BuildError) as caught:
        build(to_rtlil(CopyEngine(), "weft"), cache=tmp_path, progress=no_progress)
    log, = (path for path in tmp_path.iterdir() if path.suffix != ".lock")
    begin, _, end = str(caught.value).partition(f"its log is {log}, which ends:\n")
    assert re.fullmatch(r"the C\+\+ compiler \S+ ended with status 1 and without a simulator; ",
                        begin)
    assert "no-such-standard" in end and log.read_text().endswith(end + "\n")
    assert log.read_text().splitlines()[0].split()[1] == "-std=no-such-standard"


def test_the_key_of_a_simulator_does_not_depend_on_the_terminal(monkeypatch):
    keys = set()
    for columns in ("40", "80", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        keys.add(rtl_build._compiler())
    assert len(keys) == 1


def test_a_compiler_that_writes_nothing_is_reported(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "true")
    with pytest.raises(BuildError, match=r"true ended with status 0 and without a simulator"):
        build(to_rtlil(CopyEngine(), "weft"), cache=tmp_path, progress=no_progress)


def cache_error(folder, reason):
    return (f"the cache of simulators, {folder}, cannot be written: {reason}; free space there, "
            "or set WEFT_CACHE to another folder")


def test_a_cache_that_cannot_be_created_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for folder, reason in ((pathlib.Path("/proc/x"), "No such file or directory"),
                           (tmp_path / "file", "it is not a folder"),
                           (tmp_path / "file" / "x", "it is not a folder")):
        with pytest.raises(BuildError) as caught:
            RtlDevice("tiny", cache=folder)
        assert str(caught.value) == cache_error(folder, reason)


def test_a_full_cache_is_named(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(rtl_build, "split", full)
    with pytest.raises(BuildError) as caught:
        build(to_rtlil(CopyEngine(), "weft"), cache=tmp_path, progress=no_progress)
    assert str(caught.value) == cache_error(tmp_path, "No space left on device")


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("WEFT_CACHE", str(tmp_path))
    assert cache_directory() == tmp_path
    monkeypatch.setenv("WEFT_CACHE", "")        # as if it was not set
    assert cache_directory() == pathlib.Path(__file__).parents[3] / "build" / "rtl"


def test_a_user_without_a_home_is_advised_to_name_a_cache(monkeypatch, tmp_path):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("WEFT_CACHE", raising=False)
    monkeypatch.setattr(rtl_build, "_HERE", tmp_path / "a" / "b" / "c")
    monkeypatch.setattr(pathlib.Path, "home", homeless)
    with pytest.raises(BuildError, match="^there is no home folder for the cache of simulators; "
                                         "set WEFT_CACHE to a folder for it$"):
        cache_directory()


def test_a_damaged_simulator_is_named(tmp_path):
    library = tmp_path / "weft.so"
    library.write_bytes(b"\x7fELF")
    with pytest.raises(BuildError, match=rf"^the simulator {library} cannot be loaded: .*; delete "
                                         "the file$"):
        Simulation(library)


def test_a_second_build_uses_the_cache(tmp_path):
    rtlil, messages = to_rtlil(CopyEngine(), "weft"), []
    first = build(rtlil, cache=tmp_path, progress=messages.append)
    assert len(messages) == 3
    assert build(rtlil, cache=tmp_path, progress=messages.append) == first and len(messages) == 3
    other = build(to_rtlil(CopyEngine(32), "weft"), cache=tmp_path, progress=messages.append)
    assert other != first and len(messages) == 6


def test_writing_a_waveform_does_not_change_the_simulation(tmp_path):
    library = build(to_rtlil(CopyEngine(), "weft"), trace=True, optimize=0, progress=no_progress)
    traced = Simulation(library, memory_base=BASE, memory_bytes=1 << 16,
                        trace=tmp_path / "wave.vcd")
    cycles = copy(traced, BASE, TARGET, 4)
    assert not traced.single_step and make_simulation().single_step
    traced.close()
    assert cycles == copy(make_simulation(), BASE, TARGET, 4)
    text = (tmp_path / "wave.vcd").read_text()
    assert "m_axi_arvalid" in text or "m_axi arvalid" in text or "arvalid" in text
    assert text.count("\n#") > 2 * cycles
    with pytest.raises(OSError, match=r"^the waveform .*wave\.vcd cannot be written$"):
        Simulation(library, trace=tmp_path / "no" / "wave.vcd")


def test_only_the_reset_of_the_top_is_tied_low():
    inner = to_rtlil(CopyEngine(), "inner").replace("attribute \\top 1\n", "")
    rtlil = to_rtlil(CopyEngine(), "weft") + inner
    released = tie_reset_low(rtlil, "weft")
    assert rtlil.count(" \\rst\n") == released.count(" \\rst\n")
    assert released.count("connect \\rst 1'0\n") == 1
    assert released.index("connect \\rst 1'0") < released.index("module \\inner")
    without = re.sub(r" \\rst\n", r" \\other\n", rtlil)
    assert tie_reset_low(without, "weft") == without
