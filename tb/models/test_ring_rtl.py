"""LOAD_RING and MATMUL_RING on the RTL: random programs, a full ring, errors, reset and clear."""

import os

import numpy as np
import pytest

from support.fixed_point_simulators import ONE_LINE, TWO_LINES, quick_device
from support.programs import MEMORY_BYTES, random_program
from support.seeds import seed
from weft.spec import isa
from weft.spec.isa import Mode
from weft_host.device import EmulatorDevice
from weft_host.errors import DeviceError
from weft_host.program.file import Program
from weft_host.program.tensor import Tensor, Window

PROGRAMS = int(os.environ.get("WEFT_PROGRAMS", "60"))
WEIGHTS, INPUT, OUTPUT = 0x4000, 0x1000, 0x2000
MATMUL, VECTOR, STORE, LOAD = (1 << isa.UNITS.index(unit)
                               for unit in ("MATMUL", "VECTOR", "STORE", "LOAD"))


@pytest.fixture(scope="module", params=[ONE_LINE, TWO_LINES], ids=lambda config: config.name)
def pair(request):
    """Return the RTL and the emulator."""
    with quick_device(request.param, memory_bytes=MEMORY_BYTES, stalls="both",
                      seed=seed()) as rtl:
        yield rtl, EmulatorDevice(request.param, memory_bytes=MEMORY_BYTES)


def test_random_programs_equal_the_emulator(pair):
    rtl, emulator = pair
    for number in range(PROGRAMS):
        program = random_program(rtl.config, seed(number))
        data = np.random.default_rng(seed(number))
        inputs = [data.integers(-128, 128, tensor.shape, dtype=np.int8)
                  for tensor in program.inputs]
        expected = emulator.run(program, inputs).outputs["after"]
        found = rtl.run(program, inputs, limit=1_000_000).outputs["after"]
        wrong = np.flatnonzero(expected != found)
        assert not len(wrong), (f"{rtl.config.name}: random program {seed(number)}: {len(wrong)} "
                                f"bytes differ, first {wrong[0]}")


def ring_program(config, *, load=1, matmul=1, before=()):
    """Return a program that multiplies a vector by a sum of tiles of the ring.

    Parameters
    ----------
    load, matmul : :class:`int`
        Tiles that LOAD_RING appends and that MATMUL_RING takes.
    before : sequence of :class:`bytes`
        Instructions in front of them.
    """
    cols, tile = config.cols, config.tile_bytes
    code = b"".join((
        *before,
        isa.encode("LOAD", count=1, bytes=config.rows, host_addr=INPUT, signal=MATMUL),
        isa.encode("LOAD_RING", count=load, bytes=tile, host_addr=WEIGHTS, host_pitch=tile + 1),
        isa.encode("MATMUL_RING", row_count=1, chunk_count=matmul, x_count=1, wait=LOAD,
                   signal=VECTOR),
        isa.encode("PARAMS", channels=cols, bias_addr=1024),
        isa.encode("DRAIN", mode=Mode.RAW, out_addr=64, y_count=1, x_count=1, channels=cols,
                   wait=MATMUL, signal=STORE),
        isa.encode("STORE", count=1, bytes=4 * cols, local_addr=64, host_addr=OUTPUT,
                   wait=VECTOR)))
    return Program(
        config=config, instructions=code, memory_bytes=MEMORY_BYTES,
        tensors=(Tensor(name="sums", shape=(cols,), dtype="int32", offset=OUTPUT),),
        windows=(Window(0, OUTPUT), Window(OUTPUT, 0x1000, read=False, write=True),
                 Window(WEIGHTS, MEMORY_BYTES - WEIGHTS)))


def fill(pair, number):
    """Write equal random bytes to both memories, and zeros to the biases in both scratchpads."""
    raw = np.random.default_rng(seed(number)).bytes(MEMORY_BYTES)
    for device in pair:
        device.clear()
        device.write_memory(0, raw)


def run_both(pair, program, **options):
    """Run a program on both devices, and compare outcome and memory; return the error, if any."""
    records = []
    for device in pair:
        try:
            device.run(program, **{"limit": 500_000, **options})
            records.append(None)
        except DeviceError as error:
            records.append(error.record)
    assert records[0] == records[1]
    memories = [device.read_memory(0, MEMORY_BYTES) for device in pair]
    assert memories[0] == memories[1]
    return records[0]


@pytest.mark.parametrize("tiles", [1, 4, 33, 500])
def test_a_load_may_exceed_the_weight_buffer(pair, tiles):
    fill(pair, tiles)
    assert run_both(pair, ring_program(pair[0].config, load=tiles, matmul=tiles)) is None


def test_a_program_does_not_find_the_tiles_of_the_previous_one(pair):
    config = pair[0].config
    fill(pair, 2)
    assert run_both(pair, ring_program(config, load=3, matmul=1)) is None
    record = run_both(pair, ring_program(config, load=1, matmul=2), watchdog=2000)
    assert (record.code, record.unit) == ("WATCHDOG", "MATMUL")
    for command in ("soft_reset", "clear"):
        for device in pair:
            getattr(device, command)()
        assert run_both(pair, ring_program(config, load=3, matmul=2)) is None


@pytest.mark.parametrize("load, matmul", [(2, 3), (1000, 1)])
def test_a_program_that_does_not_balance_ends_with_the_watchdog(pair, load, matmul):
    """Too few tiles, or more than the ring has room for; a reset makes it empty again."""
    config = pair[0].config
    fill(pair, 3)
    record = run_both(pair, ring_program(config, load=load, matmul=matmul), watchdog=2000)
    assert (record.code, record.unit) == ("WATCHDOG", "MATMUL" if load < matmul else "LOAD")
    for device in pair:
        device.soft_reset()
    fill(pair, 4)
    assert run_both(pair, ring_program(config, load=2, matmul=2)) is None


@pytest.mark.parametrize("beat", [0, 1, 7, 40])
def test_a_bus_error_stops_the_units_behind_the_ring(pair, beat):
    """No sum of a tile that has not arrived leaves the device."""
    config = pair[0].config
    fill(pair, 5)
    program = ring_program(config, load=20, matmul=20)
    for device in pair:
        device.load(program)
        device.fault(WEIGHTS + beat * config.bus_bytes, 1, "SLVERR", "read")
    before = pair[0].read_memory(0, MEMORY_BYTES)
    record = run_both(pair, program)
    for device in pair:
        device.clear_faults()
    assert (record.code, record.unit, record.index) == ("BUS_SLVERR", "LOAD", 1)
    assert pair[0].read_memory(0, MEMORY_BYTES) == before
    assert run_both(pair, ring_program(config, load=2, matmul=2)) is None
