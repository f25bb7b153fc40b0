"""Integer parameters against the formulas of the page on the numerics, in plain Python.

Numbers are compared exactly where they are integers; bounds are floating-point numbers, so the
factors that depend on them are compared within one unit of their multipliers.
"""

import math

import numpy as np
import pytest

from golden.language_model.integer.forward import forward_integers
from golden.language_model.integer.quantize import RESIDUAL_FRACTION, integer_model
from golden.language_model.parameters import Codes, Linear, NormParameters
from support.language_models import SHAPES, golden_model, random_tensors
from support.language_models.plain_integers import factor_of
from support.seeds import seed

CONTEXT = 40


def draw(name):
    shape = SHAPES[name]
    rng = np.random.default_rng(seed(41))
    model = golden_model(shape, random_tensors(shape, 30, rng), np.float64)
    return model, integer_model(model, CONTEXT)


def int8_weights(row):
    """Return the int8 weights of one output, and their scale."""
    scale = max(map(abs, row)) / 127
    return [math.floor(w / scale + 0.5) for w in row], scale


def behind_norm(linear, norm):
    """Return (int8 weights, scale, bias, bound) of each output of a projection behind a norm."""
    found = []
    for index, row in enumerate(linear.weight.tolist()):
        weights, scale = int8_weights([w * g for w, g in zip(row, norm.gain.tolist())])
        bias = 0.0 if linear.bias is None else float(linear.bias[index])
        if norm.offset is not None:
            bias += float(np.dot(row, norm.offset))
        bound = math.sqrt(len(row)) * scale * math.sqrt(sum(w * w for w in weights)) + abs(bias)
        found.append((weights, scale, bias, bound))
    return found


def fraction(bound):
    return max(4, 30 - math.ceil(math.log2(bound)))


def assert_factor(factor, index, real, bits=26):
    found = int(factor.multiplier[index]) / 2.0 ** int(factor.shift[index])
    assert abs(found / real - 1) <= 1.01 * 2.0**-bits
    assert 2 ** (bits - 1) <= abs(int(factor.multiplier[index])) < 2**bits


def assert_projection(found, rows, unit, units):
    """Compare a projection with its rows, the unit of its inputs and the units of its outputs."""
    assert found.pre_shift == 0
    for index, ((weights, scale, bias, _), output) in enumerate(zip(rows, units, strict=True)):
        assert found.weight[index].tolist() == weights
        assert_factor(found.factor, index, scale * unit / output)
        assert abs(found.bias[index] - bias / output) <= 0.501


def input_unit(model):
    return math.sqrt(model.embedding.shape[1]) / 32639


@pytest.mark.parametrize("name", ["llama", "qwen2", "gpt2", "llama_all_biases"])
def test_feed_forward_layers_have_the_fraction_that_their_bound_allows(name):
    model, integers = draw(name)
    for real, layer in zip(model.layers, integers.layers):
        found, fractions = layer.feed_forward, {}
        for part in ("gate", "up"):
            if getattr(real, part) is not None:
                rows = behind_norm(getattr(real, part), real.feed_forward_norm)
                bits = fractions[part] = min(24, fraction(max(row[3] for row in rows)))
                assert_projection(getattr(found, part), rows, input_unit(model),
                                  [2.0**-bits] * len(rows))
        assert found.gate_fraction == fractions.get("gate", fractions["up"])
        assert found.product_fraction == fractions["up"] + fractions.get("gate", 15)
    rows = behind_norm(model.head, model.final_norm)
    bits = min(16, fraction(max(row[3] for row in rows)))
    assert integers.logit_fraction == bits
    assert_projection(integers.head, rows, input_unit(model), [2.0**-bits] * len(rows))


def rotated_bounds(model, rows):
    """Return the bounds of the elements of each head behind the rotation in halves."""
    size = model.head_size
    bounds = np.array([row[3] for row in rows]).reshape(-1, size)
    if model.rotation is None:
        return bounds.tolist()
    half = size // 2
    pairs = [[math.hypot(head[i], head[half + i]) for i in range(half)] for head in bounds]
    return [pair * 2 for pair in pairs]


