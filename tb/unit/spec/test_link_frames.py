"""Link frames: no damaged frame is accepted as valid, among a hundred thousand on each side."""

import os
import random
from pathlib import Path

import pytest

from support import link_model
from support.link_campaign import DAMAGES, Campaign, Counts, damage
from support.link_model import LinkModel
from support.seeds import seed
from weft.spec.link_frames import ANSWER_MARK, Command, Info, Status
from weft_host.link import codec
from weft_host.link.codec import Answer, AnswerParser, encode_request

SEED = seed(1)
COUNT = int(os.environ.get("WEFT_LINK_FRAMES", "100000"))
INFO = Info(payload=256, queue=512, bus_bytes=4, timeout_us=10, clock_hz=24_000_000,
            baud=6_000_000, memory_base=0x1000, memory_bytes=4096, board="model")


def test_unpacking_info_reverses_packing():
    assert Info.unpack(INFO.pack()) == INFO
    with pytest.raises(ValueError,
                       match=r"^the payload of INFO must have at least 44 bytes, not 3$"):
        Info.unpack(b"abc")


@pytest.mark.parametrize("kind", DAMAGES)
def test_every_kind_of_damage_changes_the_frames_as_named(kind):
    draw = random.Random(f"damage {SEED}")
    for _ in range(500):
        frames = [draw.randbytes(draw.randint(13, 40)) for _ in range(draw.randint(2, 3))]
        data = damage(draw, kind, frames)
        assert data != b"".join(frames), f"seed {SEED}"
        if kind == "duplicated":
            assert len(data) - sum(map(len, frames)) in map(len, frames)
            assert all(frame in data for frame in frames)
        elif kind == "reordered" or kind.endswith(("bit", "bits")):
            assert len(data) == sum(map(len, frames))
        if kind.endswith(("bit", "bits")):
            wrong = int.from_bytes(data, "big") ^ int.from_bytes(b"".join(frames), "big")
            assert wrong.bit_count() == int(kind[0])


def campaign_of_requests(make, count):
    """Send damaged requests to the board model ``make``, and check what it executes."""
    model = make(INFO, base=0x1000)
    campaign = Campaign(f"board {SEED}", payload=256, base=0x1000, size=4000)
    executed = 0
    while campaign.counts.counted < count:
        kind, data = campaign.burst(model.last)
        model.feed(data)
        model.silence()
        wrong = campaign.count_errors(model.executed)
        assert not wrong, (f"seed {SEED}, frame {campaign.sent}, {kind}: {wrong} executed "
                           "wrongly")
        executed += len(model.executed)
        model.executed.clear()
    # many undamaged requests are executed, so that the check is effective
    assert executed > campaign.sent // 4
    campaign.counts.check(count, "requests to the model")


def test_no_damaged_request_is_executed():
    campaign_of_requests(LinkModel, COUNT)


def answer_frames(model, draw, count):
    """Return answers of the board to valid requests, as bytes and decoded."""
    frames, decoded = [], []
    for _ in range(count):
        sequence = (model.last + 1) % 256
        command = draw.choice([Command.READ_MEMORY, Command.WRITE_MEMORY, Command.READ_REGISTERS])
        length = 4 * draw.randint(1, 64)
        raw = model.feed(encode_request(command, sequence, 0x1000, length,
                                        draw.randbytes(length)))
        frames.append(raw)
        data = b"" if command & 1 else raw[10:-4]
        decoded.append(Answer(raw[1], sequence, sequence, data))
    return frames, decoded


def campaign_of_answers(make, count):
    """Send damaged answers to the parser ``make``, and check what it accepts.

    Like the client, the test waits for the answers in order.
    """
    draw = random.Random(f"host {SEED}")
    model = LinkModel(INFO, base=0x1000)
    parser = make()
    counts = Counts()
    frames = accepted = 0
    while counts.counted < count:
        kind, size = counts.draw(draw)
        raw, decoded = answer_frames(model, draw, size)
        parser.reset()
        expected = [vars(answer) for answer in decoded]
        for answer in parser.feed(damage(draw, kind, raw)):
            if expected and answer.sequence == expected[0]["sequence"]:
                assert vars(answer) == expected.pop(0), f"seed {SEED}, frame {frames}, {kind}"
                accepted += 1
        frames += len(raw)
    assert accepted > frames // 4
    counts.check(count, "answers to the driver")


def test_no_damaged_answer_is_accepted():
    campaign_of_answers(AnswerParser, COUNT)


@pytest.mark.parametrize("module, name, right, wrong", [
    (link_model, "LinkModel", "if raw[_HEAD - CRC_BYTES:_HEAD] != _crc(header):", "if False:"),
    (link_model, "LinkModel", "if raw[size - CRC_BYTES:size] != _crc(payload, check):",
     "if False:"),
    (link_model, "LinkModel", "if ahead > 1:", "if ahead > 2:"),
    (link_model, "LinkModel", "if ahead > 1:", "if ahead == 255:"),
    (link_model, "LinkModel", "if not ahead and command & 1:", "if False:"),
    (link_model, "LinkModel", "return (1 if answer else 0), answer",
     "self._dropping = False; return 1, answer"),
    (codec, "AnswerParser", "if raw[body - CRC_BYTES:body] != ",
     "if False and raw[body - CRC_BYTES:body] != "),
    (codec, "AnswerParser", "if raw[size - CRC_BYTES:size] != ",
     "if False and raw[size - CRC_BYTES:size] != "),
])
def test_the_campaigns_detect_a_missing_rule(module, name, right, wrong):
    source = Path(module.__file__).read_text()
    assert source.count(right) == 1
    broken = {"__name__": module.__name__, "__package__": module.__package__}
    exec(compile(source.replace(right, wrong), module.__file__, "exec"), broken)
    run = campaign_of_requests if module is link_model else campaign_of_answers
    with pytest.raises(AssertionError) as seen:
        run(broken[name], COUNT // 4)
    assert f"seed {SEED}, frame" in str(seen.value)


def test_parsers_resynchronise_only_after_silence():
    model = LinkModel(INFO, base=0x1000)
    good = encode_request(Command.WRITE_MEMORY, 1, 0x1000, 0, b"\x11")
    inner = encode_request(Command.WRITE_MEMORY, 1, 0x1000, 0, b"\x22")
    outer = bytearray(encode_request(Command.WRITE_MEMORY, 1, 0x1010, 0, inner))
    outer[3] ^= 1                   # the header is damaged, and the payload contains a valid frame
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
