"""Golden data movement operators against the reference kernels."""

import numpy as np
import pytest

from golden import data_movement
from golden import graph as golden_graph
from support import seeds
from support.exact import assert_exact, mismatches
from support.litert import reference
from weft_host.tflite_writer import ModelWriter

SCALE, ZERO = 0.3, -9


def build_model(op, shapes, constants, *, scale=SCALE, out_shape=None, **options):
    """Return a model; only SLICE's kernel uses the output's shape from the file."""
    m = ModelWriter()
    inputs = [m.input(f"x{i}", s, scale=SCALE, zero_point=ZERO) for i, s in enumerate(shapes)]
    for i, value in enumerate(constants):
        quantisation = dict(scale=SCALE, zero_point=ZERO) if value.dtype == np.int8 else {}
        inputs.append(m.constant(f"c{i}", value, **quantisation))
    y = m.tensor("y", out_shape or shapes[0], scale=scale, zero_point=ZERO)
    m.operator(op, inputs, [y], **options)
    m.output(y)
    return m.finish()


def draw(rng, *shapes):
    return [rng.integers(-128, 128, shape).astype(np.int8) for shape in shapes]


def random_shape(rng, least=1, most=4):
    return tuple(int(n) for n in rng.integers(1, 7, rng.integers(least, most + 1)))


