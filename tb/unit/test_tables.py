"""Tables for MAP and SOFTMAX, put through MAP's law, against the reference kernels."""

import numpy as np
import pytest

from golden import softmax as golden_softmax
from support.litert import outputs
from support.models import ACTIVATIONS
from weft.control.isa import Mode
from weft_host.compiler import tables
from weft_host.compiler.quantize import quantize_multiplier
from weft_host.compiler.tables import (
    add_tables,
    mean_multiplier,
    mul_tables,
    softmax_table,
    unary_table,
)
from weft_host.compiler.unary import kernel_multiply
from weft_host.numerics import requantize, to_int8, wrap32
from weft_host.tflite_writer import ModelWriter

BYTES = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
PAIRS = [np.repeat(BYTES, 256, axis=1), np.tile(BYTES, 256)]
SIGMOIDS = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
BINARY = {
    "ADD": lambda *args, **more: add_tables(*args, **more),
    "SUB": lambda *args, **more: add_tables(*args, **more, subtract=True),
    "MUL": lambda *args, **more: mul_tables(*args, **more),
}


def draw_scales(rng, count, spread=4):
    """Scales near each other; half of the time powers of two, where many results are halves."""
    exponents = rng.uniform(-8, 2) + rng.uniform(-spread, spread, count)
    if rng.random() < 0.5:
        exponents = np.rint(exponents)
    return [float(np.float32(2.0**e)) for e in exponents]


def draw_zero(rng):
    return int(rng.choice([-128, 127, 0, *rng.integers(-128, 128, 3)]))


def reference_model(op, inputs, shape, out, **options):
    """One operator; each input is a shape with scale and zero point, or a constant with them."""
    m = ModelWriter()
    indices = []
    for value, scale, zero in inputs:
        add = m.constant if isinstance(value, np.ndarray) else m.input
        indices.append(add(f"x{len(indices)}", value, scale=scale, zero_point=zero))
    y = m.tensor("y", shape, scale=out[0], zero_point=out[1])
    m.operator(op, indices, [y], **options)
    m.output(y)
    return m.finish()


def as_map(op, a, b, t):
    """MAP: two look-ups, the sum or product, the requantiser, zero point, clamp."""
    a, b = (table[x.astype(int) + 128].astype(np.int64) for table, x in ((t.a, a), (t.b, b)))
    value = wrap32(a * b if op == "MUL" else a + b)
    return to_int8(
        requantize(value, t.multiplier, t.shift, Mode.TFL2), t.zero_point, t.clamp_min, t.clamp_max
    )


def assert_bytes(expected, found, about):
    wrong = np.argwhere(expected != found)
    assert not len(wrong), (
        f"{about}: {len(wrong)} differ, first at {wrong[0]}: expected "
        f"{expected[tuple(wrong[0])]}, got {found[tuple(wrong[0])]}"
    )


@pytest.mark.parametrize("op", [op for op in tables.UNARY if op not in BINARY])
def test_every_byte_of_a_unary_operator_is_exact(op):
    seen = set()
    for seed in range(150):
        rng = np.random.default_rng(seed)
        scale_in, scale_out = draw_scales(rng, 2, spread=2)
        zero_in, zero_out = draw_zero(rng), draw_zero(rng)
        scale_out, zero_out = SIGMOIDS.get(op, (scale_out, zero_out))
        options = {"alpha": float(np.float32(rng.uniform(-1, 2)))} if op == "LEAKY_RELU" else {}
        model = reference_model(
            op, [((1, 256), scale_in, zero_in)], (1, 256), (scale_out, zero_out), **options
        )
        expected = outputs(model, [BYTES])[0][0]
        found = unary_table(op, scale_in, zero_in, scale_out, zero_out, options)
        assert found.dtype == np.int8
        about = f"seed {seed}: {op} {scale_in!r} {zero_in} to {scale_out!r} {zero_out} {options}"
        assert_bytes(expected, found, about)
        seen.update(found.tolist())
    assert len(seen) == 256, "the scales drawn do not reach every output"


@pytest.mark.parametrize("op", ["LOGISTIC", "TANH"])
@pytest.mark.parametrize("zero", [-128, 127])
def test_results_on_the_edge_between_two_bytes_are_exact(op, zero):
    scale_out, zero_out = SIGMOIDS[op]
    rng, count = np.random.default_rng(zero + 200), round(1 / scale_out)
    for _ in range(600):
        # the input's scale puts some byte where the real function has a half
        y = (rng.integers(0, count) + 0.5) * scale_out
        x = abs(np.log(y / (1 - y)) if op == "LOGISTIC" else np.arctanh(y))
        scale = float(np.float32(max(x, 1e-4) / rng.integers(1, 250)))
        model = reference_model(op, [((1, 256), scale, zero)], (1, 256), (scale_out, zero_out))
        found = unary_table(op, scale, zero, scale_out, zero_out)
        assert_bytes(outputs(model, [BYTES])[0][0], found, f"scale {scale!r}, zero {zero}")


