"""The host link's RTL, compiled, against its model in Python: the same bytes for the same bytes."""

import os

import pytest

from support.link_board import MemoryBoard
from support.link_campaign import Campaign
from support.link_model import LinkModel
from support.link_sim import LinkSimulation
from weft.spec.link_frames import CRC_BYTES, REQUEST_HEADER, Command
from weft_host.link.codec import encode_request

SEED = int(os.environ.get("WEFT_SEED", "1"))
COUNT = int(os.environ.get("WEFT_LINK_RTL", "8000"))
BIT = 4
BYTE = 10 * BIT + 1
BASE = 0x1000


@pytest.fixture(scope="module", params=[32, 256])
def pair(request):
    """A fresh simulation and a model of it."""
    board = MemoryBoard(request.param, base=BASE, clock_hz=24_000_000, baud=6_000_000,
                        board="memory", timeout_us=20)
    simulation = LinkSimulation(board, bit_cycles=BIT)
    silence = 8 * board.link.tick_cycles
    # it begins like after an error: what is under way on the line may be half a frame
    assert simulation.run(encode_request(Command.INFO, 1), silence + 100 * BYTE) == b""
    yield simulation, LinkModel(board.link.info, base=BASE), silence
    simulation.close()


def exchange(simulation, model, data, silence):
    """What simulation and model answer to the same bytes, followed by silence."""
    expected = model.feed(data)
    model.silence()
    found = simulation.run(data, (len(data) + len(expected)) * BYTE)
    # what is executed takes time, too; only when all is answered does silence begin to count
    while len(found) < len(expected):
        more = simulation.run(b"", 4000)
        found += more
        if not more:
            break
    return found + simulation.run(b"", silence + 4000), expected


def test_answers_as_the_model_does(pair):
    simulation, model, silence = pair
    campaign = Campaign(f"rtl {SEED}", payload=256, base=BASE - 64, size=4096 + 128)
    wrong = 0
    while campaign.counts.counted < COUNT:
        kind, data = campaign.burst(model.last)
        found, expected = exchange(simulation, model, data, silence)
        assert found == expected, (
            f"seed {SEED}, frame {campaign.sent}, {kind}: {data.hex()} gave {found.hex()} "
            f"instead of {expected.hex()}")
        wrong += campaign.judge(model.executed)
        model.executed.clear()
    assert not wrong and simulation.broken == 0
    campaign.counts.check(COUNT, f"requests to the RTL, {8 * model.info.bus_bytes} bits")
    # the whole memory, and all registers
    for command, first, end in ((Command.READ_MEMORY, BASE, BASE + 4096),
                                (Command.READ_REGISTERS, 0, 2048)):
        for addr in range(first, end, 256):
            request = encode_request(command, (model.last + 1) % 256, addr, 256)
            found, expected = exchange(simulation, model, request, silence)
            assert found == expected and len(found) == 270, f"seed {SEED}, {addr:#x}"


def test_silence_ends_a_frame_and_a_pause_does_not(pair):
    simulation, model, silence = pair
    frame = encode_request(Command.WRITE_MEMORY, (model.last + 1) % 256, BASE, 0, b"\x77")
    for at in (1, REQUEST_HEADER.size, REQUEST_HEADER.size + CRC_BYTES + 1, len(frame) - 1):
        assert simulation.run(frame[:at], at * BYTE + silence + 64) == b""
        assert simulation.run(frame[at:], 60 * BYTE + silence + 64) == b"", at
    found = simulation.run(frame[:9], 9 * BYTE + silence * 3 // 4)
    found += simulation.run(frame[9:], 40 * BYTE + 1000)
    assert found == model.feed(frame)


def test_bytes_that_do_not_fit_are_lost_and_nothing_else(pair):
    """While a long answer is sent, more requests arrive than can wait."""
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
