"""TABLE, MAP and SOFTMAX on the emulator, compared with their definition and with operators."""

import random

import numpy as np
import pytest

from golden.add import LEFT_SHIFT, add
from golden.requantize import multiply_by_quantized_multiplier, quantize_multiplier
from golden.softmax import softmax
from models.vector_unit import VectorModel, random_program
from support.seeds import seed
from weft.spec import isa
from weft.spec.isa import MapOp, Mode
from weft.spec.presets import preset
from weft_host.emulator.datapath import Datapath
from weft_host.numerics.fixed_point import softmax_exponentials

BYTES = np.arange(-128, 128)


def execute(path, name, **values):
    path.execute(*isa.decode(isa.encode(name, **values)), 0)


def table(path, addr, entries, **values):
    path.spad[addr:addr + 1024] = np.asarray(entries, "<i4").view(np.uint8)
    execute(path, "TABLE", table_addr=addr, **values)


@pytest.mark.parametrize("config", [preset("tiny", spad_bytes=1024), preset("wide"),
                                    preset("small")], ids=lambda config: config.name)
def test_random_programs_match_the_definition(config):
    """The model computes byte by byte in Python integers; the tables have random bytes."""
    for number in range(8):
        model = VectorModel(config, f"{seed()}/{number}")
        path = Datapath(config, None)
        path.spad[:] = np.frombuffer(bytes(model.spad), np.uint8)
        path.acc[:] = np.array(model.acc, np.int64)
        for raw in random_program(random.Random(f"{seed()}/{number}"), config, 40):
            model.execute(raw)
            path.execute(*isa.decode(raw), 0)
            assert path.spad.tobytes() == bytes(model.spad), \
                f"seed {seed()}/{number}: {isa.decode(raw)}"


def test_map_adds_tensors_like_the_reference_kernel():
    draw = np.random.default_rng(seed(3))
    for subtract in (False, True):
        s1, s2, s_out = draw.uniform(0.01, 0.2, 3)
        z1, z2, z_out = draw.integers(-128, 128, 3)
        x1, x2 = (draw.integers(-128, 128, (7, 33)).astype(np.int8) for _ in range(2))
        x1[0, :4], x2[0, :4] = (-128, 127, -128, 127), (-128, -128, 127, 127)
        expected = add(x1, x2, s1=s1, z1=z1, s2=s2, z2=z2, s_out=s_out, z_out=z_out,
                       subtract=subtract)
        s1, s2, s_out = (float(np.float32(s)) for s in (s1, s2, s_out))
        twice = 2 * max(s1, s2)
        one, other = (multiply_by_quantized_multiplier(BYTES - z << LEFT_SHIFT,
                                                       *quantize_multiplier(s / twice))
                      for s, z in ((s1, z1), (s2, z2)))
        multiplier, shift = quantize_multiplier(twice / (s_out * (1 << LEFT_SHIFT)))
        path = Datapath(preset("small"), None)
        scale = dict(multiplier=multiplier, shift=shift)
        table(path, 0, one, **scale)
        table(path, 1024, -other if subtract else other, table=1, **scale)
        for addr, values in ((3000, x1), (4001, x2)):
            path.spad[addr:addr + x1.size] = values.reshape(-1).view(np.uint8)
        execute(path, "MAP", op=MapOp.ADD, mode=Mode.TFL2, count=7, bytes=33, a_addr=3000,
                a_pitch=33, b_addr=4001, b_pitch=33, out_addr=5000, out_pitch=40,
                zero_point=z_out, clamp_min=-128, clamp_max=127)
        out = np.stack([path.spad[5000 + 40 * row:][:33] for row in range(7)]).view(np.int8)
        assert (out == expected).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 12), (5, 10), (3, 400)])
@pytest.mark.parametrize("s_in", [0.02, 0.1, 1.7])
def test_softmax_matches_the_reference_kernel(shape, s_in):
    draw = np.random.default_rng([*shape, int(100 * s_in), seed()])
    x = draw.integers(-128, 128, shape).astype(np.int8)
    x[0, 0] = -128
    path = Datapath(preset("small"), None)
    # entry 255 belongs to the difference 0
    table(path, 8, softmax_exponentials(float(np.float32(s_in)), 1.0)[::-1])
    size = shape[1]
    path.spad[2000:2000 + x.size] = x.reshape(-1).view(np.uint8)
    for out in (9000, 2000):
        execute(path, "SOFTMAX", count=shape[0], bytes=size, a_addr=2000, a_pitch=size,
                out_addr=out, out_pitch=size)
        found = path.spad[out:out + x.size].view(np.int8).reshape(shape)
        assert (found == softmax(x, s_in=s_in)).all()


@pytest.mark.parametrize("entry, size, expected", [
    (0, 4, -128),                   # the sum S is 0, which is replaced by 1
    (1 << 11, 4, -96),              # each is half of the smallest term: S is 4
    ((1 << 31) - 1, 4, -64),
    ((1 << 31) - 1, 511, -127),     # the longest row of the kernel: 0.501 rounds up
    ((1 << 31) - 1, 600, -127),     # S is at least 2^28: a shift of 63 would give 0.43
    (-(1 << 30), 4, -128),          # S is close to 2^32
    (-(1 << 31), 2048, -128),       # S is 3 * 2^30
])
def test_softmax_is_defined_for_every_sum(entry, size, expected):
    path = Datapath(preset("small"), None)
    table(path, 0, np.full(256, entry))
    execute(path, "SOFTMAX", count=1, bytes=size, a_addr=4000, out_addr=8000)
    assert (path.spad[8000:8000 + size].view(np.int8) == expected).all()
