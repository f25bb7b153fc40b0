"""CRC-32 against zlib, and the Hamming distance at the length of a frame."""

import random
import zlib

import numpy as np
from amaranth.sim import Simulator

from support.seeds import seed
from weft.link.crc import POLYNOMIAL, Crc32
from weft.spec.link_frames import ANSWER_HEADER, CRC_BYTES, REQUEST_HEADER


def drive(steps):
    """Return ``o_byte`` and ``o_bad`` after each step ``(byte, check)``; a step ``None`` clears."""
    dut = Crc32()
    found = []

    async def bench(ctx):
        for step in steps:
            ctx.set(dut.i_clear, step is None)
            if step is not None:
                ctx.set(dut.i_byte, step[0])
                ctx.set(dut.i_check, step[1])
                ctx.set(dut.i_en, 1)
            await ctx.tick()
            ctx.set(dut.i_en, 0)
            cycles = 1
            while ctx.get(dut.o_busy):
                await ctx.tick()
                cycles += 1
            if step is not None:
                assert cycles == Crc32.LATENCY
                found.append((ctx.get(dut.o_byte), ctx.get(dut.o_bad)))

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()
    return found


def test_equals_zlib_and_continues_after_a_check():
    draw = random.Random(seed(1))
    for size in (1, 2, 8, 40):
        first, second = draw.randbytes(size), draw.randbytes(size + 3)
        inner = zlib.crc32(first).to_bytes(4, "little")
        outer = zlib.crc32(first + second).to_bytes(4, "little")
        steps = [None]
        for data, crc in ((first, inner), (second, outer)):
            steps += [(byte, 0) for byte in data] + [(byte, 1) for byte in crc]
        assert drive(steps) == [(byte, 0) for byte in first + inner + second + outer]


def test_detects_every_wrong_bit_of_a_crc_and_outputs_the_correct_byte():
    crc = zlib.crc32(b"weft").to_bytes(4, "little")
    for bit in range(32):
        wrong = bytearray(crc)
        wrong[bit // 8] ^= 1 << bit % 8
        found = drive([None, *((byte, 0) for byte in b"weft"), *((byte, 1) for byte in wrong),
                       None, (0, 0)])
        assert [byte for byte, _ in found[4:8]] == list(crc)
        assert found[7][1] == 1 and found[4 + bit // 8][1] == 1 and found[8][1] == 0


def test_detects_any_four_wrong_bits_of_a_frame():
    """Hamming distance 5 of the longest code word (header, payload and CRC), by exhaustion."""
    bits = 8 * (max(REQUEST_HEADER.size, ANSWER_HEADER.size) + 256 + CRC_BYTES)
    syndrome, value = np.zeros(bits, np.uint64), 1 << 31
    for index in range(bits):
        syndrome[index] = value         # remainder of one wrong bit, index bits before the end
        value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
    assert np.unique(syndrome).size == bits                                     # 2 wrong bits
    first, second = np.triu_indices(bits, 1)
    pairs = np.sort(syndrome[first] ^ syndrome[second])
    assert not np.isin(syndrome, pairs).any()                                   # 3 wrong bits
    assert (pairs[1:] != pairs[:-1]).all()                                      # 4 wrong bits
