"""Golden evaluation of whole graphs: mixed operators, and files of other tools."""

import numpy as np
import pytest

from golden import evaluators
from golden import graph as golden_graph
from support.exact import assert_exact, first_mismatch, mismatches
from support.litert import outputs
from support.models import random_input
from support.networks import KINDS, random_network
from weft_host.tflite_writer import CODES, OPERATORS, ModelWriter


def assert_chain_exact(model, inputs, about):
    """Evaluate the graph as a whole, so that an error of one operator propagates."""
    graph = golden_graph.read(model)
    values = golden_graph.run(graph, inputs)
    for index, expected in zip(graph.outputs, outputs(model, inputs)):
        found = first_mismatch(expected, values[index])
        assert found is None, f"{about}: output {index} (index, expected, actual): {found}"


@pytest.mark.parametrize("block", range(4))
def test_random_networks_are_exact(block):
    for seed in range(block * 60, block * 60 + 60):
        model = random_network(seed)
        inputs = random_input(model, seed)
        assert_exact(model, inputs, f"seed {seed}")
        assert_chain_exact(model, inputs, f"seed {seed}")


def test_random_networks_cover_all_operators_and_special_cases():
    seen, special = set(), set()
    for seed in range(240):
        graph = golden_graph.read(random_network(seed))
        seen.update(op.name for op in graph.operators)
        used = {i for op in graph.operators for i in (*op.inputs, *op.outputs)}
        tensors = enumerate(graph.tensors)
        special.update("unused" for i, _ in tensors if i not in used)
        special.update("scalar" for t in graph.tensors if t.value is not None and t.shape == ())
        special.update(str(np.dtype(graph.tensors[i].dtype)) for i in graph.inputs + graph.outputs)
    # ABS and EXP are in the writer for tests of the compiler's messages
    known = set(OPERATORS) - {"ABS", "EXP"}
    assert seen == {*KINDS, "FULLY_CONNECTED", "DEQUANTIZE"} == known
    assert set(evaluators.EVALUATORS) == known
    assert special == {"unused", "scalar", "int8", "float32"}


def test_equal_seeds_give_equal_networks():
    assert random_network([3, 4]) == random_network([3, 4]) != random_network([3, 5])


@pytest.mark.parametrize("codes", CODES)
def test_files_with_one_operator_code_are_exact(codes):
    m = ModelWriter(codes=codes)
    x = m.input("x", (1, 3), scale=0.5, zero_point=4)
    padded = m.tensor("padded", (1, 5), scale=0.5, zero_point=4)
    y = m.tensor("y", (1, 5), scale=0.25, zero_point=-1)
    paddings = m.constant("paddings", np.array([[0, 0], [1, 1]], np.int32))
    m.operator("PAD", [x, paddings], [padded])
    m.operator("HARD_SWISH", [padded], [y])
    m.output(y)
    image = np.array([[-128, 127, 5]], np.int8)
    assert_exact(m.finish(), [image], codes)
    assert_chain_exact(m.finish(), [image], codes)


def test_rejects_an_operator_without_golden_model():
    m = ModelWriter()
    x, y = m.input("x", (1,), scale=1.0), m.tensor("y", (1,), scale=1.0)
    m.operator("TANH", [x], [y])
    m.output(y)
    graph = golden_graph.read(m.finish())
    op = golden_graph.Operator(name="ATAN2", inputs=(x,), outputs=(y,), options=None)
    with pytest.raises(NotImplementedError, match="^No golden operator for ATAN2$"):
        golden_graph.evaluate(graph, op, {x: np.zeros(1, np.int8)})


def test_detects_swapped_operands_in_a_network(monkeypatch):
    subtract = evaluators.EVALUATORS["SUB"]
    monkeypatch.setitem(
        evaluators.EVALUATORS,
        "SUB",
        lambda options, operands, tensors, out: subtract(
            options, operands[::-1], tensors[::-1], out
        ),
    )
    models = [random_network(seed, kinds=("SUB",)) for seed in range(10)]
    wrong = [seed for seed, m in enumerate(models) if mismatches(m, random_input(m, seed))]
    assert len(wrong) > 5
