"""Build of simulators: cache, errors, waveforms and the removed reset."""

import re

import pytest

from support.copy_engine import CopyEngine
from support.copy_simulation import BASE, TARGET, copy, make_simulation, no_progress
from weft.verilog import to_rtlil
from weft_host.device import rtl_build
from weft_host.device.rtl_build import build, tie_reset_low
from weft_host.device.rtl_sim import Simulation
from weft_host.errors import BuildError


def test_a_missing_compiler_is_reported_with_advice(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(BuildError, match=(
            r"^no C\+\+ compiler: 'no-such-compiler' is not on PATH; install g\+\+ or clang\+\+ "
            r"\(Debian: apt install g\+\+\), or set CXX$")):
        build("", cache=tmp_path)


def test_a_failed_build_adds_nothing_to_the_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(rtl_build, "_FLAGS", ("-std=no-such-standard",))
    with pytest.raises(BuildError, match="no-such-standard"):
        build(to_rtlil(CopyEngine(), "weft"), cache=tmp_path, progress=no_progress)
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".lock"]


def test_a_second_build_uses_the_cache(tmp_path):
    rtlil, messages = to_rtlil(CopyEngine(), "weft"), []
    first = build(rtlil, cache=tmp_path, progress=messages.append)
    assert len(messages) == 3
    assert build(rtlil, cache=tmp_path, progress=messages.append) == first and len(messages) == 3
    other = build(to_rtlil(CopyEngine(32), "weft"), cache=tmp_path, progress=messages.append)
    assert other != first and len(messages) == 6


def test_writing_a_waveform_does_not_change_the_simulation(tmp_path):
    library = build(to_rtlil(CopyEngine(), "weft"), trace=True, progress=no_progress)
    traced = Simulation(library, memory_base=BASE, memory_bytes=1 << 16,
                        trace=tmp_path / "wave.vcd")
    cycles = copy(traced, BASE, TARGET, 4)
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
