"""COMPUTE, SOLVE and DRAIN_PLANES on the emulator, compared with their definitions."""

import random

import numpy as np
import pytest

from models.fixed_point import FixedPointPrograms
from support.emulator_bench import execute, make_device
from support.plain_compute import execute_plain
from support.seeds import seed
from weft.spec import isa
from weft.spec.fixed_point_instructions import ComputeOp, OutputType, Reduction, SolveOp
from weft.spec.presets import preset

CONFIG = preset("small", fixed_point=True)


@pytest.fixture(scope="module")
def emulator():
    return make_device(CONFIG)


def check(emulator, kind, number, **fixed):
    """Execute a random instruction of one kind; compare the scratchpad and the accumulators."""
    rng = random.Random(f"{seed()} {kind} {number} {fixed}")
    spad = bytearray(rng.randbytes(CONFIG.spad_bytes))
    most = 1 << 31
    acc = [[rng.choice((most - 1, -most, rng.randrange(-most, most) >> rng.randrange(32)))
            for _ in range(CONFIG.cols)] for _ in range(CONFIG.acc_rows)]
    raw = getattr(FixedPointPrograms(rng, CONFIG, spad), kind)(**fixed)
    path = emulator.datapath
    path.spad[:] = np.frombuffer(spad, np.uint8)
    path.acc[:] = acc
    assert execute(emulator, raw) is None
    instruction, fields = isa.decode(raw)
    execute_plain(instruction.name, fields, spad, acc)
    wrong = [index for index, byte in enumerate(spad) if path.spad[index] != byte]
    assert not wrong, (f"{instruction.name} {fields}: byte {wrong[0]:#x} is "
                       f"{path.spad[wrong[0]]}, not {spad[wrong[0]]}; {len(wrong)} bytes differ")
    assert (path.acc == acc).all()


@pytest.mark.parametrize("op", ComputeOp)
def test_operations(emulator, op):
    for number in range(40):
        check(emulator, "compute", number, op=op)


@pytest.mark.parametrize("out_type", OutputType)
def test_output_types(emulator, out_type):
    for number in range(20):
        check(emulator, "compute", number, op=ComputeOp.MULTIPLY, out_type=out_type, reduce=0)


@pytest.mark.parametrize("reduce", Reduction)
def test_reductions(emulator, reduce):
    for number in range(20):
        check(emulator, "compute", number, reduce=reduce)


@pytest.mark.parametrize("op", SolveOp)
def test_quotients_and_roots(emulator, op):
    for number in range(40):
        check(emulator, "solve", number, op=op)


@pytest.mark.parametrize("scale", [0, 1, 2])
def test_planes(emulator, scale):
    for number in range(20):
        check(emulator, "drain_planes", number, scale=scale)
