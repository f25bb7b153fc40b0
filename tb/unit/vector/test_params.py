"""Reader of PARAMS: every word in its parameter slot, whatever the stalls of the scratchpad."""

import random

import pytest
from amaranth.sim import Simulator

from support.local_memory import LocalMemory
from support.seeds import seed as common_seed
from weft.spec.isa import encode
from weft.spec.presets import preset
from weft.vector.params import ParamsReader


def run(config, program, *, stall, latency, seed):
    """Return the scratchpad, the parameters by slot, and the cycles of each instruction."""
    seed = f"{common_seed()}/{seed}"
    dut = ParamsReader(config)
    memory = LocalMemory(config.spad_bytes, stall=stall, read_latency=latency, seed=seed)
    memory.data[:] = random.Random(seed).randbytes(config.spad_bytes)
    written = {"bias": {}, "multiplier": {}, "shift": {}}
    cycles = []

    async def issue(ctx):
        for raw in program:
            assert not ctx.get(dut.o_busy)
            ctx.set(dut.i_instruction, int.from_bytes(raw, "little"))
            ctx.set(dut.i_start, 1)
            await ctx.tick()
            ctx.set(dut.i_start, 0)
            ctx.set(dut.i_instruction, (1 << 256) - 1)
            count = 1
            while not ctx.get(dut.o_done):
                assert ctx.get(dut.o_busy) and count < 5000
                await ctx.tick()
                count += 1
            cycles.append(count)
            await ctx.tick()
        await ctx.tick()                # the last values are written a cycle after o_done

    async def collect(ctx):
        names = tuple(written)
        async for _, _, channel, *rest in ctx.tick().sample(
                dut.o_channel, *(getattr(dut, f"o_{n}_en") for n in names),
                *(getattr(dut, f"o_{n}") for n in names)):
            for name, en, value in zip(names, rest[:3], rest[3:]):
                if en:
                    written[name][channel] = value

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(issue)
    sim.add_process(collect)
    sim.add_process(memory.reader(dut.spad))
    sim.run()
    return memory.data, written, cycles


def word(data, addr, signed=False):
    """Return the 32-bit word at ``addr``."""
    return int.from_bytes(data[addr:addr + 4], "little", signed=signed)


@pytest.mark.parametrize("name, channels", (("tiny", 1), ("tiny", 3), ("small", 8), ("wide", 16)))
@pytest.mark.parametrize("stall", (0.0, 0.5, 0.9))
@pytest.mark.parametrize("latency", (1, 5))
def test_reads_bias_multiplier_and_shift_of_each_channel(name, channels, stall, latency):
    config = preset(name)
    # the last bytes of the scratchpad
    bias, scale = config.spad_bytes - 4 * channels, config.spad_bytes - 8 * channels - 3
    data, written, _ = run(config, [encode(
        "PARAMS", per_channel=1, channels=channels, bias_addr=bias, scale_addr=scale,
        multiplier=123, shift=45)], stall=stall, latency=latency, seed=f"{name}{channels}")
    assert written == {
        "bias": {c: word(data, bias + 4 * c, True) for c in range(channels)},
        "multiplier": {c: word(data, scale + 8 * c) & 0x7FFFFFFF for c in range(channels)},
        "shift": {c: data[scale + 8 * c + 4] & 63 for c in range(channels)},
    }


@pytest.mark.parametrize("stall", (0.0, 0.7))
def test_uses_the_instructions_multiplier_without_per_channel(stall):
    config = preset("small")
    data, written, _ = run(config, [
        encode("PARAMS", per_channel=1, channels=8, bias_addr=100, scale_addr=200),
        encode("PARAMS", channels=5, bias_addr=301, multiplier=(1 << 31) - 1, shift=62),
    ], stall=stall, latency=3, seed="uniform")
    for c in range(8):
        if c < 5:
            expected = word(data, 301 + 4 * c, True), (1 << 31) - 1, 62
        else:
            expected = (word(data, 100 + 4 * c, True), word(data, 200 + 8 * c) & 0x7FFFFFFF,
                        data[204 + 8 * c] & 63)
        assert tuple(written[n][c] for n in ("bias", "multiplier", "shift")) == expected, c


@pytest.mark.parametrize("name", ("tiny", "small", "ulx3s", "wide"))
@pytest.mark.parametrize("stall", (0.0, 0.6))
def test_writes_exactly_the_slots_from_channel_on(name, stall):
    config = preset(name)
    slots, cols = config.param_channels, config.cols
    rng = random.Random(f"{common_seed()}/{name}{stall}")
    first = cols * rng.randrange(slots // cols)
    for channel, channels in ((0, slots), (slots - cols, cols),
                              (first, rng.randint(1, slots - first))):
        data, written, _ = run(config, [encode(
            "PARAMS", per_channel=1, channel=channel, channels=channels, bias_addr=5,
            scale_addr=777)], stall=stall, latency=3, seed=f"{name}{stall}")
        assert written == {
            "bias": {channel + c: word(data, 5 + 4 * c, True) for c in range(channels)},
            "multiplier": {channel + c: word(data, 777 + 8 * c) & 0x7FFFFFFF
                           for c in range(channels)},
            "shift": {channel + c: data[777 + 8 * c + 4] & 63 for c in range(channels)},
        }, (channel, channels)


def test_clear_writes_zeros_to_the_given_slot():
    dut = ParamsReader(preset("small"))

    async def bench(ctx):
        for channel in (5, 63):
            ctx.set(dut.i_clear, 1)
            ctx.set(dut.i_clear_channel, channel)
            await ctx.tick()
            for name in ("bias", "multiplier", "shift"):
                assert ctx.get(getattr(dut, f"o_{name}_en")) == 1
                assert ctx.get(getattr(dut, f"o_{name}")) == 0
            assert ctx.get(dut.o_channel) == channel and not ctx.get(dut.o_busy)
        ctx.set(dut.i_clear, 0)
        await ctx.tick()
        assert not ctx.get(dut.o_bias_en)

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(bench)
    sim.run()


@pytest.mark.parametrize("latency", (1, 5))
def test_reads_one_word_a_cycle(latency):
    _, _, cycles = run(preset("small"), [
        encode("PARAMS", channels=8), encode("PARAMS", channels=8, per_channel=1),
        encode("PARAMS", channels=1)], stall=0.0, latency=latency, seed="cycles")
    overhead = {taken - words for taken, words in zip(cycles, (8, 24, 1))}
    # one cycle of tolerance, because the model memory is not ready in the first cycle
    assert max(overhead) <= latency + 2, cycles
