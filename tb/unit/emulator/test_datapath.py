"""Copies, MATMUL, PARAMS and DRAIN on the emulator, compared with their definitions."""

import random

import numpy as np
import pytest

from support.emulator_bench import CONFIG, execute, make_device
from support.seeds import seed
from weft.spec import isa
from weft.spec.isa import Mode
from weft.spec.presets import preset


def test_copies_with_all_kinds_of_pitches():
    emulator = make_device()
    draw = np.random.default_rng(seed(1))
    host = draw.integers(0, 256, 0x2000, dtype=np.uint8)
    emulator.write_memory(0x800, host[0x800:].tobytes())
    expected = np.zeros(2048, np.uint8)
    for row in range(5):
        expected[100 + row * 9:107 + row * 9] = host[0x901 + row * 300:0x908 + row * 300]
    assert execute(emulator, isa.encode(
        "LOAD", count=5, bytes=7, host_addr=0x901, host_pitch=300, local_addr=100,
        local_pitch=9)) is None
    assert (emulator.datapath.spad == expected).all()
    # of overlapping rows the last one remains
    execute(emulator, isa.encode("LOAD", count=3, bytes=5, host_addr=0xA00, host_pitch=5,
                                 local_addr=7, local_pitch=2))
    assert emulator.datapath.spad[7:16].tobytes() == bytes(
        [*host[0xA00:0xA02], *host[0xA05:0xA07], *host[0xA0A:0xA0F]])
    execute(emulator, isa.encode("FILL", count=2, bytes=3, local_addr=0, local_pitch=4, value=9))
    assert emulator.datapath.spad[:8].tolist() == [9, 9, 9, 0, 9, 9, 9, host[0xA00]]
    execute(emulator, isa.encode("STORE", count=2, bytes=3, host_addr=0x3FF0, host_pitch=13,
                                 local_addr=0, local_pitch=4))
    assert emulator.read_memory(0x3FF0, 16) == bytes([9, 9, 9, *[0] * 10, 9, 9, 9])


@pytest.mark.parametrize("config", [CONFIG, preset("wide"), preset("tall"), preset("large")],
                         ids=lambda config: config.name)
def test_matmul_matches_its_definition(config):
    """The definition in the instruction table as loops over Python integers."""
    emulator = make_device(config)
    draw = random.Random(f"matmul {config.name} {seed()}")
    path = emulator.datapath
    random_bytes = np.random.default_rng(seed(4))
    path.spad[:] = random_bytes.integers(0, 256, path.spad.shape)
    path.wgt[:] = random_bytes.integers(0, 256, path.wgt.shape)
    for attempt in range(12):
        path.acc[:] = random_bytes.integers(-1 << 31, 1 << 31, path.acc.shape)
        v = dict(maximum=draw.randrange(2), accumulate=draw.randrange(2), hold=draw.randrange(2),
                 act_addr=draw.randrange(64), acc_addr=draw.randrange(4),
                 wgt_addr=draw.randrange(2), row_count=draw.randint(1, 3),
                 row_pitch=draw.randrange(30), chunk_count=1 + draw.randrange(2) * attempt // 6,
                 chunk_pitch=draw.randrange(30), y_count=draw.randint(1, 3),
                 y_pitch=draw.randrange(50), x_count=draw.randint(1, 4), x_pitch=draw.randrange(9),
                 depthwise=attempt % 2)
        v["lead"] = draw.randrange(config.rows) if v["depthwise"] else 0
        if not v["hold"]:
            v["row_count"], v["chunk_count"], v["wgt_addr"] = 1, draw.randint(1, 2), 0
        spad, wgt = path.spad.view(np.int8).tolist(), path.wgt.view(np.int8).tolist()
        acc = path.acc.tolist()
        for r in range(v["row_count"]):
            for c in range(v["chunk_count"]):
                tile = v["wgt_addr"] + (0 if v["hold"] else r * v["chunk_count"] + c)
                for y in range(v["y_count"]):
                    for x in range(v["x_count"]):
                        at = v["act_addr"] + r * v["row_pitch"] + c * v["chunk_pitch"] \
                            + y * v["y_pitch"] + x * v["x_pitch"]
                        line = acc[v["acc_addr"] + y * v["x_count"] + x]
                        for col in range(config.cols):
                            column = wgt[tile * config.tile_bytes:][col::config.cols]
                            if v["depthwise"]:
                                total = sum(
                                    column[config.rows - 1 - v["lead"] + tap]
                                    * spad[at + tap * v["x_pitch"] + col]
                                    for tap in range(v["lead"] + 1)) if col < config.rows else 0
                            else:
                                total = sum(spad[at + row] * column[config.rows - 1 - row]
                                            for row in range(config.rows))
                            if not v["accumulate"] and r == c == 0:
                                line[col] = total
                            elif v["maximum"]:
                                line[col] = max(line[col], total)
                            else:
                                line[col] = (line[col] + total + (1 << 31)) % (1 << 32) - (1 << 31)
        assert execute(emulator, isa.encode("MATMUL", **v)) is None
        wrong = np.argwhere(path.acc != acc)
        assert not len(wrong), f"seed {seed()}, {v}: first at {wrong[0]}"


