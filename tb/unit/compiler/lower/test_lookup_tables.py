"""Tables for MAP and SOFTMAX, evaluated as by the hardware, against the reference kernels."""

import math

import numpy as np
import pytest

from golden import softmax as golden_softmax
from support import straddle
from support.litert import outputs
from support.models import ACTIVATIONS
from support.one_operator import assert_bytes, draw_scales, draw_zero, one_operator
from support.seeds import seed
from weft.spec.isa import Mode
from weft_host.compiler.lower.lookup_tables import add_tables, mul_tables, softmax_table
from weft_host.compiler.lower.quantize import mean_multiplier
from weft_host.numerics.requantize import requantize, to_int8, wrap32
from weft_host.tflite_writer import ModelWriter

BYTES = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
PAIRS = [np.repeat(BYTES, 256, axis=1), np.tile(BYTES, 256)]
BINARY = {
    "ADD": add_tables,
    "SUB": lambda *args, **more: add_tables(*args, **more, subtract=True),
    "MUL": mul_tables,
}


def evaluate_map(op, a, b, tables):
    """Return the result of MAP: two look-ups, a sum or product, the requantiser, and the clamp."""
    a, b = (
        table[x.astype(int) + 128].astype(np.int64)
        for table, x in ((tables.a, a), (tables.b, b))
    )
    value = wrap32(a * b if op == "MUL" else a + b)
    return to_int8(
        requantize(value, tables.multiplier, tables.shift, Mode.TFL2),
        tables.zero_point,
        tables.clamp_min,
        tables.clamp_max,
    )


@pytest.mark.parametrize("op", BINARY)
def test_every_pair_of_bytes_is_exact(op):
    for number in range(40):
        rng = np.random.default_rng(seed(number))
        scales = draw_scales(rng, 3, spread=6 if number % 2 else 1)
        zeros = [draw_zero(rng) for _ in range(3)]
        if op == "MUL":
            scales[2] = float(np.float32(scales[0] * scales[1] * 2.0 ** rng.uniform(2, 10)))
        activation = ACTIVATIONS[number % 4]
        inputs = [((1, 65536), scales[i], zeros[i]) for i in (0, 1)]
        model = one_operator(
            op, inputs, (1, 65536), (scales[2], zeros[2]), fused_activation_function=activation
        )
        pair = [number for i in range(3) for number in (scales[i], zeros[i])]
        tables = BINARY[op](*pair, activation=activation)
        assert tables.a.dtype == tables.b.dtype == np.int32
        found = evaluate_map(op, *PAIRS, tables)
        case = f"seed {seed(number)}: {op} {pair} {activation}"
        assert_bytes(outputs(model, PAIRS)[0], found, case)


def test_products_of_scales_are_rounded_to_float32():
    for a, b, out in straddle.products(np.random.default_rng(seed(9)), 60):
        # the second operand is 1, so that the product is the offset of the first
        model = one_operator("MUL", [((1, 256), a, 127), ((1, 256), b, 0)], (1, 256), (out, 127))
        operands = [BYTES, np.ones_like(BYTES)]
        found = evaluate_map("MUL", *operands, mul_tables(a, 127, b, 0, out, 127))
        assert_bytes(outputs(model, operands)[0], found, f"{a!r} * {b!r} / {out!r}")


def test_ratios_above_one_are_exact_until_the_kernel_overflows():
    # a product of two operands fits into 32 bits if it is shifted left by 14 bits, but not by 15
    for ratio in (1.0, 3.0, 2.0**8, 2.0**14):
        model = one_operator(
            "MUL", [((1, 65536), 1.0, 127), ((1, 65536), 1.0, -128)], (1, 65536), (1 / ratio, 5)
        )
        tables = mul_tables(1.0, 127, 1.0, -128, 1 / ratio, 5)
        found = evaluate_map("MUL", *PAIRS, tables)
        assert_bytes(outputs(model, PAIRS)[0], found, f"ratio {ratio}")


@pytest.mark.parametrize(
    "op, function",
    [
        ("MUL", lambda: mul_tables(1.0, 127, 1.0, -128, 2.0**-15, 5)),
        ("ADD", lambda: add_tables(1.0, 0, 1.0, 0, 2.0**-26, 0)),
        ("SUB", lambda: add_tables(1.0, 0, 1.0, 0, 2.0**-26, 0, subtract=True)),
        ("MEAN", lambda: mean_multiplier(2.0**26, 0, 1.0, 0, 3)),
    ],
)
def test_ratios_for_which_the_kernel_overflows_are_rejected(op, function):
    message = (
        rf"^{op}: values up to \d+, shifted left by \d+, overflow 32 bits; the scale of the "
        "output is too small$"
    )
    with pytest.raises(ValueError, match=message):
        function()


