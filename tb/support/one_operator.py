"""Models of one operator, and what their tests draw and compare."""

import numpy as np

from weft_host.tflite_writer import ModelWriter


def draw_scales(rng, count, spread=4):
    """Scales near each other; half of the time powers of two, where many results are halves."""
    exponents = rng.uniform(-8, 2) + rng.uniform(-spread, spread, count)
    if rng.random() < 0.5:
        exponents = np.rint(exponents)
    return [float(np.float32(2.0**e)) for e in exponents]


def draw_zero(rng):
    """A zero point, often at an end or in the middle."""
    return int(rng.choice([-128, 127, 0, *rng.integers(-128, 128, 3)]))


def one_operator(op, inputs, shape, out, **options):
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


def assert_bytes(expected, found, about):
    """Fail with what ``about`` says and the first element that differs."""
    wrong = np.argwhere(expected != found)
    assert not len(wrong), (
        f"{about}: {len(wrong)} differ, first at {wrong[0]}: expected "
        f"{expected[tuple(wrong[0])]}, got {found[tuple(wrong[0])]}"
    )