def test_params_and_drain_match_their_definition_in_every_mode():
    emulator = make_device()
    path = emulator.datapath
    path.acc[:] = np.random.default_rng(seed(5)).integers(-1 << 20, 1 << 20, path.acc.shape)
    path.acc[3] = [(1 << 31) - 1, -1 << 31, 0, -1]
    bias = np.array([1, -1, 0, 1 << 30], np.int32)
    multiplier = np.array([1 << 30, (1 << 31) - 1, 1234567890, 0], np.uint32)
    shift = [38, 45, 31, 0]
    raw = bias.tobytes() + b"".join(
        (int(m) | 1 << 31).to_bytes(4, "little") + bytes([s | 0xC0, 1, 2, 3])
        for m, s in zip(multiplier, shift))
    path.spad[1:1 + len(raw)] = np.frombuffer(raw, np.uint8)
    for mode in Mode:
        size = 16 if mode == Mode.RAW else 4
        assert execute(
            emulator,
            isa.encode("PARAMS", per_channel=1, channels=4, bias_addr=1, scale_addr=17),
            isa.encode("DRAIN", mode=mode, out_addr=1003, acc_addr=1, acc_pitch=10, y_count=2,
                       y_pitch=5 * size, x_count=3, x_pitch=size + 1, channels=4, zero_point=-7,
                       clamp_min=-100, clamp_max=90)) is None
        for y in range(2):
            for x in range(3):
                for channel in range(4):
                    value = int(path.acc[1 + 10 * y + x, channel]) + int(bias[channel])
                    value = (value + (1 << 31)) % (1 << 32) - (1 << 31)
                    at = 1003 + y * 5 * size + x * (size + 1) + channel * (size // 4)
                    if mode == Mode.RAW:
                        found = int(path.spad[at:at + 4].view("<i4")[0])
                        assert found == value
                        continue
                    product = value * int(multiplier[channel])
                    s = shift[channel]
                    if mode == Mode.AWAY:
                        result = abs(product) + (1 << s >> 1) >> s
                        result = -result if product < 0 else result
                    elif mode == Mode.TFL1 or s <= 31:
                        result = product + (1 << s >> 1) >> s
                    else:
                        high = product + (1 << 30) >> 31
                        result = high + (1 << s - 32) - (high < 0) >> s - 31
                    expected = max(-100, min(90, result - 7))
                    assert path.spad.view(np.int8)[at] == expected, (mode, y, x, channel)


def test_params_keeps_the_parameters_of_other_channels():
    emulator = make_device()
    emulator.datapath.spad[:16] = np.arange(16)
    execute(emulator, isa.encode("PARAMS", channels=4, multiplier=5, shift=6),
            isa.encode("PARAMS", channels=2, bias_addr=8, multiplier=7, shift=8))
    assert emulator.datapath.multiplier[:4].tolist() == [7, 7, 5, 5]
    assert emulator.datapath.shift[:4].tolist() == [8, 8, 6, 6]
    assert emulator.datapath.bias[:4].tolist() == [0x0B0A0908, 0x0F0E0D0C, 0x0B0A0908, 0x0F0E0D0C]
