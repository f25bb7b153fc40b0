"""Compiled models on the emulator, compared with TensorFlow Lite's reference kernels."""

import numpy as np
import pytest

from support.compiled import assert_compiled_exact
from support.models import Chain, random_input, random_model
from support.seeds import seed
from weft.spec import isa
from weft.spec.presets import preset
from weft_host import Program
from weft_host.compiler import CapacityError, ModelError, UnsupportedError, compile
from weft_host.compiler.steps.instruction_stream import HostSection, InstructionStream
from weft_host.program import disasm
from weft_host.tflite_writer import ModelWriter

PRESETS = ("tiny", "small", "wide", "tall", "ulx3s", "icebreaker")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("block", range(4))
def test_random_chains_equal_the_reference(name, block):
    for number in range(10 * block, 10 * block + 10):
        key = [seed(number), 30]
        model = random_model(key)
        assert_compiled_exact(model, random_input(model, number), preset(name), f"seed {key}")


def random_layer(number):
    """Return a model of one convolution or pooling with unusual sizes, and an input."""
    rng = np.random.default_rng([seed(number), 31])
    batch, height, width = (int(n) for n in rng.integers((1, 3, 3), (3, 24, 24)))
    chain = Chain(rng, (batch, height, width, int(rng.integers(1, 60))))
    kind = number % 4
    padding = str(rng.choice(["SAME", "VALID"]))
    if kind < 2:
        kernel = tuple(int(n) for n in rng.integers(1, 4, 2))
        dilation = tuple(int(n) for n in rng.integers(1, 4, 2)) if kind else (1, 1)
        stride = (1, 1) if kind else tuple(int(n) for n in rng.integers(1, 4, 2))
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
        if reach[0] > height or reach[1] > width:
            padding = "SAME"
        chain.conv(int(rng.integers(1, 40)), kernel, padding=padding, dilation=dilation,
                   stride=stride)
    else:
        kernel = (height, width) if rng.random() < 0.3 else (
            int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1)))
        chain.pool(("MAX_POOL_2D", "AVERAGE_POOL_2D")[kind - 2], kernel, padding=padding,
                   stride=tuple(int(n) for n in rng.integers(1, 4, 2)))
    model = chain.finish()
    return model, random_input(model, number)


@pytest.mark.parametrize("number", range(36))
def test_layers_of_unusual_sizes_equal_the_reference(number):
    model, inputs = random_layer(number)
    for name in ("tiny", PRESETS[1 + number % 5]):
        assert_compiled_exact(model, inputs, preset(name), f"layer {seed(number)}")


@pytest.mark.parametrize("name", PRESETS)
def test_layers_far_larger_than_the_memories_are_exact(name):
    config = preset(name)
    chain = Chain(np.random.default_rng(seed(32)), (1, 20, 40, 24))
    chain.conv(40, (3, 3), padding="SAME")          # 19 KB in, 32 KB out
    chain.conv(6, (5, 3), padding="VALID", stride=(2, 3))
    chain.pool("AVERAGE_POOL_2D", (8, 13), padding="VALID")
    chain.fully_connected(300)
    chain.fully_connected(10)
    model = chain.finish()
    assert_compiled_exact(model, random_input(model, 32), config, "large layers")


def test_an_input_vector_larger_than_the_scratchpad_is_divided_into_channels():
    chain = Chain(np.random.default_rng(seed(33)), (1, 4100))
    chain.fully_connected(70)
    model = chain.finish()
    program = assert_compiled_exact(model, random_input(model, 33), preset("tiny"), "deep layer")
    assert program.meta["layers"][0]["plan"]["channels"] < 4100


