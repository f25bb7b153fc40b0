"""4-bit weights on the RTL: language models, random programs, errors and cycles."""

import numpy as np
import pytest

from support.fixed_point_simulators import FOUR_BIT_TWO_LINES
from support.four_bit import random_stream
from support.language_models import (
    SENTENCEPIECE,
    Shape,
    random_tensors,
    vocabulary,
    write_gguf,
)
from support.programs import MEMORY_BYTES, illegal_programs, random_program
from support.seeds import seed
from weft.spec import isa
from weft.spec.config import Config
from weft.spec.four_bit import PACKET_BEATS
from weft_host import LanguageModel
from weft_host.device import EmulatorDevice, RtlDevice, rtl_build
from weft_host.errors import DeviceError
from weft_host.program.file import Program
from weft_host.program.tensor import Window

CONFIGS = {
    "two tile lines": FOUR_BIT_TWO_LINES,
    "parts of lines": Config(
        name="4 x 16, 4-bit weights", rows=4, cols=16, spad_bytes=16384, wgt_bytes=1024,
        acc_rows=128, vector_lanes=4, bus_width=32, max_burst=16, fixed_point=True,
        weights_4bit=True),
}
SHAPE = Shape(family="llama", dim=32, heads=2, kv_heads=1, head_size=16, layers=1,
              feed_forward=64, tied=False)
LOAD, MATMUL, VECTOR, STORE = (1 << isa.UNITS.index(unit) for unit in isa.UNITS)


@pytest.fixture(scope="module", params=CONFIGS)
def device(request):
    flags = rtl_build._FLAGS
    try:        # the simulator runs for seconds only, so the build time dominates
        rtl_build._FLAGS = ("-O1", *(flag for flag in flags if flag != "-O3"))
        with RtlDevice(CONFIGS[request.param], memory_bytes=1 << 20, stalls="both",
                       seed=seed()) as found:
            yield found
    finally:
        rtl_build._FLAGS = flags


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1"])
def test_logits_equal_those_of_the_emulator(device, kind, tmp_path):
    rng = np.random.default_rng(seed(81))
    words = vocabulary(SENTENCEPIECE)
    write_gguf(tmp_path / "m.gguf", SHAPE, random_tensors(SHAPE, len(words.tokens), rng), words,
               kind=kind, rng=rng)
    expected = LanguageModel(tmp_path / "m.gguf", device.config, context=16)
    found = LanguageModel(tmp_path / "m.gguf", device, context=16)
    program = found.program
    assert "LOAD_RING_4BIT" in {isa.decode(program.instruction(index))[0].name
                                for index in range(program.instruction_count)}
    for token in rng.integers(len(words.tokens), size=2).tolist():
        assert (expected.step(token) == found.step(token)).all()


def test_random_programs_equal_the_emulator(device):
    device.clear()      # the step registers are 0
    found = set()
    for number in range(40):
        program = random_program(device.config, seed(number))
        found |= {isa.decode(program.instruction(index))[0].name
                  for index in range(program.instruction_count)}
        before = np.random.default_rng(seed(number)).integers(
            -128, 128, program.inputs[0].shape, dtype=np.int8)
        emulator = EmulatorDevice(device.config, memory_bytes=MEMORY_BYTES)
        expected = emulator.run(program, [before]).outputs["after"]
        result = device.run(program, [before], limit=500_000).outputs["after"]
        assert (result == expected).all(), f"seed {seed(number)}"
    assert {"LOAD_RING", "LOAD_RING_4BIT", "MATMUL_RING"} <= found


def test_illegal_programs_have_equal_records(device):
    emulator = EmulatorDevice(device.config, memory_bytes=1 << 20)
    count = 0
    for number, program in enumerate(illegal_programs(device.config, seed(3))):
        if b"\x14" not in program.instructions[64:65]:
            continue
        inputs = [np.zeros(tensor.shape, np.int8) for tensor in program.inputs]
        records = []
        for each in (device, emulator):
            with pytest.raises(DeviceError) as caught:
                each.run(program, inputs, limit=200_000)
            records.append(caught.value.record)
        assert records[0] == records[1], number
        count += 1
    assert count >= 5