@pytest.mark.parametrize("block", range(4))
def test_means_are_exact(block):
    for number in range(block * 40, block * 40 + 40):
        rng = np.random.default_rng(seed(number))
        scale_in, scale_out = draw_scales(rng, 2, spread=1)
        zero_in, zero_out = draw_zero(rng), draw_zero(rng)
        height, width = (int(n) for n in rng.integers(1, 14, 2))
        x = rng.integers(-128, 128, (4, height, width, 16)) >> rng.integers(0, 8, (4, 1, 1, 16))
        x = x.astype(np.int8)
        m = ModelWriter()
        source = m.input("x", x.shape, scale=scale_in, zero_point=zero_in)
        y = m.tensor("y", (4, 16), scale=scale_out, zero_point=zero_out)
        m.operator("MEAN", [source, m.constant("axes", np.array([1, 2], np.int32))], [y])
        m.output(y)
        mean = mean_multiplier(scale_in, zero_in, scale_out, zero_out, height * width)
        acc = wrap32(x.astype(np.int64).sum(axis=(1, 2)) + mean.bias)
        found = to_int8(
            requantize(acc, mean.multiplier, mean.shift, Mode.TFL2), mean.zero_point, -128, 127
        )
        case = f"seed {seed(number)}: {height} x {width}, {scale_in!r} to {scale_out!r}"
        assert_bytes(outputs(m.finish(), [x])[0], found, case)


def test_the_scale_ratio_of_a_mean_is_in_double_precision():
    for scale_in, _, scale_out in straddle.ratios(np.random.default_rng(seed(4)), 40):
        m = ModelWriter()
        source = m.input("x", (256, 1), scale=scale_in, zero_point=-128)
        y = m.tensor("y", (256,), scale=scale_out, zero_point=-128)
        m.operator("MEAN", [source, m.constant("axes", np.array([1], np.int32))], [y])
        m.output(y)
        mean = mean_multiplier(scale_in, -128, scale_out, -128, 1)
        acc = BYTES[0].astype(np.int64) + mean.bias
        found = requantize(acc, mean.multiplier, mean.shift, Mode.TFL2) + mean.zero_point
        expected = outputs(m.finish(), [BYTES.reshape(256, 1)])[0]
        assert_bytes(expected, np.clip(found, -128, 127), f"{scale_in!r} to {scale_out!r}")


def test_means_of_tiny_ratios_keep_the_shift_below_63():
    for exponent in (-20, -30, -31, -32):
        mean = mean_multiplier(2.0**exponent, 3, 1.0, -7, 1000)
        assert mean.shift <= 62
        m = ModelWriter()
        source = m.input("x", (1, 1000, 1, 1), scale=2.0**exponent, zero_point=3)
        y = m.tensor("y", (1, 1), scale=1.0, zero_point=-7)
        m.operator("MEAN", [source, m.constant("axes", np.array([1, 2], np.int32))], [y])
        m.output(y)
        (expected,) = outputs(m.finish(), [np.full((1, 1000, 1, 1), 127, np.int8)])
        acc = 127 * 1000 + mean.bias
        found = requantize(acc, mean.multiplier, mean.shift, Mode.TFL2) + mean.zero_point
        assert found == expected[0, 0], f"ratio 2^{exponent}"


def test_exponentials_equal_those_of_the_golden_model():
    for number in range(60):
        rng = np.random.default_rng(seed(number))
        scale = float(np.float32(2.0 ** rng.uniform(-10, 4)))
        beta = float(rng.choice([0.5, 1.0, 2.0]))
        table = softmax_table(scale, beta)
        assert table.dtype == np.int32 and table.shape == (256,) and table[255] == 2**31 - 1
        m, left, diff_min = golden_softmax.scaling(scale, beta)
        difference = np.arange(-255, 1)
        near = difference >= diff_min
        scaled = golden_softmax.mul(np.where(near, difference, 0) << left, m)
        expected = np.where(near, golden_softmax.exp_on_negative_values(scaled), 0)
        assert_bytes(expected, table, f"seed {seed(number)}: scale {scale!r}, beta {beta}")


@pytest.mark.parametrize("scale, beta", [
    (2.0**-28, 1.0), (1e-45, 1.0), (0.1, -1.0), (0.1, -math.inf), (0.1, math.nan)])
def test_rejects_a_softmax_with_a_factor_out_of_range(scale, beta):
    with pytest.raises(ValueError, match="^its input scale .* times beta .* must be 0 or at least "
                                         "2\\^-27$"):
        softmax_table(scale, beta)