def test_tanh_to_other_scales_is_exact():
    for seed in range(100):
        rng = np.random.default_rng(seed)
        scale, scale_out = (float(np.float32(2.0 ** rng.uniform(-9, -3))) for _ in range(2))
        zero, zero_out = draw_zero(rng), draw_zero(rng)
        model = reference_model("TANH", [((1, 256), scale, zero)], (1, 256), (scale_out, zero_out))
        found = unary_table("TANH", scale, zero, scale_out, zero_out)
        assert_bytes(outputs(model, [BYTES])[0][0], found, f"seed {seed}")


def straddling_scales(rng, count):
    """Pairs whose ratio, rounded to float32, gives another table than as a double."""
    found = []
    while len(found) < count:
        # the ratio times some offset is next to a half
        ratio = (rng.integers(0, 120) + 0.5) / rng.integers(3, 256)
        scale_out = np.float32(rng.uniform(0.01, 1))
        scale_in = np.float32(ratio * float(scale_out))
        single, double = scale_in / scale_out, float(scale_in) / float(scale_out)
        offset = np.arange(256)
        results = [
            np.minimum(kernel_multiply(offset, *quantize_multiplier(q)), 255)
            for q in (single, double)
        ]
        if (results[0] != results[1]).any():
            found.append((float(scale_in), float(scale_out)))
    return found


@pytest.mark.parametrize("op", ["LEAKY_RELU", "QUANTIZE", "RELU", "RELU6", "RELU_N1_TO_1"])
def test_scales_are_divided_in_the_kernels_precision(op):
    for scale_in, scale_out in straddling_scales(np.random.default_rng(4), 30):
        options = {"alpha": 0.5} if op == "LEAKY_RELU" else {}
        model = reference_model(
            op, [((1, 256), scale_in, -128)], (1, 256), (scale_out, -128), **options
        )
        found = unary_table(op, scale_in, -128, scale_out, -128, options)
        about = f"{op} {scale_in!r} to {scale_out!r}"
        assert_bytes(outputs(model, [BYTES])[0][0], found, about)


def test_slopes_and_products_of_scales_are_taken_in_float32():
    compared = 0
    rng = np.random.default_rng(9)
    while compared < 60:
        ratio = (rng.integers(0, 120) + 0.5) / rng.integers(3, 256)
        scale_out, other = (np.float32(n) for n in rng.uniform(0.1, 0.9, 2))
        scale_in = np.float32(ratio * float(scale_out) / float(other))
        double = float(scale_in) * float(other) / float(scale_out)
        offset = np.arange(-255, 1)
        of_double = np.maximum(kernel_multiply(offset, *quantize_multiplier(double)), -255)
        of_single = np.maximum(
            kernel_multiply(offset, *quantize_multiplier(scale_in * other / scale_out)), -255
        )
        if (of_double == of_single).all():
            continue
        compared += 1
        scale_in, scale_out, other = (float(n) for n in (scale_in, scale_out, other))
        leaky = unary_table("LEAKY_RELU", scale_in, 127, scale_out, 127, {"alpha": other})
        model = reference_model(
            "LEAKY_RELU", [((1, 256), scale_in, 127)], (1, 256), (scale_out, 127), alpha=other
        )
        assert_bytes(outputs(model, [BYTES])[0][0], leaky, f"{scale_in!r} * {other!r}")
        # one unit of the second operand: the product is the offset
        x = mul_tables(scale_in, 127, other, 0, scale_out, 127)
        inputs = [((1, 256), scale_in, 127), ((1, 256), other, 0)]
        model = reference_model("MUL", inputs, (1, 256), (scale_out, 127))
        operands = [BYTES, np.ones_like(BYTES)]
        found = as_map("MUL", *operands, x)
        assert_bytes(outputs(model, operands)[0], found, f"{scale_in!r} * {other!r}")


@pytest.mark.parametrize("op", ["LOGISTIC", "TANH"])
def test_ends_of_a_sigmoid_are_exact(op):
    scale_out, zero_out = SIGMOIDS[op]
    for scale in (2.0**-20, 1e-3, 8.0, 15.99, 16.0, 100.0, 1e6):
        for zero in (-128, 0, 127):
            model = reference_model(op, [((1, 256), scale, zero)], (1, 256), SIGMOIDS[op])
            found = unary_table(op, scale, zero, scale_out, zero_out)
            assert_bytes(outputs(model, [BYTES])[0][0], found, f"scale {scale}, zero {zero}")


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("first", [False, True])
def test_every_byte_with_a_constant_is_exact(op, first):
    for seed in range(60):
        rng = np.random.default_rng([seed, first])
        scale, other_scale, scale_out = draw_scales(rng, 3)
        zero, other_zero, zero_out = (draw_zero(rng) for _ in range(3))
        constant = np.array(rng.integers(-128, 128), np.int8)
        activation = ACTIVATIONS[seed % 4]
        inputs = [((1, 256), scale, zero), (constant, other_scale, other_zero)]
        model = reference_model(
            op,
            inputs[::-1] if first else inputs,
            (1, 256),
            (scale_out, zero_out),
            fused_activation_function=activation,
        )
        options = dict(
            constant=constant,
            constant_scale=other_scale,
            constant_zero=other_zero,
            constant_first=first,
            activation=activation,
        )
        found = unary_table(op, scale, zero, scale_out, zero_out, options)
        assert_bytes(outputs(model, [BYTES])[0][0], found, f"seed {seed}: {options}")


