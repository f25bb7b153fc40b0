"""Iterations of instructions with ``each``: results, tokens, expansion of programs."""

import numpy as np
import pytest

from support.seeds import seed
from weft.spec import isa
from weft.spec.iterations import OUTER_LOOPS, iterations
from weft.spec.presets import preset
from weft_host import Program
from weft_host.device import EmulatorDevice
from weft_host.emulator.datapath import Datapath
from weft_host.program.expand import unroll

CONFIG = preset("tiny")
SEEDS = [seed(offset) for offset in range(40)]


def random_fields(rng, name):
    """Return random fields of an instruction with ``each`` that tiny can execute."""
    def pick(low, high):
        return int(rng.integers(low, high + 1))

    if name == "MATMUL":
        apart, depthwise = pick(0, 1), pick(0, 1)
        count = pick(1, 4)
        return dict(
            maximum=pick(0, 1), accumulate=pick(0, 1), hold=pick(0, 1), apart=apart,
            depthwise=depthwise, lead=pick(0, 3) * depthwise, blank=pick(0, 3) * (1 - depthwise),
            act_addr=pick(0, 200), acc_addr=pick(0, 20), wgt_addr=pick(0, 10), row_count=count,
            row_pitch=pick(0, 60), chunk_count=pick(1, 4), chunk_pitch=pick(0, 20),
            y_count=1 if apart else pick(1, 3), y_pitch=pick(0, 50), x_count=pick(1, 7),
            x_pitch=pick(0, 9))
    if name == "DRAIN":
        apart, count = pick(0, 1), pick(1, 4)
        return dict(
            mode=pick(0, 3), apart=apart, out_addr=pick(0, 600), acc_addr=pick(0, 20),
            acc_pitch=pick(0, 6), y_count=count, y_pitch=pick(0, 90), x_count=pick(1, 5),
            x_pitch=pick(0, 20), channels=pick(1, 4), zero_point=pick(-9, 9), clamp_min=-128,
            clamp_max=pick(-3, 127), channel=4 * pick(0, 8 - (count if apart else 1)))
    space = CONFIG.wgt_bytes if name == "LOAD_WGT" else CONFIG.spad_bytes
    size, count = pick(1, 20), pick(1, 5)
    return dict(count=count, host_addr=pick(0, 500), host_pitch=pick(0, 90), bytes=size,
                local_addr=pick(0, space - 20 * 5 * 2), local_pitch=pick(0, 30))


def random_device(rng):
    """Return an emulator with random contents of all memories."""
    emulator = EmulatorDevice(CONFIG, memory_bytes=4096)
    emulator.memory.data[:] = rng.integers(0, 256, 4096)
    path = emulator.datapath
    path.spad[:] = rng.integers(0, 256, path.spad.shape)
    path.wgt[:] = rng.integers(0, 256, path.wgt.shape)
    path.acc[:] = rng.integers(-1 << 31, 1 << 31, path.acc.shape)
    path.bias[:] = rng.integers(-1 << 31, 1 << 31, path.bias.shape)
    path.multiplier[:] = rng.integers(0, 1 << 31, path.multiplier.shape)
    path.shift[:] = rng.integers(0, 63, path.shift.shape)
    return emulator


def memories(emulator):
    """Return the contents of all memories that instructions may write."""
    path = emulator.datapath
    return np.concatenate([array.view(np.uint8).reshape(-1) for array in (
        path.spad, path.wgt, path.acc, np.asarray(emulator.memory.data))])


@pytest.mark.parametrize("name", OUTER_LOOPS)
def test_the_iterations_have_the_result_of_the_instruction(name):
    changed = 0
    for run_seed in SEEDS:
        fields = random_fields(np.random.default_rng([1, run_seed]), name)
        whole, parts = (random_device(np.random.default_rng([2, run_seed])) for _ in range(2))
        before = memories(whole)
        whole.datapath.execute(*isa.decode(isa.encode(name, **fields)), 0)
        singles = list(iterations(CONFIG, name, isa.decode(isa.encode(name, each=1, **fields))[1]))
        assert len(singles) == fields[OUTER_LOOPS[name].count], run_seed
        for single in singles:
            assert single[OUTER_LOOPS[name].count] == 1
            parts.datapath.execute(isa.BY_NAME[name], single, 0)
        assert np.array_equal(memories(whole), memories(parts)), (name, run_seed, fields)
        changed += not np.array_equal(memories(whole), before)
    assert changed > len(SEEDS) // 2


def test_apart_equals_one_instruction_per_kernel_row():
    for run_seed in SEEDS:
        rng = np.random.default_rng([3, run_seed])
        fields = random_fields(rng, "MATMUL")
        fields.update(apart=1, y_count=1)
        one, other = (random_device(np.random.default_rng([4, run_seed])).datapath
                      for _ in range(2))
        one.execute(*isa.decode(isa.encode("MATMUL", **fields)), 0)
        for row in range(fields["row_count"]):
            own = dict(fields, apart=0, row_count=1,
                       act_addr=fields["act_addr"] + row * fields["row_pitch"],
                       acc_addr=fields["acc_addr"] + row * fields["x_count"],
                       wgt_addr=fields["wgt_addr"]
                       + (0 if fields["hold"] else row * fields["chunk_count"]))
            other.execute(*isa.decode(isa.encode("MATMUL", **own)), 0)
        assert np.array_equal(one.acc, other.acc), (run_seed, fields)


