"""Golden MUL against the reference kernel; ADD, SUB and MUL with broadcasting."""

import numpy as np
import pytest

from golden import evaluators, mul
from support import seeds, straddle
from support.exact import assert_exact, mismatches
from support.models import ACTIVATIONS
from support.one_operator import draw_scales, draw_zero, one_operator

EVERY_PAIR = [
    np.repeat(np.arange(-128, 128), 256).astype(np.int8).reshape(1, 65536),
    np.tile(np.arange(-128, 128), 256).astype(np.int8).reshape(1, 65536),
]
OPERATORS = pytest.mark.parametrize("op", ["ADD", "SUB", "MUL"])


def random_shapes(rng):
    """Draw two shapes of up to four axes that broadcast, often of kinds common in networks."""
    shape = tuple(int(n) for n in rng.integers(1, 6, rng.integers(1, 5)))
    kind = rng.integers(5)
    if kind == 0:
        other = ()
    elif kind == 1:
        other = (1,) * (len(shape) - 1) + shape[-1:]
    elif kind == 2:
        other = shape[int(rng.integers(len(shape))) :]
    else:
        keep = rng.random((2, len(shape))) < 0.6
        other = tuple(n if k else 1 for n, k in zip(shape, keep[0]))
        shape = tuple(n if k else 1 for n, k in zip(shape, keep[1]))
    return (shape, other) if rng.random() < 0.5 else (other, shape)


@pytest.mark.parametrize("seed", range(12))
def test_every_pair_of_operands_is_exact(seed):
    rng = np.random.default_rng(seed)
    a, b = draw_scales(rng, 2)
    out = float(np.float32(a * b * 2.0 ** rng.integers(0, 10)))
    inputs = [((1, 65536), a, draw_zero(rng)), ((1, 65536), b, draw_zero(rng))]
    model = one_operator(
        "MUL",
        inputs,
        (1, 65536),
        (out, draw_zero(rng)),
        fused_activation_function=ACTIVATIONS[seed % 4],
    )
    assert_exact(model, EVERY_PAIR, f"seed {seed}")


@OPERATORS
@pytest.mark.parametrize("block", range(3))
def test_broadcasting_of_tensors_and_constants_is_exact(op, block):
    for seed in range(block * 60, block * 60 + 60):
        rng = np.random.default_rng(seed)
        shapes, scales = random_shapes(rng), draw_scales(rng, 3)
        values = [rng.integers(-128, 128, shape).astype(np.int8) for shape in shapes]
        constant = int(rng.integers(3))  # neither, the first, or the second
        inputs = [
            (values[i] if constant == i + 1 else shapes[i], scales[i], draw_zero(rng))
            for i in (0, 1)
        ]
        model = one_operator(
            op,
            inputs,
            np.broadcast_shapes(*shapes),
            (scales[2], draw_zero(rng)),
            fused_activation_function=ACTIVATIONS[seed % 4],
        )
        given = [v for i, v in enumerate(values) if constant != i + 1]
        assert_exact(model, given, f"seed {seed}: {op} {shapes} constant {constant}")


def test_products_of_scales_are_exact_near_ties(monkeypatch):
    models = []
    for a, b, out in straddle.products(np.random.default_rng(seeds.seed(6)), 40):
        inputs = [((1, 256), a, 127), (np.ones((1, 1), np.int8), b, 0)]
        models.append(one_operator("MUL", inputs, (1, 256), (out, 127)))
        assert_exact(models[-1], [EVERY_PAIR[1][:, :256]], f"{a!r} * {b!r} / {out!r}")
    # negative test: a ratio of doubles is detected
    monkeypatch.setattr(
        mul, "ratio", lambda *scales: np.float64(scales[0]) * scales[1] / np.float64(scales[2])
    )
    assert sum(bool(mismatches(model, [EVERY_PAIR[1][:, :256]])) for model in models) > 5


def test_ratios_above_one_wrap():
    for ratio in (1.0, 7.5, 2.0**14, 2.0**15, 2.0**17, 2.0**22):
        inputs = [((1, 65536), 1.0, -128), ((1, 65536), 1.0, 127)]
        model = one_operator("MUL", inputs, (1, 65536), (1 / ratio, 3))
        assert_exact(model, EVERY_PAIR, f"ratio {ratio}")


def test_detects_a_missing_zero_point(monkeypatch):
    model = one_operator("MUL", [((1, 256), 0.1, 5), ((1, 256), 0.1, 0)], (1, 256), (0.3, 0))
    inputs = [x[:, :256] for x in EVERY_PAIR]
    assert not mismatches(model, inputs)
    true_mul = mul.mul
    monkeypatch.setitem(
        evaluators.EVALUATORS,
        "MUL",
        evaluators._binary(lambda *x, z1, **more: true_mul(*x, z1=0, **more)),
    )
    assert mismatches(model, inputs)
