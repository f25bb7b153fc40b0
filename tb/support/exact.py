"""Comparison of the golden model with the reference kernels, operator by operator."""

import numpy as np

from golden import graph as golden_graph
from support.litert import reference


def first_mismatch(expected, actual):
    """Return ``(index, expected, actual)`` of the first element that differs, or None."""
    if expected.shape != actual.shape:
        return "shape", expected.shape, actual.shape
    wrong = np.argwhere(expected != actual)
    if not len(wrong):
        return None
    index = tuple(wrong[0].tolist())
    return index, expected[index].item(), actual[index].item()


def mismatches(model, inputs):
    """Evaluate each operator with the reference's operands and compare the results.

    Returns a list of ``(operator, first mismatch)``; empty if all operators are exact.
    """
    graph = golden_graph.read(model)
    values = reference(model, inputs)
    found = []
    for op in graph.operators:
        actual = golden_graph.evaluate(graph, op, values)
        mismatch = first_mismatch(values[op.outputs[0]], actual)
        if mismatch is not None:
            found.append((op.name, mismatch))
    return found


def assert_exact(model, inputs, case):
    """Assert exact results; a failure names the case, operator, index, expected and actual."""
    found = mismatches(model, inputs)
    assert not found, f"{case}: golden differs from the reference (index, expected, actual): " + (
        "; ".join(f"{name} {mismatch}" for name, mismatch in found)
    )
