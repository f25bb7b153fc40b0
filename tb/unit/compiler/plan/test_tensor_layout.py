"""Layout of a model's tensors in host memory."""

import numpy as np

from support.models import Chain
from support.seeds import seed
from weft.spec.presets import preset
from weft_host.compiler.frontend.tflite import read_model
from weft_host.compiler.lower.lowering import lower
from weft_host.compiler.plan.tensor_layout import lay_out_tensors

CONFIG = preset("tiny")


def layouts():
    """Yield a graph of three tensors with its layout, without and with intermediate tensors."""
    chain = Chain(np.random.default_rng(seed(0)), (1, 70))
    chain.fully_connected(9)
    chain.fully_connected(5)
    graph = read_model(chain.finish())
    lowered = lower(graph, CONFIG)
    resident = {graph.operators[0].outputs[0]}
    for keep_tensors in (False, True):
        yield graph, lay_out_tensors(graph, lowered, resident, keep_tensors=keep_tensors)


def test_a_resident_tensor_has_an_offset_only_if_all_tensors_are_kept():
    (graph, lean), (_, full) = layouts()
    middle = graph.operators[0].outputs[0]
    assert middle not in lean.offsets and not lean.tensors
    assert [tensor.tensor_id for tensor in full.tensors] == [middle]


def test_tensors_are_aligned_and_do_not_overlap():
    _, (graph, layout) = layouts()
    ends = 0
    for index, offset in sorted(layout.offsets.items(), key=lambda item: item[1]):
        assert offset % 64 == 0 and offset >= ends
        ends = offset + graph.tensor(index).size
    assert ends <= layout.size


def test_relocation_adds_the_base_to_every_offset():
    for _, layout in layouts():
        moved = layout.relocated(4096)
        for before, after in zip(layout.inputs + layout.outputs + layout.tensors,
                                 moved.inputs + moved.outputs + moved.tensors, strict=True):
            assert after.offset == before.offset + 4096 and after.name == before.name
        assert moved.size == layout.size
