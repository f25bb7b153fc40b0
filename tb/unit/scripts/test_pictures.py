"""Pictures of the documentation: which are drawn, which are kept, and their sizes."""

import json
import pathlib
import re

import pytest
from PIL import Image

import pictures

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)|```\{(?:figure|image)\} (\S+)\n:alt: (.*)\n")


def links():
    """Return page, path and alternative text of all pictures of the documentation."""
    return [(page, (page.parent / (found[2] or found[3])).resolve(), found[1] or found[4])
            for page in PAGES for found in LINK.finditer(page.read_text())]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Redirect committed and new pictures to a folder, and return that of the committed ones."""
    monkeypatch.setattr(pictures, "ROOT", tmp_path)
    monkeypatch.setattr(pictures, "FOLDER", tmp_path / "static")
    (tmp_path / "static").mkdir()
    return tmp_path / "static"


def run(*names):
    with pytest.raises(SystemExit) as exit:
        pictures.main(list(names))
    return exit.value.code


def test_every_picture_exists_is_small_and_has_an_alternative_text():
    found = links()
    assert len(found) >= 5
    for page, path, text in found:
        assert path.is_file(), f"{page}: {path}"
        assert path.stat().st_size <= pictures.MAXIMUM_BYTES, f"{page}: {path}"
        assert len(text) > 20, f"{page}: {path}"


def test_every_picture_of_the_script_is_shown():
    shown = {path.name for _, path, _ in links()}
    assert shown >= {name for name in pictures.PICTURES if (pictures.FOLDER / name).exists()}


def test_a_picture_without_its_prerequisite_is_kept(folder, capsys):
    (folder / "floorplan.png").write_text("committed")
    assert run("floorplan.png") == 1
    assert capsys.readouterr().out == (
        f"floorplan.png: not drawn, the committed picture stays. {folder.parent}/build/icebreaker/"
        "result.json does not exist: run make bitstream BOARD=icebreaker, which takes minutes\n")
    assert (folder / "floorplan.png").read_text() == "committed"


def test_the_floorplan_is_that_of_the_fastest_seed(folder, capsys):
    build = folder.parent / "build" / "icebreaker"
    build.mkdir(parents=True)
    (build / "result.json").write_text(json.dumps({"mhz": {"1": 62.51, "2": 70.04}}))
    (build / "placed-2.json").write_text(json.dumps({"modules": {"top": {"cells": {
        f"top.accelerator.matmul.{n}": {"attributes": {"NEXTPNR_BEL": f"X{n}/Y{n}/SLICEA.LUT0"}}
        for n in range(9)}}}}))
    assert run("floorplan.png") == 0
    with Image.open(folder / "floorplan.png") as picture:
        assert picture.mode == "P" and picture.width > 800
    assert re.fullmatch(r"floorplan.png: [\d,]+ bytes\n", capsys.readouterr().out)


def test_a_picture_that_is_too_large_is_not_committed(folder, monkeypatch):
    monkeypatch.setattr(pictures, "MAXIMUM_BYTES", 1000)
    assert re.fullmatch(r"array.svg has [\d,]+ bytes, more than 1,000; it is in .*",
                        run("array.svg"))
    assert not list(folder.iterdir())


def test_an_unknown_name_is_reported_with_the_known_ones(capsys):
    assert run("array.png") == 2
    assert capsys.readouterr().err.endswith(
        "there is no picture 'array.png', only array.svg, floorplan.png, explain.png, trace.png\n")
