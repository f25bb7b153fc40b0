"""Work of the instructions of a step, against the emulator's counters and figures by hand."""

import dataclasses

import pytest

from support.language_models import Shape, random_file
from weft.spec import isa
from weft.spec.presets import preset
from weft_host import LanguageModel, Program, Window
from weft_host.perf.step_work import Work, step_work

CONFIG = preset("small", fixed_point=True)
CACHE = 0x8000


def work(name, config=CONFIG, values=(0,) * 64, **fields):
    program = Program(config=config, memory_bytes=1 << 20, instructions=isa.encode(name, **fields),
                      windows=(Window(0, CACHE), Window(CACHE, 1 << 16, write=True)))
    found, = step_work(program, values)
    return found


@pytest.mark.parametrize("shape, context", [
    (Shape(family="llama", context=64), 20),
    (Shape(family="gpt2", heads=2, kv_heads=2, head_size=16, feed_forward=36), 30),
    (Shape(family="llama", dim=8, heads=2, kv_heads=1, head_size=4, layers=1, feed_forward=12,
           context=1024), 600)])
def test_bytes_are_those_that_the_emulator_counts(shape, context, tmp_path):
    running = LanguageModel(random_file(tmp_path, shape), CONFIG, context=context)
    for position in {0, 1, 17, 256, 299, context - 1}:
        if position >= context:
            continue
        counters = running.timing_step(position)
        total = Work.total(step_work(running.program, running.step_values(0, position)))
        assert total.read_bytes == counters["BYTES_READ"]
        assert total.written_bytes == counters["BYTES_WRITTEN"]
        assert total.instructions == counters["INSTRUCTIONS"] == running.program.instruction_count
        # tiles of the weights are padded to rows and columns
        assert total.weight_bytes >= running.sizes.weights
        assert total.cache_bytes >= running.sizes.cache_bytes(position + 1)
        assert total.array_cycles * CONFIG.bus_bytes >= total.weight_bytes


def test_a_position_adds_tiles_and_blocks_of_the_cache(tmp_path):
    shape = Shape(family="llama", dim=8, heads=2, kv_heads=1, head_size=4, layers=1,
                  feed_forward=12, context=1024)
    running = LanguageModel(random_file(tmp_path, shape), CONFIG, context=600)
    by_position = {position: Work.total(step_work(
        running.program, running.step_values(5, position))) for position in (0, 7, 8, 255, 256)}
    assert by_position[7].read_bytes == by_position[0].read_bytes
    assert by_position[7].elements > by_position[0].elements
    assert by_position[8].cache_bytes == by_position[7].cache_bytes + 2 * CONFIG.tile_bytes
    assert by_position[256].skipped < by_position[255].skipped
    assert len({each.weight_bytes for each in by_position.values()}) == 1


def test_copies_are_weights_cache_or_others_by_their_address():
    fetch = isa.INSTRUCTION_BYTES
    one = Work(instructions=1, other_bytes=fetch)
    ring = dict(count=3, bytes=128, host_pitch=128)
    assert work("LOAD_RING", host_addr=0x100, **ring) == dataclasses.replace(one, weight_bytes=384)
    assert work("LOAD_RING", host_addr=CACHE, **ring) == dataclasses.replace(one, cache_bytes=384)
    assert work("LOAD", host_addr=0x100, count=1, bytes=40) == dataclasses.replace(
        one, other_bytes=fetch + 40)
    # 5 bytes in one beat of 8, and 5 bytes in two
    assert work("LOAD", host_addr=CACHE + 9, count=2, bytes=5, host_pitch=5) == dataclasses.replace(
        one, cache_bytes=8 + 16)
    assert work("STORE", host_addr=CACHE, count=4, bytes=1) == dataclasses.replace(
        one, written_bytes=4)
    # a register adds to the address, and has the count
    values = [0, CACHE - 0x100, 7] + [0] * 61
    assert work("LOAD_RING_STEP", values=values, host_addr=0x100, host_step=1, count=2,
                count_step=1, bytes=64) == dataclasses.replace(one, cache_bytes=448)
    assert work("LOAD_RING_STEP", values=values, host_addr=0x100, host_step=0, count=3,
                count_step=1, bytes=64) == dataclasses.replace(one, skipped=1)


def test_cycles_of_the_array_and_results_of_the_vector_unit():
    fields = dict(row_count=5, chunk_count=3, x_pitch=64)
    assert work("MATMUL_RING", x_count=2, **fields).array_cycles == 5 * 3 * 8
    assert work("MATMUL_RING", x_count=20, **fields).array_cycles == 5 * 3 * 20
    fast = dataclasses.replace(CONFIG, tile_lines=2)
    assert work("MATMUL_RING", fast, x_count=2, **fields).array_cycles == 5 * 3 * 4
    assert work("COMPUTE", count=3, elements_count=10).elements == 30
    assert work("DRAIN_PLANES", y_count=2, x_count=3, channels=8).elements == 48
    assert work("SOLVE", count=2).elements == 2
    assert work("FILL", count=1, bytes=64) == Work(instructions=1, other_bytes=32)


def test_the_sum_of_nothing_is_no_work():
    assert Work.total([]) == Work()
    one = Work(instructions=1, weight_bytes=5, elements=2)
    assert Work.total([one, one]) == Work(instructions=2, weight_bytes=10, elements=4)
