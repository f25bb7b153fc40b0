"""Client of the host link: correct data, writes that happen once, and reported errors."""

import itertools
import random
import re
import time
import zlib

import pytest

from support.link_campaign import DAMAGES, damage
from support.link_model import LinkModel
from support.seeds import seed
from weft.spec.link_frames import ANSWER_HEADER, ANSWER_MARK, Command, Info, Status
from weft_host.errors import LinkError
from weft_host.link import LinkClient, encode_request

SEED = seed(1)
BASE = 0x1000
FOREIGN_DATA = (r"^the data on this line is not from a Weft host link: is it the right port, is a "
                r"bitstream with Weft loaded, is the baud rate that of the bitstream, does another "
                r"program use the port\?$")
INFO = Info(payload=64, queue=512, bus_bytes=4, timeout_us=10, clock_hz=24_000_000,
            baud=6_000_000, memory_base=BASE, memory_bytes=4096, board="model")


class ModelLine:
    """A line with a model at its other end, which damages the share ``rate`` of all frames."""

    def __init__(self, model, noise=0, rate=0.0):
        self.model = model
        self.draw = random.Random(noise)
        self.rate = rate
        self.alive = True
        self.mute = False
        self.arrived = b""
        self.hook = None

    def _pass(self, frame):
        if frame and self.draw.random() < self.rate:
            return damage(self.draw, self.draw.choice(DAMAGES), [frame])
        return frame

    def write(self, data):
        if self.hook:
            self.hook(data)
        if self.alive:
            answer = self._pass(self.model.feed(self._pass(data)))
            self.arrived += b"" if self.mute else answer

    def read(self, seconds):
        data, self.arrived = self.arrived, b""
        if not data:
            self.model.silence()        # nothing arrives, so time passes
        return data


def connected(noise=0, rate=0.0, **options):
    model = LinkModel(INFO, base=BASE)
    line = ModelLine(model, noise, rate)
    client = LinkClient(line, **options)
    client.connect()
    return client, line, model


