"""Animation of the small array as SVG."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import pictures
from array_animation import animate
from array_flow import record
from weft.spec.presets import preset

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def frames():
    return record(preset("tiny"), *pictures.matrices())


@pytest.fixture(scope="module")
def groups(frames):
    """Return the group of each frame, by the number of its cycle."""
    root = ElementTree.fromstring(animate(frames, vectors_per_tile=5, first=12))
    found = [group for group in root.findall(f"{SVG}g") if "f" in group.get("class").split()]
    return {int(group.get("class").split()[1][1:]): group for group in found}


def numbers(group, kind):
    """Return the numbers of a group's texts of one class, in the order in which they are drawn."""
    texts = ["".join(text.itertext()) for text in group.iter(f"{SVG}text")
             if re.search(kind, text.get("class", ""))]
    return [int(text.replace("Σ ", "").replace("\N{MINUS SIGN}", "-")) for text in texts]


def test_the_finished_sums_of_all_frames_are_the_products(groups):
    tiles, passes = map(np.array, pictures.matrices())
    drawn = [numbers(groups[cycle], "^w t[ab]$") for cycle in sorted(groups)]
    assert [line for line in drawn if line] == (passes @ tiles).reshape(-1, 4).tolist()


def test_every_frame_has_the_weights_and_sums_of_the_recording(frames, groups):
    assert sorted(groups) == list(range(len(frames)))
    for cycle, frame in enumerate(frames):
        for kind, items in (("^w$", frame.weights), ("^t[ab]$", frame.sums)):
            assert numbers(groups[cycle], kind) == [
                item.value for line in items for item in line if item]


def test_frames_are_shown_one_after_the_other(frames):
    text = animate(frames, vectors_per_tile=5, first=12)
    count = len(frames)
    delays = {int(number): float(delay) for number, delay in re.findall(
        r"\.f(\d+),\.f\d+ \*\{animation-delay:(-?[\d.]+)s\}", text)}
    assert sorted((count + delay) % count for delay in delays.values()) == list(range(count))
    assert delays[12] == 0 and (count + delays[11]) % count == count - 1
    # each frame is visible for its share of the period
    assert f"{{0%{{visibility:visible}}{100 / count:.4f}%{{visibility:hidden}}}}" in text


def test_the_file_is_committed_as_drawn(frames):
    text = animate(frames, vectors_per_tile=5, first=12)
    assert (pictures.FOLDER / "array.svg").read_text() == text, "run make pictures"
    assert len(text) < pictures.MAXIMUM_BYTES
