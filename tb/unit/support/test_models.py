"""Random models for other tests: they are repeatable, cover all operators and do not saturate."""

from collections import Counter

import numpy as np
import pytest

from golden import graph as golden_graph
from support.exact import assert_exact
from support.litert import reference
from support.models import KINDS, random_input, random_model

ALL_KINDS = (*KINDS, "DEPTHWISE_CONV_2D")


def test_equal_seeds_give_equal_models_and_inputs():
    models = [random_model(seed) for seed in range(20)]
    assert models == [random_model(seed) for seed in range(20)]
    assert len(set(models)) == 20
    for seed, model in enumerate(models):
        for a, b in zip(random_input(model, seed), random_input(model, seed)):
            np.testing.assert_array_equal(a, b)


def test_random_chains_cover_operators_and_are_exact():
    names, large_biases = Counter(), 0
    for seed in range(150):
        model = random_model(seed, kinds=ALL_KINDS)
        assert_exact(model, random_input(model, seed), f"seed {seed}")
        graph = golden_graph.read(model)
        names.update(op.name for op in graph.operators)
        for op in graph.operators:
            if len(op.inputs) == 3 and op.inputs[2] >= 0:
                large_biases += int(np.abs(graph.tensors[op.inputs[2]].value).max()) > 2**27
    assert set(names) == {*ALL_KINDS, "RESHAPE"}
    assert min(names.values()) >= 20
    assert large_biases >= 20


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_outputs_spread_over_the_range(kind):
    values = Counter()
    for seed in range(100):
        model = random_model(seed, kinds=[kind], operators=1)
        output = golden_graph.read(model).outputs[0]
        values.update(reference(model, random_input(model, seed))[output].ravel().tolist())
    total = sum(values.values())
    saturated = (values[-128] + values[127]) / total
    # a softmax of one column or of wide scales has outputs at the ends only
    assert saturated < (0.9 if kind == "SOFTMAX" else 0.6)
    assert len(values) > 100