def test_transfers_of_every_size_arrive():
    client, _, model = connected()
    draw = random.Random(SEED)
    for size in (0, 1, 63, 64, 65, 128, 1000, 4096):
        data = draw.randbytes(size)
        client.write_memory(BASE, data)
        assert model.memory[:size] == data
        assert client.read_memory(BASE, size) == data
    client.write_register(8, 0xDEADBEEF)
    assert client.read_registers(8) == [0xDEADBEEF]
    assert client.read_registers(0, 40) == model.registers[:40]
    assert client.again == 0


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_a_noisy_line_loses_no_data_and_repeats_no_write(rate):
    client, line, model = connected(f"line {SEED} {rate}", 0.0, attempts=60)
    line.rate = rate
    draw = random.Random(f"client {SEED}")
    memory, registers, writes = bytearray(4096), [0] * 512, []
    for _ in range(400):
        kind = draw.randrange(4)
        start, size = draw.randrange(3000), draw.randint(1, 700)
        word = draw.randrange(500)
        where = f"seed {SEED}, rate {rate}, {kind}, {start}, {size}, {word}"
        if kind == 0:
            memory[start:start + size] = data = draw.randbytes(size)
            client.write_memory(BASE + start, data)
        elif kind == 1:
            assert client.read_memory(BASE + start, size) == memory[start:start + size], where
        elif kind == 2:
            value = draw.getrandbits(32)
            registers[word] = (value + registers[word] * (word >= 256)) % 2 ** 32
            writes.append((word, value))
            client.write_register(4 * word, value)
        else:
            assert client.read_registers(4 * word, 12) == registers[word:word + 12], where
    assert model.memory == memory and model.registers == registers, f"seed {SEED}"
    done = [(addr // 4, int.from_bytes(payload, "little"))
            for command, _, addr, _, payload in model.executed
            if command == Command.WRITE_REGISTERS]
    assert done == writes, f"seed {SEED}: registers are not written exactly once, in order"
    assert client.again > 0


def test_the_first_request_is_sent_once():
    line = ModelLine(LinkModel(INFO, base=BASE))
    client = LinkClient(line)
    client.write_register(8, 1)
    assert (client.sent, client.again) == (2, 0)


def test_damaged_answers_are_distinguished_from_missing_ones():
    client, line, _ = connected()
    draw = random.Random(SEED)
    feed = line.model.feed
    line.model.feed = lambda data: draw.randbytes(len(feed(data)))
    with pytest.raises(LinkError, match=(
            r"^all answers are damaged; 6 attempts failed: is the line disturbed, does another "
            r"program use the port\?$")):
        client.read_memory(BASE, 4)


def test_a_silent_board_is_reported():
    line = ModelLine(LinkModel(INFO, base=BASE))
    line.alive = False
    with pytest.raises(LinkError, match=(
            r"^the board does not answer: is the cable the right one, is a bitstream with Weft "
            r"loaded, is the baud rate that of the bitstream\?$")):
        LinkClient(line).connect()
    client, line, _ = connected()
    line.alive = False
    with pytest.raises(LinkError, match="^the board has stopped answering; 6 attempts failed$"):
        client.write_register(0, 1)
    line.alive = True
    client.write_register(0, 1)


@pytest.mark.parametrize("call", [
    lambda client: client.write_register(0, 1),
    lambda client: client.read_registers(0, 40),
    lambda client: client.write_memory(BASE, bytes(1000)),
    lambda client: client.read_memory(BASE, 1000),
])
@pytest.mark.parametrize("frame", [0, 3, 9])
def test_a_reset_of_the_board_is_detected(call, frame):
    """The reset happens before a transfer or during it."""
    client, line, model = connected()
    for _ in range(20):
        client.write_register(0, 1)
    frames = itertools.count()

    def reset(data):
        if next(frames) == frame:
            model.memory[:] = bytes(4096)
            model.last = 0
            model.silence()

    line.hook = reset
    with pytest.raises(LinkError, match=(
            "^the board's sequence number is wrong: the board was reset, or another program "
            "uses the line$")):
        for _ in range(10):
            call(client)
    client.write_register(4, 7)
    assert model.registers[1] == 7


@pytest.mark.parametrize("error", ["no answer", "an error during a transfer"])
def test_sequence_numbers_are_not_reused_after_an_error(error):
    """Requests that were in flight may have been executed or not."""
    client, line, model = connected()
    if error == "no answer":
        line.mute = True
        with pytest.raises(LinkError, match="^the board has stopped answering; 6 attempts "
                                            "failed$"):
            client.write_register(8, 1)
        line.mute = False
    else:
        with pytest.raises(LinkError, match="DECERR$"):
            client.write_memory(BASE + 4000, bytes(700))
    client.write_register(8, 2)
    assert model.registers[2] == 2


FOREIGN_ANSWER = LinkModel(INFO).feed(encode_request(Command.INFO, 5))
HEADER = ANSWER_HEADER.pack(Status.OKAY, 129, 0, 0xFFFF)
ENDLESS = bytes([ANSWER_MARK]) + HEADER + zlib.crc32(HEADER).to_bytes(4, "little")


class Babble(ModelLine):
    """A line on which something else sends ``talk`` all the time."""

    def __init__(self, talk):
        super().__init__(LinkModel(INFO, base=BASE))
        self.talk = talk
        self.silent = True      # until the first read

    def read(self, seconds):
        if self.silent:
            self.silent = False
            return b""
        time.sleep(0.001)
        return self.talk


@pytest.mark.parametrize("talk", [
    b"I (1234) wifi: connected\r\n", b"\0", FOREIGN_ANSWER, ENDLESS],
    ids=["log", "noise", "answers", "an endless answer"])
def test_foreign_data_on_the_line_is_reported(talk, monkeypatch):
    monkeypatch.setattr("weft_host.link.connection._TALK", 0.1)
    start = time.monotonic()
    with pytest.raises(LinkError, match=FOREIGN_DATA):
        LinkClient(Babble(talk), timeout=0.1).connect()
    assert time.monotonic() - start < 5
    # also if the line was silent at first, and if it only returns an echo
    client, line, _ = connected()
    line.hook = lambda data: setattr(line, "read", Babble(talk).read)
    with pytest.raises(LinkError, match=FOREIGN_DATA):
        client.write_memory(BASE, bytes(1000))
    echo = ModelLine(LinkModel(INFO, base=BASE))
    echo.alive = False
    echo.hook = lambda data: setattr(echo, "arrived", data)
    with pytest.raises(LinkError, match=FOREIGN_DATA):
        LinkClient(echo, timeout=0.1).connect()


def info_of(change):
    """Return an answer to INFO with other values, or with bytes added or removed."""
    class Other(Info):
        def pack(self):
            return super().pack()[:change.get("length", 99)] + b"more" * change.get("more", 0)

    facts = {name: value for name, value in change.items() if name not in ("more", "length")}
    return Other(**{**vars(INFO), **facts})


@pytest.mark.parametrize("change, message", [
    ({"protocol": 9}, "the board uses version 9 of the host link, this driver version 1; "
                      "build both from the same source"),
    ({"protocol": 2, "more": 3}, "the board uses version 2 of the host link, this driver version "
                                 "1; build both from the same source"),
    ({"protocol": 0, "length": 2}, "the board uses version 0 of the host link, this driver "
                                   "version 1; build both from the same source"),
    ({"more": 1}, "the board's information has 48 bytes instead of 44: this driver does not "
                  "support its host link"),
    *(({name: value}, f"the board reports {text}, which is impossible: build bitstream and "
                      "driver from the same source") for name, value, text in (
        ("payload", 0, "a payload of 0 bytes"), ("payload", 8192, "a payload of 8192 bytes"),
        ("baud", 0, "a line of 0 baud"), ("clock_hz", 0, "a clock of 0 Hz"),
        ("bus_bytes", 3, "a bus of 3 bytes"), ("timeout_us", 0, "a time-out of 0 us"),
        ("timeout_us", 30_000_000, "a time-out of 30000000 us"),
        ("memory_base", 100, "host memory from address 0x64"),
        ("memory_bytes", 0xFFFFF001, "4294963201 bytes of host memory"))),
])
def test_incompatible_boards_are_rejected(change, message):
    model = LinkModel(info_of(change), base=BASE)
    with pytest.raises(LinkError, match=f"^{re.escape(message)}$"):
        LinkClient(ModelLine(model)).connect()


def test_after_a_loss_the_client_waits_for_the_time_out_of_the_board():
    client, line, model = connected()
    model.info = Info(**{**vars(INFO), "timeout_us": 400_000})
    client.connect()
    waits, read = [], line.read
    line.read = lambda seconds: waits.append(seconds) or read(seconds)
    drops = [True]
    line._pass = lambda frame: b"" if frame and drops.pop() else frame
    drops = [False] * 9 + [True]
    client.write_register(0, 1)
    assert client.again == 1 and 0.4 < waits[1] < 1


@pytest.mark.parametrize("call, message, status", [
    (lambda client: client.read_memory(0x5000, 5), "a read of 5 bytes of host memory at 0x5000 "
     "ended with DECERR", Status.DECERR),
    (lambda client: client.write_memory(BASE + 4000, bytes(500)),
     "a write of 64 bytes of host memory at 0x1fe0 ended with DECERR", Status.DECERR),
    (lambda client: client.write_register(0x800, 1),
     "a write of 4 bytes of registers at 0x800 ended with SLVERR", Status.SLVERR),
    (lambda client: client.read_registers(2),
     "a read of 4 bytes of registers at 0x2 ended with INVALID", Status.INVALID),
])
def test_bus_errors_are_reported_and_the_next_request_works(call, message, status):
    client, _, _ = connected()
    with pytest.raises(LinkError, match=f"^{re.escape(message)}$") as caught:
        call(client)
    assert caught.value.status == status
    client.write_memory(BASE, b"after")
    assert client.read_memory(BASE, 5) == b"after"
    client.write_register(8, 9)
    assert client.read_registers(8) == [9] and client.again == 0
