"""Pictures of traces in Perfetto's viewer."""

import json
import pathlib

import pytest
from PIL import Image

import browser
import perfetto

VIEWER = pathlib.Path(__file__).resolve().parents[3] / "build" / "perfetto"


def test_without_npm_the_package_to_install_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(perfetto.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="^perfetto: npm is missing: sudo apt-get install npm$"):
        perfetto.install_viewer(tmp_path)


@pytest.mark.skipif(browser.missing() is not None,
                    reason=f"traces are checked in Chromium: {browser.missing()}")
@pytest.mark.skipif(not (VIEWER / "node_modules" / perfetto.PACKAGE).exists(),
                    reason="make pictures installs the viewer")
def test_shows_a_track_for_each_unit_and_for_the_counters_that_are_named(tmp_path):
    events = [{"ph": "X", "pid": 1, "tid": unit, "ts": 0, "dur": 100, "name": "work"}
              for unit in range(1, 5)]
    counters = [{"ph": "C", "pid": 1, "ts": ts, "name": name, "args": {"value": ts}}
                for name in ("bytes read", "tokens") for ts in (0, 50)]
    heights = []
    for count, shown in ((1, ()), (4, ()), (4, ["bytes read"])):
        (tmp_path / "trace.json").write_text(json.dumps({"traceEvents": [
            {"ph": "M", "pid": 1, "tid": 0, "name": "process_name", "args": {"name": "weft"}},
            *events[:count], *counters]}))
        perfetto.draw_trace(tmp_path / "trace.json", perfetto.install_viewer(VIEWER),
                            tmp_path / "trace.png", shown)
        with Image.open(tmp_path / "trace.png") as picture:
            heights.append(picture.height)
            assert picture.width == perfetto.WIDTH
    assert heights[0] + 60 < heights[1] < heights[2] < heights[1] + 60
