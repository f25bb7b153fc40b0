"""Compiled RTL of the host link against its model in Python, byte by byte."""

import os

import pytest

from support.link_board import MemoryBoard
from support.link_campaign import Campaign
from support.link_model import LinkModel
from support.link_sim import LinkSimulation
from support.seeds import seed
from weft.spec.link_frames import CRC_BYTES, REQUEST_HEADER, Command
from weft_host.link.codec import encode_request

SEED = seed(1)
COUNT = int(os.environ.get("WEFT_LINK_RTL", "8000"))
BIT = 4
BYTE = 10 * BIT + 1
BASE = 0x1000


@pytest.fixture(scope="module", params=[32, 256])
def pair(request):
    """A new simulation and its model."""
    board = MemoryBoard(request.param, base=BASE, clock_hz=24_000_000, baud=6_000_000,
                        board="memory", timeout_us=20)
    simulation = LinkSimulation(board, bit_cycles=BIT)
    silence = 8 * board.link.tick_cycles
    # the state after reset is that after an error: the line may be in the middle of a frame
    assert simulation.run(encode_request(Command.INFO, 1), silence + 100 * BYTE) == b""
    yield simulation, LinkModel(board.link.info, base=BASE), silence
    simulation.close()


def exchange(simulation, model, data, silence):
    """Return the answers of simulation and model to the same bytes, followed by silence."""
    expected = model.feed(data)
    model.silence()
    found = simulation.run(data, (len(data) + len(expected)) * BYTE)
    # execution takes time; silence starts after the last answer
    while len(found) < len(expected):
        more = simulation.run(b"", 4000)
        found += more
        if not more:
            break
    return found + simulation.run(b"", silence + 4000), expected


def test_equals_the_model_on_damaged_frames(pair):
    simulation, model, silence = pair
    campaign = Campaign(f"rtl {SEED}", payload=256, base=BASE - 64, size=4096 + 128)
    wrong = 0
    while campaign.counts.counted < COUNT:
        kind, data = campaign.burst(model.last)
        found, expected = exchange(simulation, model, data, silence)
        assert found == expected, (
            f"seed {SEED}, frame {campaign.sent}, {kind}: {data.hex()} gave {found.hex()} "
            f"instead of {expected.hex()}")
        wrong += campaign.count_errors(model.executed)
        model.executed.clear()
    assert not wrong and simulation.broken == 0
    campaign.counts.check(COUNT, f"requests to the RTL, {8 * model.info.bus_bytes} bits")
    # compare the whole memory and all registers
    for command, first, end in ((Command.READ_MEMORY, BASE, BASE + 4096),
                                (Command.READ_REGISTERS, 0, 2048)):
        for addr in range(first, end, 256):
            request = encode_request(command, (model.last + 1) % 256, addr, 256)
            found, expected = exchange(simulation, model, request, silence)
            assert found == expected and len(found) == 270, f"seed {SEED}, {addr:#x}"


def test_discards_a_frame_after_silence_but_not_after_a_pause(pair):
    simulation, model, silence = pair
    frame = encode_request(Command.WRITE_MEMORY, (model.last + 1) % 256, BASE, 0, b"\x77")
    for at in (1, REQUEST_HEADER.size, REQUEST_HEADER.size + CRC_BYTES + 1, len(frame) - 1):
        assert simulation.run(frame[:at], at * BYTE + silence + 64) == b""
        assert simulation.run(frame[at:], 60 * BYTE + silence + 64) == b"", at
    found = simulation.run(frame[:9], 9 * BYTE + silence * 3 // 4)
    found += simulation.run(frame[9:], 40 * BYTE + 1000)
    assert found == model.feed(frame)


def test_answers_the_requests_that_fit_the_queue(pair):
    """More requests arrive while an answer is sent than the queue can hold."""
    simulation, model, silence = pair
    reads = b"".join(encode_request(Command.READ_MEMORY, (model.last + 1 + index) % 256, BASE, 256)
                     for index in range(60))
    first = model.feed(reads[:13])
    found = simulation.run(reads, 60 * 280 * BYTE)
    assert found[:len(first)] == first and len(found) < 60 * 270
    request = encode_request(Command.INFO, 99)
    simulation.run(b"", silence + 1000)
    answer = simulation.run(request, 100 * BYTE)
    model.last = answer[3]
    assert answer == model.feed(request)