@pytest.mark.parametrize("op", BINARY)
def test_every_pair_of_bytes_is_exact(op):
    for seed in range(40):
        rng = np.random.default_rng(seed)
        scales, zeros = draw_scales(rng, 3, spread=6 if seed % 2 else 1), [
            draw_zero(rng) for _ in range(3)
        ]
        if op == "MUL":
            scales[2] = float(np.float32(scales[0] * scales[1] * 2.0 ** rng.uniform(2, 10)))
        activation = ACTIVATIONS[seed % 4]
        inputs = [((1, 65536), scales[i], zeros[i]) for i in (0, 1)]
        model = reference_model(
            op, inputs, (1, 65536), (scales[2], zeros[2]), fused_activation_function=activation
        )
        pair = [number for i in range(3) for number in (scales[i], zeros[i])]
        x = BINARY[op](*pair, activation=activation)
        assert x.a.dtype == x.b.dtype == np.int32
        found = as_map(op, *PAIRS, x)
        assert_bytes(outputs(model, PAIRS)[0], found, f"seed {seed}: {op} {pair} {activation}")


def test_ratios_above_one_are_exact_until_the_kernel_overflows():
    # a product of two operands shifted left by 14 still fits into 32 bits, by 15 it does not
    for ratio in (1.0, 3.0, 2.0**8, 2.0**14):
        model = reference_model(
            "MUL", [((1, 65536), 1.0, 128 - 1), ((1, 65536), 1.0, -128)], (1, 65536), (1 / ratio, 5)
        )
        x = mul_tables(1.0, 127, 1.0, -128, 1 / ratio, 5)
        assert_bytes(outputs(model, PAIRS)[0], as_map("MUL", *PAIRS, x), f"ratio {ratio}")
    with pytest.raises(ValueError, match=r"^MUL: values up to 65025, shifted left by 16, overflow"):
        mul_tables(1.0, 127, 1.0, -128, 2.0**-15, 5)
    with pytest.raises(ValueError, match=r"^ADD: values up to \d+, shifted left by \d+, overflow"):
        add_tables(1.0, 0, 1.0, 0, 2.0**-26, 0)
    with pytest.raises(ValueError, match=r"^SUB: values up to"):
        add_tables(1.0, 0, 1.0, 0, 2.0**-26, 0, subtract=True)
    with pytest.raises(ValueError, match=r"^MEAN: values up to"):
        mean_multiplier(2.0**26, 0, 1.0, 0, 3)


@pytest.mark.parametrize("block", range(4))
def test_means_are_exact(block):
    for seed in range(block * 40, block * 40 + 40):
        rng = np.random.default_rng(seed)
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
        about = f"seed {seed}: {height} x {width}, {scale_in!r} to {scale_out!r}"
        assert_bytes(outputs(m.finish(), [x])[0], found, about)


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


@pytest.mark.parametrize("count", [0, 1 << 23])
def test_means_of_no_or_too_many_elements_are_refused(count):
    with pytest.raises(ValueError, match=rf"^a mean of {count} elements is outside 1 to 8388607$"):
        mean_multiplier(1.0, 0, 1.0, 0, count)


def test_exponentials_are_the_golden_ones():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        scale = float(np.float32(2.0 ** rng.uniform(-10, 4)))
        beta = float(rng.choice([0.5, 1.0, 2.0]))
        table = softmax_table(scale, beta)
        assert table.dtype == np.int32 and table.shape == (256,) and table[255] == 2**31 - 1
        m, left, diff_min = golden_softmax.scaling(scale, beta)
        difference = np.arange(-255, 1)
        near = difference >= diff_min
        scaled = golden_softmax.mul(np.where(near, difference, 0) << left, m)
        expected = np.where(near, golden_softmax.exp_on_negative_values(scaled), 0)
        assert_bytes(expected, table, f"seed {seed}: scale {scale!r}, beta {beta}")


def test_what_is_no_function_of_a_byte_is_refused():
    with pytest.raises(ValueError, match="^CONV_2D is not a function of one byte; those are HARD"):
        unary_table("CONV_2D", 1.0, 0, 1.0, 0)
    with pytest.raises(ValueError, match="^HARD_SWISH: the input's scale 200.0 is 128 times the"):
        unary_table("HARD_SWISH", 200.0, 0, 1.0, 0)