@pytest.mark.parametrize("op", ["PAD", "PADV2"])
def test_pads_are_exact(op):
    for seed in range(80):
        rng = np.random.default_rng(seed)
        shape = random_shape(rng)
        paddings = rng.integers(0, 4, (len(shape), 2)).astype([np.int32, np.int64][seed % 2])
        constants = [paddings]
        if op == "PADV2":
            # a scalar, or one element
            constants.append(rng.integers(-128, 128, [(), (1,)][seed // 2 % 2]).astype(np.int8))
        assert_exact(build_model(op, [shape], constants), draw(rng, shape), f"seed {seed}: {shape}")


def test_concatenations_are_exact():
    for seed in range(80):
        rng = np.random.default_rng(seed)
        shape = random_shape(rng)
        axis = int(rng.integers(-len(shape), len(shape)))
        shapes = []
        for _ in range(rng.integers(1, 6)):
            part = list(shape)
            part[axis] = int(rng.integers(1, 6))
            shapes.append(tuple(part))
        case = f"seed {seed}: {shapes} along {axis}"
        assert_exact(build_model("CONCATENATION", shapes, [], axis=axis), draw(rng, *shapes), case)


def test_rejects_a_concatenation_with_another_scale():
    # the kernel rejects it, too: Prepare fails
    model = build_model("CONCATENATION", [(1, 2), (1, 2)], [], axis=0, scale=0.5)
    with pytest.raises(RuntimeError, match="scale"):
        reference(model, draw(np.random.default_rng(seeds.seed(1)), (1, 2), (1, 2)))
    graph = golden_graph.read(model)
    with pytest.raises(ValueError, match="^CONCATENATION of int8 does not change scales"):
        golden_graph.run(graph, draw(np.random.default_rng(seeds.seed(1)), (1, 2), (1, 2)))


def test_transpositions_are_exact():
    for seed in range(80):
        rng = np.random.default_rng(seed)
        shape = random_shape(rng, most=5)
        order = rng.permutation(len(shape)).astype(np.int32)
        if seed % 3 == 0:
            order -= len(shape) * rng.integers(0, 2, len(shape), dtype=np.int32)
        case = f"seed {seed}: {shape} {order}"
        assert_exact(build_model("TRANSPOSE", [shape], [order]), draw(rng, shape), case)


def test_slices_are_exact():
    for seed in range(80):
        rng = np.random.default_rng(seed)
        shape = random_shape(rng, most=5)
        dtype = [np.int32, np.int64][seed % 2]
        begin = np.array([rng.integers(0, n) for n in shape], dtype)
        size = np.array([rng.integers(1, n - b + 1) for n, b in zip(shape, begin)], dtype)
        to_end = rng.random(len(shape)) < 0.3
        out_shape = np.where(to_end, shape - begin, size)
        size[to_end] = -1
        model = build_model("SLICE", [shape], [begin, size], out_shape=out_shape.tolist())
        assert_exact(model, draw(rng, shape), f"seed {seed}: {shape} {begin} {size}")


def random_specification(rng, shape):
    """Draw the items of a Python index: slices, integers, new axes, an ellipsis."""
    items = []
    for size in shape:
        if rng.random() < 0.2:
            items.append(int(rng.integers(-size, size)))
            continue
        begin, end = (None if rng.random() < 0.3 else int(n) for n in rng.integers(-7, 8, 2))
        items.append(slice(begin, end, int(rng.choice([-3, -2, -1, 1, 1, 1, 2, 3]))))
    if rng.random() < 0.3:  # the remaining axes have no item
        items = items[: int(rng.integers(1, len(items) + 1))]
    elif rng.random() < 0.4:
        start, stop = sorted(int(n) for n in rng.integers(0, len(items), 2))
        items[start : stop + 1] = [...]
    # the kernel supports five axes
    if rng.random() < 0.4 and len(shape) < 5:
        items.insert(int(rng.integers(len(items) + 1)), None)
    return items


def as_operands(items):
    """Return begin, end, strides and masks of the items of an index."""
    columns, masks = [], dict.fromkeys(("begin", "end", "ellipsis", "new_axis", "shrink_axis"), 0)
    for i, item in enumerate(items):
        begin, end, stride = 0, 0, 1
        if item is ...:
            masks["ellipsis"] |= 1 << i
        elif item is None:
            masks["new_axis"] |= 1 << i
        elif isinstance(item, int):
            begin, end = item, item + 1
            masks["shrink_axis"] |= 1 << i
        else:
            begin, end, stride = item.start, item.stop, item.step
            masks["begin"] |= (begin is None) << i
            masks["end"] |= (end is None) << i
        columns.append((begin or 0, end or 0, stride))
    operands = np.array(columns, np.int32).T
    return list(operands), {f"{name}_mask": mask for name, mask in masks.items()}


@pytest.mark.parametrize("block", range(4))
def test_strided_slices_are_exact(block):
    compared = 0
    for seed in range(block * 250, block * 250 + 250):
        rng = np.random.default_rng(seed)
        shape = random_shape(rng)
        items, x = random_specification(rng, shape), draw(rng, shape)
        expected = x[0][tuple(items)]
        if expected.size == 0:
            continue
        compared += 1
        operands, masks = as_operands(items)
        case = f"seed {seed}: {shape} {items}"
        np.testing.assert_array_equal(
            data_movement.strided_slice(*x, *operands, **masks), expected, err_msg=case
        )
        assert_exact(build_model("STRIDED_SLICE", [shape], operands, **masks), x, case)
    assert compared > 60


def test_an_ellipsis_for_no_axis_takes_one():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        shape = random_shape(rng)
        items = [slice(int(n) // 2, int(n), 1) for n in shape]
        items.insert(int(rng.integers(len(items) + 1)), ...)
        operands, masks = as_operands(items)
        model = build_model("STRIDED_SLICE", [shape], operands, **masks)
        assert_exact(model, draw(rng, shape), f"seed {seed}: {shape} {items}")


def test_strided_slices_to_an_offset_are_exact():
    # the kernel does not clamp an offset: beyond the array's end it would read other memory
    for seed in range(40):
        rng = np.random.default_rng(seed)
        shape = random_shape(rng)
        begin = np.array([rng.integers(0, n) for n in shape], np.int32)
        count = np.array([rng.integers(1, n - b + 1) for n, b in zip(shape, begin)], np.int32)
        strides = rng.integers(1, 4, len(shape)).astype(np.int32)
        model = build_model("STRIDED_SLICE", [shape], [begin, count, strides], offset=True)
        case = f"seed {seed}: {shape} {begin} {count} {strides}"
        assert_exact(model, draw(rng, shape), case)


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("half_pixel_centers", [False, True])
def test_nearest_neighbours_are_exact(align_corners, half_pixel_centers):
    for seed in range(120):
        rng = np.random.default_rng(seed)
        shape = (int(rng.integers(1, 3)), *(int(n) for n in rng.integers(1, 40, 2)), 2)
        if seed % 3 == 0:  # integer factors, as in most networks
            size = np.array(shape[1:3]) * rng.integers(1, 4, 2)
        else:
            size = rng.integers(1, 80, 2)
        model = build_model(
            "RESIZE_NEAREST_NEIGHBOR",
            [shape],
            [size.astype(np.int32)],
            align_corners=align_corners,
            half_pixel_centers=half_pixel_centers,
        )
        assert_exact(model, draw(rng, shape), f"seed {seed}: {shape} to {size}")


# negative tests: each of these deliberate errors is detected


def test_detects_padding_with_zero_bytes(monkeypatch):
    model = build_model("PAD", [(1, 2)], [np.array([[0, 0], [1, 1]], np.int32)])
    x = draw(np.random.default_rng(seeds.seed(1)), (1, 2))
    assert not mismatches(model, x)
    true_pad = data_movement.pad
    monkeypatch.setattr(data_movement, "pad", lambda x, paddings, value: true_pad(x, paddings, 0))
    assert mismatches(model, x)


def test_detects_positions_in_double_precision(monkeypatch):
    size = np.array([1, 1], np.int32)
    x = np.arange(100, dtype=np.int8).reshape(1, 100, 1, 1)
    found = 0
    monkeypatch.setattr(
        data_movement,
        "_nearest",
        lambda size, wanted, *_: [min(int(i * (size / wanted)), size - 1) for i in range(wanted)],
    )
    for height in range(1, 300):
        size[0] = height
        found += bool(mismatches(build_model("RESIZE_NEAREST_NEIGHBOR", [x.shape], [size]), [x]))
    assert found
