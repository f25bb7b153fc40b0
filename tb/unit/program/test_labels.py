"""Labels of instructions, from data of reports that may have any form."""

import pytest

from weft.spec import isa
from weft.spec.presets import preset
from weft_host.program.file import Program
from weft_host.program.labels import Label, instruction_labels

META = {"layers": [{"index": -1, "name": "embedding"}, {"index": 0, "name": "layer 0"}],
        "parts": [["embedding", "embedding"], ["query projection", "projections"]],
        "instruction_layers": [-1, 0], "instruction_parts": [0, 1]}


def labels(**changes):
    return instruction_labels(Program(
        config=preset("tiny"), instructions=isa.encode("SYNC_LOAD") * 2, memory_bytes=64,
        meta={name: value for name, value in (META | changes).items() if value is not None}))


def test_each_instruction_has_the_names_of_layer_part_and_kind():
    assert labels() == [Label("embedding", "embedding", "embedding"),
                        Label("layer 0", "query projection", "projections")]
    assert list(map(str, labels())) == ["embedding", "layer 0 query projection"]


@pytest.mark.parametrize("changes", [
    {"layers": None}, {"parts": None}, {"instruction_layers": None}, {"instruction_parts": None},
    {"layers": []}, {"layers": [7]}, {"layers": [{"index": "x", "name": "y"}]},
    {"parts": [["embedding"]] * 2}, {"parts": 5}, {"instruction_layers": [0]},
    {"instruction_layers": [-1, 7]}, {"instruction_layers": [[], []]},
    {"instruction_parts": [0, 1, 1]}, {"instruction_parts": [0, -1]},
    {"instruction_parts": [0, 2]}, {"instruction_parts": [0, "1"]},
    {"instruction_parts": [0, 0.5]}, {"layers": [{"index": float("inf"), "name": "x"}]},
])
def test_incomplete_data_gives_no_labels(changes):
    assert labels(**changes) is None