def test_blank_lines_act_as_zeros():
    for run_seed in SEEDS:
        rng = np.random.default_rng([5, run_seed])
        fields = random_fields(rng, "MATMUL")
        fields.update(depthwise=0, lead=0, hold=0, blank=int(rng.integers(1, 4)))
        one, other = (random_device(np.random.default_rng([6, run_seed])).datapath
                      for _ in range(2))
        other.wgt.reshape(-1, CONFIG.rows, CONFIG.cols)[:, :fields["blank"]] = 0
        one.execute(*isa.decode(isa.encode("MATMUL", **fields)), 0)
        other.execute(*isa.decode(isa.encode("MATMUL", **dict(fields, blank=0))), 0)
        assert np.array_equal(one.acc, other.acc), (run_seed, fields)


def test_drain_uses_the_parameters_of_its_slots():
    path = random_device(np.random.default_rng(seed(7))).datapath
    plain, slots = (Datapath(CONFIG, None) for _ in range(2))
    for other in (plain, slots):
        for name in ("spad", "acc", "bias", "multiplier", "shift"):
            getattr(other, name)[:] = getattr(path, name)
    common = dict(acc_pitch=2, y_pitch=16, x_count=2, x_pitch=4, channels=4, clamp_max=127,
                  clamp_min=-128)
    slots.execute(*isa.decode(isa.encode("DRAIN", apart=1, y_count=3, channel=8, **common)), 0)
    for row in range(3):
        for name in ("bias", "multiplier", "shift"):
            values = getattr(path, name)
            getattr(plain, name)[:4] = values[8 + 4 * row:12 + 4 * row]
        plain.execute(*isa.decode(isa.encode(
            "DRAIN", **dict(common, y_count=1, acc_addr=2 * row, out_addr=16 * row))), 0)
    assert np.array_equal(plain.spad, slots.spad)


def program(*words):
    """Return a program of these instructions for tiny."""
    return Program(config=CONFIG, instructions=b"".join(words), memory_bytes=4096, image=(),
                   inputs=(), outputs=(), tensors=(), windows=(), host_steps=(), meta={})


def test_iterations_take_and_give_tokens():
    """Iterations of MATMUL wait for those of LOAD, which wait for earlier ones of MATMUL."""
    load = dict(count=4, bytes=16, host_pitch=16, local_pitch=16, host_addr=1024)
    words = [
        isa.encode("LOAD_WGT", **load, each=1, signal=2),
        isa.encode("LOAD_WGT", **dict(load, host_addr=1088), each=1, wait=2, signal=2),
        isa.encode("MATMUL", row_count=4, chunk_count=1, y_count=1, x_count=1, apart=1, each=1,
                   wait=1, signal=1),
        isa.encode("MATMUL", row_count=4, chunk_count=1, y_count=1, x_count=1, apart=1, each=1,
                   acc_addr=4, wait=1),
    ]
    rng = np.random.default_rng(seed(8))
    weights = rng.integers(-128, 128, (8, 4, 4), np.int8)
    vector = rng.integers(-128, 128, 4, np.int8)
    expected = np.einsum("tlc,l->tc", weights[:, ::-1].astype(int), vector.astype(int))
    for order in ([0, 1, 2, 3], [1, 0, 3, 2]):
        emulator = EmulatorDevice(CONFIG, memory_bytes=4096)
        emulator.order = order
        emulator.memory.data[1024:1152] = weights.reshape(-1).view(np.uint8)
        emulator.datapath.spad[:4] = vector.view(np.uint8)
        emulator.memory.data[:128] = np.frombuffer(b"".join(words), np.uint8)
        emulator.write_register("WINDOW0_BASE", 0)
        emulator.write_register("WINDOW0_LAST", 4095)
        emulator.write_register("WINDOW0_CTRL", 3)
        emulator.write_register("PROGRAM_COUNT", 4)
        emulator.write_register("CONTROL", 1)
        assert emulator.registers.field("STATUS", "DONE"), emulator.registers.values
        assert np.array_equal(emulator.datapath.acc[:8], expected)
        assert emulator.datapath.counts["INSTRUCTIONS"] == 16


def test_unroll_lists_the_iterations_with_their_indices():
    found = unroll(program(
        isa.encode("LOAD", count=3, bytes=4, host_pitch=7, local_pitch=5, each=1),
        isa.encode("SYNC_VECTOR"), isa.encode("DRAIN", y_count=2, x_count=1, channels=4)))
    assert [(row.index, row.number) for row in found] == [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0)]
    assert [row.fields["host_addr"] for row in found[:3]] == [0, 7, 14]
    assert [row.fields["local_addr"] for row in found[:3]] == [0, 5, 10]
    assert found[4].fields["y_count"] == 2
