"""Page of ``weft explain``: title, axes, labels, and what it leaves out."""

import dataclasses
import itertools
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from weft.spec.presets import preset
from weft_host import compile
from weft_host.perf.explain import explain
from weft_host.perf.explain_page import page, title_of
from weft_host.perf.svg import text_box

MODEL = Path(__file__).resolve().parents[3] / "examples" / "digits" / "digits.tflite"
SVG = "{http://www.w3.org/2000/svg}"
AXES = [["cycles from the start of the program"], ["cycles"],
        ["multiplications per byte of host memory traffic", "multiplications per cycle"]]


@pytest.fixture(scope="module")
def found():
    return explain(compile(MODEL, preset("small")))


def measured(found):
    return dataclasses.replace(
        found, total=dataclasses.replace(found.total, measured=3200),
        layers=[dataclasses.replace(layer, measured=layer.predicted) for layer in found.layers])


def crowded(found):
    """Return an explanation with 60 layers of nearly equal intensity, and long names."""
    layer = max(found.layers, key=lambda layer: layer.macs)
    length = found.total.predicted // 60
    return dataclasses.replace(found, spans=[], layers=[
        dataclasses.replace(layer, index=index, name=f"{index} {'w' * index}", first=length * index,
                            predicted=length, achieved=layer.achieved / (1 + index % 7))
        for index in range(60)])


def drawings(text):
    return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.S)]


def boxes(drawing):
    """Return the text and the rectangle of each label; that of a turned one is turned."""
    for item in drawing.iter(f"{SVG}text"):
        x, y = float(item.get("x")), float(item.get("y"))
        left, top, right, bottom = text_box(x, y, item.text, item.get("text-anchor"))
        if item.get("transform"):
            assert item.get("transform") == f"rotate(-90 {x:.1f} {y:.1f})"
            left, top, right, bottom = (x + top - y, y + x - right, x + bottom - y, y + x - left)
        yield item.text, (left, top, right, bottom)


def test_the_title_is_the_model_and_the_configuration(found):
    assert title_of(found) == "digits.tflite on small"
    text = page(found, 64, 8.0)
    assert "<title>digits.tflite on small</title>" in text and str(MODEL.parent) not in text
    without = dataclasses.replace(found.total, what="")
    assert title_of(dataclasses.replace(found, total=without)) == "program on small"
    windows = dataclasses.replace(found.total, what=r"C:\models\net.tflite")
    assert title_of(dataclasses.replace(found, total=windows)) == "net.tflite on small"


def test_measured_cycles_appear_only_after_a_measurement(found):
    body = page(found, 64, 8.0).partition("</style>")[2]
    assert "measured" not in body and "–" not in body
    body = page(measured(found), 64, 8.0).partition("</style>")[2]
    assert "3,200 measured" in body and "<th>measured cycles</th>" in body
    assert body.count('<rect class="measured"') == len(found.layers)
    assert '<span class="key measured">' in body


def test_each_axis_has_a_name(found):
    for drawing, names in zip(drawings(page(found, 64, 8.0)), AXES, strict=True):
        assert [item.text for item in drawing.iter(f"{SVG}text")
                if item.get("class") == "axis-name"] == names


@pytest.mark.parametrize("change", [lambda found: found, measured, crowded])
def test_labels_do_not_overlap(found, change):
    for drawing in drawings(page(change(found), 64, 8.0)):
        _, _, width, height = map(float, drawing.get("viewBox").split())
        found_boxes = list(boxes(drawing))
        assert len(found_boxes) > 8
        for (one, a), (other, b) in itertools.combinations(found_boxes, 2):
            # neighbouring lines may touch: the boxes are those of a wide and high font
            assert (a[0] >= b[2] - 1 or b[0] >= a[2] - 1 or a[1] >= b[3] - 2
                    or b[1] >= a[3] - 2), (one, other)
        for text, box in found_boxes:
            assert box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height, text


def test_wide_parts_scroll_inside_of_the_page(found):
    text = page(found, 64, 8.0)
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert len(re.findall(r'<div class="wide[^>]*><(?:svg|table)', text)) == len(
        re.findall("<svg|<table", text)) == 6
    assert "prefers-color-scheme: dark" in text


def test_names_are_escaped(found):
    name = "<script>alert('1')</script> & \"[bold]\""
    odd = dataclasses.replace(
        found, total=dataclasses.replace(found.total, what=name),
        layers=[dataclasses.replace(layer, name=name, what=name) for layer in found.layers])
    text = page(odd, 64, 8.0)
    assert "<script" not in text and "[bold]" in text
    assert all(name in "".join(drawing.itertext()) for drawing in drawings(text)[:2])
