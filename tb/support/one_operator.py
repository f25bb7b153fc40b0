"""Models of one operator, with random scales and a comparison for their tests."""

import numpy as np

from weft_host.tflite_writer import ModelWriter


def draw_scales(rng, count, spread=4):
    """Draw similar scales; half of the time powers of two, which yield many ties."""
    exponents = rng.uniform(-8, 2) + rng.uniform(-spread, spread, count)
    if rng.random() < 0.5:
        exponents = np.rint(exponents)
    return [float(np.float32(2.0**e)) for e in exponents]


def draw_zero(rng):
    """Draw a zero point, often at an end or in the middle of the range."""
    return int(rng.choice([-128, 127, 0, *rng.integers(-128, 128, 3)]))


def one_operator(op, inputs, shape, out, **options):
    """Return a model of one operator.

    Each input is a shape or the value of a constant, with scale and zero point.
    """
    m = ModelWriter()
    indices = []
    for value, scale, zero in inputs:
        add = m.constant if isinstance(value, np.ndarray) else m.input
        indices.append(add(f"x{len(indices)}", value, scale=scale, zero_point=zero))
    y = m.tensor("y", shape, scale=out[0], zero_point=out[1])
    m.operator(op, indices, [y], **options)
    m.output(y)
    return m.finish()


def assert_bytes(expected, found, case):
    """Assert equality; a failure names the case and the first element that differs."""
    wrong = np.argwhere(expected != found)
    assert not len(wrong), (
        f"{case}: {len(wrong)} differ, first at {wrong[0]}: expected "
        f"{expected[tuple(wrong[0])]}, got {found[tuple(wrong[0])]}"
    )
