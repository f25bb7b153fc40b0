"""Elements of charts: ticks of axes, labels that do not overlap."""

import itertools
import re

import numpy as np
import pytest

from support.seeds import seed
from weft_host.perf.svg import Labels, nice_ticks, shortened, text_box


@pytest.mark.parametrize("end, expected", [
    (0, [0]), (3, [0, 1, 2, 3]), (10, list(range(11))), (99, list(range(0, 99, 10))),
    (3193, list(range(0, 3001, 500))), (6_924_296, list(range(0, 6_000_001, 1_000_000))),
])
def test_ticks_are_few_round_numbers(end, expected):
    assert nice_ticks(end) == expected


def test_long_texts_end_with_dots():
    assert shortened("conv", 75) == "conv" and shortened("x" * 11, 75) == "x" * 9 + "…"
    assert shortened("xx", 0) == "x…"


def test_labels_of_a_crowd_neither_overlap_nor_leave_the_area():
    area = 0, 0, 200, 100
    obstacle = 50, 50, 90, 70
    labels = Labels(area, [obstacle])
    points = np.random.default_rng(seed(1)).uniform((0, 0), (200, 100), (100, 2))
    boxes = [obstacle]
    for number, (x, y) in enumerate(points):
        found = re.match(r'<text x="(.*?)" y="(.*?)" text-anchor="(.*?)">', labels.place(
            x, y, str(number)))
        if found:
            at_x, at_y, anchor = found.groups()
            boxes.append(text_box(float(at_x), float(at_y), str(number), anchor))
    assert 20 < len(boxes) < 100, "some points find no space for a label"
    for one, other in itertools.combinations(boxes, 2):
        assert (one[0] >= other[2] - 0.1 or other[0] >= one[2] - 0.1 or one[1] >= other[3] - 0.1
                or other[1] >= one[3] - 0.1)
    for box in boxes[1:]:
        assert box[0] > -0.1 and box[1] > -0.1 and box[2] < 200.1 and box[3] < 100.1