BLOCKS, OUT, STREAM = 6, 0x8000, 0x4000


def clear(device):
    """Erase what earlier programs have left; DRAIN adds the biases."""
    device.soft_reset()
    device.clear()


def sums(device):
    """Return what the program has stored."""
    config = device.config
    return bytes(device.read_memory(OUT, 4 * config.cols * BLOCKS * 32 // config.rows))


def tile_program(config, stream):
    """Return a program that stores the sums of all tiles of a stream, for one vector."""
    tiles = BLOCKS * 32 // config.rows
    most = config.acc_rows // 2
    code = isa.encode("LOAD", count=1, bytes=config.rows, host_addr=0x3000, local_addr=0,
                      signal=MATMUL)
    code += isa.encode("LOAD_RING_4BIT", count=BLOCKS + 1, host_addr=STREAM)
    assert tiles <= most
    code += isa.encode("MATMUL_RING", row_count=tiles, chunk_count=1, x_count=1, acc_pitch=1,
                       wait=LOAD, signal=VECTOR)
    code += isa.encode("DRAIN", mode=isa.Mode.RAW, channels=config.cols, y_count=1, x_count=tiles,
                       x_pitch=4 * config.cols, out_addr=64, wait=MATMUL, signal=STORE)
    code += isa.encode("STORE", count=1, bytes=4 * config.cols * tiles, host_addr=OUT,
                       local_addr=64, wait=VECTOR)
    return Program(config=config, instructions=code, memory_bytes=MEMORY_BYTES,
                   image=((0x3000, bytes(range(1, 1 + config.rows))), (STREAM, stream)),
                   windows=(Window(0, OUT), Window(OUT, 0x4000, write=True)))


def test_a_bus_error_in_a_stream_is_reported_and_the_next_program_is_right(device):
    draw = np.random.default_rng(seed(4))
    config = device.config
    clear(device)
    emulator = EmulatorDevice(config, memory_bytes=1 << 20)

    class Random:
        choice = staticmethod(lambda items: items[draw.integers(len(items))])
        randrange = staticmethod(lambda *bounds: int(draw.integers(*bounds)))
        randbytes = staticmethod(draw.bytes)

    program = tile_program(config, random_stream(config, Random, BLOCKS))
    size = (BLOCKS + 1) * PACKET_BEATS * config.cols
    for beat in (0, 2, 18, 19, 40, size // config.bus_bytes - 1):
        address = STREAM + beat * config.bus_bytes
        records = []
        for each in (device, emulator):
            each.fault(address, 1, "SLVERR", "read")
            with pytest.raises(DeviceError) as caught:
                each.run(program, [], limit=200_000)
            each.clear_faults()
            records.append(caught.value.record)
        assert records[0] == records[1] and records[0].addr == address
        results = []
        for each in (device, emulator):
            each.run(program, [], limit=200_000)
            results.append(sums(each))
        assert results[0] == results[1] and any(results[0])


def test_a_soft_reset_in_any_cycle_leaves_the_ring_empty(device):
    config = device.config
    clear(device)
    draw = np.random.default_rng(seed(5))
    stream = draw.bytes((BLOCKS + 1) * PACKET_BEATS * config.cols)
    program = tile_program(config, stream)
    emulator = EmulatorDevice(config, memory_bytes=1 << 20)
    emulator.run(program, [])
    expected = sums(emulator)
    for cycles in (60, 90, 120, 150, 200, 250, 300, 400):
        device.load(program)
        device.start()
        device.simulation.run(cycles)
        device.soft_reset()
        device.run(program, [], limit=200_000)
        assert sums(device) == expected, cycles
