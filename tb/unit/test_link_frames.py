"""A hundred thousand damaged bursts: nothing is taken that was not sent, on either side."""

import os
import random

import pytest

from support.link_campaign import DAMAGES, Campaign, damage
from support.link_model import LinkModel
from weft.link.frames import ANSWER_MARK, Command, Info, Status
from weft_host.link.codec import Answer, AnswerParser, encode_request

SEED = int(os.environ.get("WEFT_SEED", "1"))
COUNT = int(os.environ.get("WEFT_LINK_FRAMES", "100000"))
INFO = Info(payload=256, queue=512, bus_bytes=4, timeout_us=10, clock_hz=24_000_000,
            baud=6_000_000, memory_base=0x1000, memory_bytes=4096, board="model")


def test_info_survives_the_line():
    assert Info.unpack(INFO.pack()) == INFO
    with pytest.raises(ValueError, match=r"^3 bytes are too few for the 44 of Info$"):
        Info.unpack(b"abc")


def test_nothing_wrong_is_executed():
    model = LinkModel(INFO, base=0x1000)
    campaign = Campaign(f"board {SEED}", payload=256, base=0x1000, size=4000)
    frames = executed = 0
    while frames < COUNT:
        before = len(campaign.sent)
        kind, data = campaign.burst(model.last)
        model.feed(data)
        model.silence()
        frames += len(campaign.sent) - before
        wrong = campaign.judge(model.executed)
        assert not wrong, f"seed {SEED}, frame {frames}, {kind}: {wrong} executed wrongly"
        executed += len(model.executed)
        model.executed.clear()
    # the campaign is one: most undamaged requests do take place
    assert executed > frames // 4


def answer_frames(model, draw, count):
    """Answers of the board to good requests, as bytes and as what they mean."""
    frames, meanings = [], []
    for _ in range(count):
        sequence = (model.last + 1) % 256
        command = draw.choice([Command.READ_MEMORY, Command.WRITE_MEMORY, Command.READ_REGISTERS])
        length = 4 * draw.randint(1, 64)
        raw = model.feed(encode_request(command, sequence, 0x1000, length,
                                        draw.randbytes(length)))
        frames.append(raw)
        data = b"" if command & 1 else raw[10:-4]
        meanings.append(Answer(raw[1], sequence, sequence, data))
    return frames, meanings


def test_no_wrong_answer_is_believed():
    """The host waits for one answer after the other, as the client does."""
    draw = random.Random(f"host {SEED}")
    model = LinkModel(INFO, base=0x1000)
    parser = AnswerParser()
    frames = believed = 0
    while frames < COUNT:
        raw, meanings = answer_frames(model, draw, draw.randint(1, 3))
        kind = draw.choice(DAMAGES)
        parser.reset()
        waits = list(meanings)
        for answer in parser.feed(damage(draw, kind, raw)):
            if waits and answer.sequence == waits[0].sequence:
                assert answer == waits.pop(0), f"seed {SEED}, frame {frames}, {kind}"
                believed += 1
        frames += len(raw)
    assert believed > frames // 4


def test_a_parser_begins_anew_only_after_silence():
    model = LinkModel(INFO, base=0x1000)
    good = encode_request(Command.WRITE_MEMORY, 1, 0x1000, 0, b"\x11")
    inner = encode_request(Command.WRITE_MEMORY, 1, 0x1000, 0, b"\x22")
    outer = bytearray(encode_request(Command.WRITE_MEMORY, 1, 0x1010, 0, inner))
    outer[3] ^= 1                   # the header is wrong, and the payload holds a good frame
    assert model.feed(bytes(outer) + good) == b"" and model.memory[0] == 0
    model.silence()
    assert model.feed(good)[0] == ANSWER_MARK and model.memory[0] == 0x11

    answer = model.feed(good)
    parser = AnswerParser()
    assert parser.feed(b"\0" + answer) == [] and parser.lost
    assert parser.feed(answer) == []
    parser.reset()
    assert parser.feed(answer[:5]) == [] and not parser.lost
    assert parser.feed(answer[5:]) == [Answer(Status.OKAY, 1, 1, b"")]
