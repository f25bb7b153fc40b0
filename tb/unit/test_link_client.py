"""The host's end: what arrives is right, what must happen once does so once, the rest is told."""

import os
import random
import re

import pytest

from support.link_campaign import DAMAGES, damage
from support.link_model import LinkModel
from weft.link.frames import Command, Info, Status
from weft_host.errors import LinkError
from weft_host.link import LinkClient

SEED = int(os.environ.get("WEFT_SEED", "1"))
BASE = 0x1000
INFO = Info(payload=64, queue=512, bus_bytes=4, timeout_us=10, clock_hz=24_000_000,
            baud=6_000_000, memory_base=BASE, memory_bytes=4096, board="model")


class ModelLine:
    """A line with a model at its far end. ``rate`` of the frames suffer, each way."""

    def __init__(self, model, seed=0, rate=0.0):
        self.model = model
        self.draw = random.Random(seed)
        self.rate = rate
        self.alive = True
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
            self.arrived += self._pass(self.model.feed(self._pass(data)))

    def read(self, seconds):
        data, self.arrived = self.arrived, b""
        if not data:
            self.model.silence()        # nothing comes, so time passes
        return data


def connected(seed=0, rate=0.0, **options):
    model = LinkModel(INFO, base=BASE)
    line = ModelLine(model, seed, rate)
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
def test_a_bad_line_costs_time_but_nothing_is_lost_or_done_twice(rate):
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
    assert done == writes, f"seed {SEED}: registers are written once each, and in order"
    assert client.again > 0


def test_a_board_that_does_not_answer_is_told():
    line = ModelLine(LinkModel(INFO, base=BASE))
    line.alive = False
    with pytest.raises(LinkError, match=r"^the board does not answer: is the cable .*baud rate"):
        LinkClient(line).connect()
    client, line, _ = connected()
    line.alive = False
    with pytest.raises(LinkError, match=r"^the board has stopped answering"):
        client.write_register(0, 1)
    line.alive = True
    client.write_register(0, 1)


def test_a_board_that_was_reset_is_told():
    client, line, model = connected()
    for _ in range(5):
        client.write_register(0, 1)
    model.last = 0
    with pytest.raises(LinkError, match=r"^the board has lost count of the requests: it was reset"):
        client.write_register(0, 1)
    client.write_register(4, 7)
    assert model.registers[1] == 7


def test_another_version_is_refused():
    model = LinkModel(Info(**{**vars(INFO), "protocol": 9}), base=BASE)
    with pytest.raises(LinkError, match=r"^the board speaks version 9 of the host link, this "):
        LinkClient(ModelLine(model)).connect()


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
def test_errors_of_the_bus_are_told_and_the_next_request_works(call, message, status):
    client, _, _ = connected()
    with pytest.raises(LinkError, match=f"^{re.escape(message)}$") as caught:
        call(client)
    assert caught.value.status == status
    client.write_memory(BASE, b"after")
    assert client.read_memory(BASE, 5) == b"after"
    client.write_register(8, 9)
    assert client.read_registers(8) == [9] and client.again == 0