@pytest.mark.parametrize("kind", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_a_window_larger_than_the_scratchpad_is_divided(kind):
    chain = Chain(np.random.default_rng(seed(34)), (1, 30, 40, 6))
    chain.pool(kind, (30, 40), padding="VALID")
    model = chain.finish()
    program = assert_compiled_exact(model, random_input(model, 34), preset("tiny"), kind)
    assert program.meta["layers"][0]["plan"]["kernel_y"] < 30


@pytest.mark.parametrize("overrides", [
    dict(spad_bytes=256, spad_banks=1, wgt_bytes=32, acc_rows=8),
    dict(rows=64, cols=2, wgt_bytes=256, spad_bytes=8192, spad_banks=8, vector_lanes=1),
    dict(rows=4, cols=64, wgt_bytes=512, spad_bytes=4096, vector_lanes=64, bus_width=256),
    dict(queue_depth=2, acc_rows=4096),
])
def test_extreme_configurations_are_exact(overrides):
    config = preset("tiny", **overrides)
    for number in range(6):
        key = [seed(number), 35]
        model = random_model(key, max_channels=9)
        assert_compiled_exact(model, random_input(model, number), config, f"seed {key}")


@pytest.mark.parametrize("zero", (-128, 127, 0))
def test_extreme_inputs_and_zero_points_are_exact(zero):
    chain = Chain(np.random.default_rng(seed(36)), (1, 5, 5, 3), zero_point=zero)
    chain.conv(5, (3, 3), padding="SAME")
    model = chain.finish()
    for value in (-128, 127, 0):
        assert_compiled_exact(model, [np.full((1, 5, 5, 3), value, np.int8)], preset("tiny"),
                              f"zero point {zero}, input {value}")


def test_a_model_of_reshapes_only_is_one_instruction():
    writer = ModelWriter()
    x = writer.input("x", (2, 6), scale=0.1)
    y = writer.tensor("y", (3, 4), scale=0.1)
    writer.operator("RESHAPE", [x], [y], new_shape=[3, 4])
    writer.output(y)
    program = assert_compiled_exact(
        writer.finish(), [np.arange(12, dtype=np.int8).reshape(2, 6)], preset("tiny"), "reshape")
    assert program.instruction_count == 1


def test_tensors_of_equal_name_are_numbered():
    writer = ModelWriter()
    x = writer.input("t", (1, 8), scale=0.1)
    w = writer.constant("w", np.eye(8, dtype=np.int8), scale=0.1)
    y = writer.tensor("t", (1, 8), scale=0.1)
    writer.operator("FULLY_CONNECTED", [x, w, -1], [y])
    writer.output(y)
    program = compile(writer.finish(), preset("tiny"))
    assert [t.name for t in program.inputs + program.outputs] == ["t#0", "t#2"]


def test_an_absent_tensor_is_an_error_of_the_model():
    writer = ModelWriter()
    x = writer.input("x", (1, 8), scale=0.1, dtype="float32")
    writer.operator("QUANTIZE", [-1], [x])
    writer.output(x)
    with pytest.raises(ModelError, match=(
            r"^the model: operator 0 QUANTIZE lacks a tensor that it requires; its inputs are the "
            r"tensors \[-1\] and its outputs \[0\], where -1 denotes an absent one$")):
        compile(writer.finish(), preset("tiny"))


def test_a_layer_that_does_not_fit_is_reported_with_its_needs():
    # the parameters of one output tile and one vector must fit
    config = preset("tiny", rows=64, cols=64, spad_bytes=512, spad_banks=1, wgt_bytes=8192,
                    vector_lanes=1)
    chain = Chain(np.random.default_rng(seed(37)), (1, 4))
    chain.fully_connected(64)
    with pytest.raises(UnsupportedError) as caught:
        compile(chain.finish(), config)
    assert caught.value.verdicts[0].reason == (
        f"layer 0 FULLY_CONNECTED (conv 1x1, 1x1x4 to 1x1x64) does not fit {config.name}: its "
        "smallest piece needs 960 bytes of scratchpad, and 512 are available")


def test_a_program_equals_its_file_and_is_reproducible(tmp_path):
    model = random_model([3, 30], kinds=("CONV_2D", "MAX_POOL_2D"))
    program = compile(model, preset("tiny"))
    program.save(tmp_path / "p.weft")
    assert Program.load(tmp_path / "p.weft").to_bytes() == program.to_bytes()
    assert program.meta["source"] == "the model"
    assert sum(layer["instructions"] for layer in program.meta["layers"]) \
        == program.instruction_count
    assert compile(model, preset("tiny")).to_bytes() == program.to_bytes()


def test_only_the_window_of_tensors_is_writable():
    program = compile(random_model([4, 30], kinds=("CONV_2D",)), preset("tiny"))
    code, tensors = program.windows
    assert (code.offset, code.read, code.write) == (0, True, False)
    assert code.size == tensors.offset and tensors.write
    stores = [entry for entry in disasm.listing(program) if entry["name"] == "STORE"]
    assert stores
    assert all(entry["fields"]["host_addr"] >= tensors.offset for entry in stores)


@pytest.mark.parametrize("number", range(8))
def test_the_product_of_scales_of_a_fully_connected_layer_is_rounded_to_float32(number):
    # biases for which the product in double precision gives another result
    rng = np.random.default_rng([seed(number), 38])
    while True:
        s_in, s_w = np.float32(rng.uniform(0.01, 1, 2))
        product = float(s_in * s_w)
        exact = float(s_in) * float(s_w)
        if abs(product / exact - 1) > 2.0 ** -26:
            break
    s_out = np.float32(product * 2 ** 23)
    ties = [(value + 0.5) * float(s_out) * (0.5 / product + 0.5 / exact)
            for value in range(60, 120)]
    writer = ModelWriter()
    x = writer.input("x", (1, 1), scale=float(s_in))
    w = writer.constant("w", np.zeros((60, 1), np.int8), scale=float(s_w))
    b = writer.constant("b", np.rint(ties).astype(np.int32), scale=product)
    y = writer.tensor("y", (1, 60), scale=float(s_out))
    writer.operator("FULLY_CONNECTED", [x, w, b], [y])
    writer.output(y)
    assert_compiled_exact(writer.finish(), [np.zeros((1, 1), np.int8)], preset("tiny"),
                          f"seed {seed(number)}")


def test_a_program_beyond_the_address_range_is_rejected():
    config = preset("small", addr_width=16)
    chain = Chain(np.random.default_rng(seed(39)), (1, 300))
    chain.fully_connected(300)
    with pytest.raises(CapacityError, match=(
            r"^the program needs \d+ bytes of host memory, but the 16 address bits of "
            r"small\+addr_width=16 reach only 65536$")):
        compile(chain.finish(), config)


def test_counts_beyond_a_field_are_divided():
    config = preset("large", spad_bytes=1 << 20)
    stream = InstructionStream(config)
    stream.load(HostSection.TENSORS, 7, 3, 2, 150_000, 5, 4)
    stream.fill(1, 1, 9, 70_000, 2)
    fields = [instruction.fields for instruction in stream.instructions]
    assert [f["count"] for f in fields] == [65535, 65535, 18930, 65535, 4465]
    assert [f["local_addr"] for f in fields] == [3, 3 + 4 * 65535, 3 + 8 * 65535, 1, 1 + 2 * 65535]
    assert [f["host_addr"] for f in fields[:3]] == [7, 7 + 5 * 65535, 7 + 10 * 65535]


@pytest.mark.parametrize("name", PRESETS)
def test_no_beat_of_weights_takes_two_cycles(name):
    """A beat as wide as the weight buffer takes two cycles at an odd address of the buffer."""
    count = 0
    for number in range(20):
        # a convolution and a fully connected layer always load weights
        key = [seed(number), 36]
        code = compile(random_model(key, kinds=("CONV_2D", "FULLY_CONNECTED")),
                       preset(name)).instructions
        for start in range(0, len(code), isa.INSTRUCTION_BYTES):
            instruction, load = isa.decode(code[start:start + isa.INSTRUCTION_BYTES])
            if instruction.name == "LOAD_WGT":
                count += 1
                assert (load["local_addr"] - load["host_addr"]) % 2 == 0, key
                assert load["count"] == 1 or (load["local_pitch"] - load["host_pitch"]) % 2 == 0
    assert count >= 20