@pytest.mark.parametrize("name", ["llama", "qwen2", "gpt2"])
def test_units_of_queries_keys_and_values(name):
    model, integers = draw(name)
    size, group = model.head_size, model.heads // model.kv_heads
    for real, layer in zip(model.layers, integers.layers):
        found = layer.attention
        rows = {part: behind_norm(getattr(real, part), real.attention_norm) for part in "qkv"}
        queries, keys = (rotated_bounds(model, rows[part]) for part in "qk")
        units, bits = {"q": [], "k": [], "v": []}, {}
        for head, key in enumerate(keys):
            mean = math.prod(key) ** (1 / size)
            equal = [bound / mean for bound in key]
            bits["k", head] = fraction(mean)
            units["k"] += [x * 2.0 ** -bits["k", head] for x in equal]
            divisors = [127 * math.sqrt(size) / x for x in equal]
            bits["q", head] = fraction(max(
                bound / x for query in queries[head * group:][:group]
                for bound, x in zip(query, divisors)))
            units["q"] += [x * 2.0 ** -bits["q", head] for x in divisors] * group
            assert found.score_shifts[head] == bits["q", head] + bits["k", head] - 42
            bits["v", head] = fraction(max(row[3] for row in rows["v"][head * size:][:size]))
            units["v"] += [2.0 ** -bits["v", head]] * size
        for part in "qkv":
            assert_projection(getattr(found, part), rows[part], input_unit(model), units[part])
        outputs = []
        for index, row in enumerate(real.output.weight.tolist()):
            weights, scale = int8_weights([w * 2.0 ** (15 - bits["v", column // size // group])
                                           for column, w in enumerate(row)])
            bias = 0.0 if real.output.bias is None else float(real.output.bias[index])
            outputs.append((weights, scale, bias, 0))
        assert_projection(found.output, outputs, 1.0, [2.0**-RESIDUAL_FRACTION] * len(outputs))


@pytest.mark.parametrize("name", ["qwen3", "qwen3_untied"])
def test_norms_of_queries_and_keys(name):
    model, integers = draw(name)
    size = model.head_size
    for real, layer in zip(model.layers, integers.layers):
        half = size // 2
        gains = {part: getattr(real, f"{part}_norm").gain.tolist() for part in "qk"}
        bounds = {part: [math.sqrt(size) * math.hypot(gain[i % half], gain[i % half + half])
                         for i in range(size)] for part, gain in gains.items()}
        mean = math.prod(bounds["k"]) ** (1 / size)
        equal = [bound / mean for bound in bounds["k"]]
        divisors = {"k": equal, "q": [127 * math.sqrt(size) / x for x in equal]}
        bits = {}
        for part in "qk":
            before = min(24, fraction(max(row[3] for row in behind_norm(
                getattr(real, part), real.attention_norm))))
            bits[part] = fraction(max(b / d for b, d in zip(bounds[part], divisors[part])))
            norm = getattr(layer.attention, f"{part}_norm")
            assert norm.eps == round(model.eps * size * 4.0**before)
            assert max(map(abs, norm.gains.gains.tolist())) >= 1 << 29
            for found, gain, divisor in zip(norm.gains.gains, gains[part], divisors[part]):
                expected = gain / divisor * math.sqrt(size) / 32639 * 2.0 ** bits[part]
                assert abs(found - expected * 2.0**norm.gains.shift) <= 0.501
        assert set(layer.attention.score_shifts.tolist()) == {bits["q"] + bits["k"] - 42}


def test_scores_of_large_queries_and_keys_have_no_negative_shift():
    model, _ = draw("llama")
    layers = tuple(type(layer)(**{**vars(layer), **{
        part: Linear(weight=1e4 * getattr(layer, part).weight, bias=None) for part in "qk"}})
        for layer in model.layers)
    integers = integer_model(type(model)(**{**vars(model), "layers": layers}), CONTEXT)
    assert all((layer.attention.score_shifts == 0).all() for layer in integers.layers)


def test_embedding_positions_and_rotation():
    model, integers = draw("gpt2")
    assert RESIDUAL_FRACTION == 12
    assert integers.eps == round(model.eps * model.embedding.shape[1] * 2.0**24)
    for index, row in enumerate(model.embedding.tolist()):
        weights, scale = int8_weights(row)
        assert integers.embedding[index].tolist() == weights
        assert (integers.embedding_factor.multiplier[index],
                integers.embedding_factor.shift[index]) == factor_of(scale * 4096)
    assert integers.positions.tolist() == [
        [math.floor(x * 4096 + 0.5) for x in row] for row in model.positions[:CONTEXT].tolist()]
    model, integers = draw("llama")
    for position in (0, 1, CONTEXT - 1):
        for pair, frequency in enumerate(model.rotation.frequencies.tolist()):
            angle = position * frequency
            for table, function in ((integers.cosines, math.cos), (integers.sines, math.sin)):
                assert abs(table[position, pair] - function(angle) * 2.0**30) <= 0.501


def test_gains_that_are_not_part_of_codes_are_factors_behind_the_norm():
    model, _ = draw("llama")
    rng = np.random.default_rng(seed(42))
    q, d, m = rng.integers(16, size=(32, 1, 32)), rng.uniform(0.1, 1, (32, 1)), np.zeros((32, 1))
    coded = Linear(weight=(q * d[..., None]).reshape(32, 32), bias=None,
                   codes=Codes(q=q, d=d, m=m))
    layer = model.layers[0]
    gain = np.array(layer.attention_norm.gain)
    gain[3] = -2.0
    layer = type(layer)(**{**vars(layer), "q": coded, "attention_norm": NormParameters(
        gain=gain, offset=None)})
    integers = integer_model(type(model)(**{**vars(model), "layers": (layer,)}), CONTEXT)
    found = integers.layers[0].attention
    assert found.gains.shift == 30
    assert found.gains.gains.tolist() == [math.floor(x / 2.0 * 2**30 + 0.5) for x in gain]
    unit = math.sqrt(32) * 2.0 / 32639
    for index, row in enumerate(layer.v.weight.tolist()):
        weights, scale = int8_weights(row)
        assert found.v.weight[index].tolist() == weights
        ratio = found.v.factor.multiplier[index] / 2.0 ** found.v.factor.shift[index] / (
            scale * unit)
        assert abs(ratio / 2.0 ** round(math.log2(ratio)) - 1) < 1e-6       # a power of two
    assert integers.layers[0].feed_forward.gains is None


def test_gains_of_zero_in_front_of_codes_have_outputs_of_zero():
    model, _ = draw("llama")
    q = np.random.default_rng(seed(46)).integers(16, size=(32, 1, 32))
    coded = Linear(weight=q.reshape(32, 32).astype(np.float64), bias=None,
                   codes=Codes(q=q, d=np.ones((32, 1)), m=np.zeros((32, 1))))
    for gain in (0.0, 1e-30):
        layer = type(model.layers[0])(**{
            **vars(model.layers[0]), "q": coded, "up": coded, "gate": coded, "down": coded,
            "attention_norm": NormParameters(gain=np.full(32, gain), offset=None),
            "feed_forward_norm": NormParameters(gain=np.full(32, gain), offset=None)})
        integers = integer_model(type(model)(**{**vars(model), "layers": (layer,)}), CONTEXT)
        logits = forward_integers(integers, [3, 4])
        assert logits.shape == (2, 30)


def test_output_projections_with_codes_have_one_unit_for_all_heads():
    model, _ = draw("llama")
    rng = np.random.default_rng(seed(45))
    q, d, m = rng.integers(16, size=(32, 1, 32)), rng.uniform(0.1, 1, (32, 1)), np.zeros((32, 1))
    coded = Linear(weight=(q * d[..., None]).reshape(32, 32), bias=None,
                   codes=Codes(q=q, d=d, m=m))
    layer = type(model.layers[0])(**{**vars(model.layers[0]), "output": coded})
    integers = integer_model(type(model)(**{**vars(model), "layers": (layer,)}), CONTEXT)
    rows = behind_norm(layer.v, layer.attention_norm)
    bits = fraction(max(row[3] for row in rows))
    found = integers.layers[0].attention
    assert_projection(found.v, rows, input_unit(model), [2.0**-bits] * len(rows))
    for index, row in enumerate(coded.weight.tolist()):
        assert_factor(found.output.factor, index,
                      max(map(abs, row)) / 127 * 2.0 ** (15 - bits) * 4096)


@pytest.mark.parametrize("context, shift", [(1, 0), (518, 0), (519, 1), (1036, 1), (65_535, 7)])
def test_shift_of_the_sums_over_positions(context, shift):
    assert 127 * 32639 * context <= 2 ** (31 + shift)
    model, _ = draw("llama")
    assert integer_model(model, context).sum_shift == shift


@pytest.mark.parametrize("name, context, most", [
    ("llama", 0, 65_535), ("llama", 65_536, 65_535), ("gpt2", 65, 64)])
def test_rejects_contexts_beyond_the_law(name, context, most):
    with pytest.raises(ValueError, match=f"from 1 to {most} positions, not {context}"):
        integer_model(draw(name)[0], context)


@pytest.mark.parametrize("inputs, pre_shift", [(513, 0), (514, 0), (515, 1), (1028, 1), (1029, 2)])
def test_shift_in_front_of_a_projection_into_the_residual(inputs, pre_shift):
    assert (128 * 32639 * inputs <= 2 ** (31 + pre_shift))
    shape = SHAPES["llama"]
    shape = type(shape)(**{**vars(shape), "feed_forward": inputs, "layers": 1})
    tensors = random_tensors(shape, 30, np.random.default_rng(seed(43)))
    integers = integer_model(golden_model(shape, tensors, np.float64), CONTEXT)
    assert integers.layers[0].feed_forward.down.pre_shift == pre_shift
