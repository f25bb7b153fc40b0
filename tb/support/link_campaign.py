"""Bursts of frames in which something is wrong, and the judge of what was taken from them."""

import random

from weft.link.frames import Command
from weft_host.link.codec import encode_request

__all__ = ["DAMAGES", "Campaign", "damage", "flip"]

DAMAGES = ("none", "flip", "truncate", "duplicate", "swap", "noise", "splice", "drop")


def flip(draw, data):
    """``data`` with one to three bits wrong."""
    data = bytearray(data)
    for bit in draw.sample(range(8 * len(data)), draw.randint(1, min(3, 8 * len(data)))):
        data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def damage(draw, kind, frames):
    """The bytes on the line for some whole frames, one of which suffers."""
    frames = list(frames)
    at = draw.randrange(len(frames))
    if kind == "flip":
        frames[at] = flip(draw, frames[at])
    elif kind == "truncate":
        frames[at] = frames[at][:draw.randrange(len(frames[at]))]
    elif kind == "duplicate":
        frames.insert(draw.randint(at, len(frames)), frames[at])
    elif kind == "swap":
        draw.shuffle(frames)
    elif kind == "noise":
        frames.insert(at, draw.randbytes(draw.randint(1, 20)))
    elif kind == "splice":          # the head of one, the tail of another
        other = frames[draw.randrange(len(frames))]
        frames[at] = frames[at][:draw.randrange(len(frames[at]))] + other[
            draw.randrange(len(other)):]
    elif kind == "drop":
        frames[at] = b""
    return b"".join(frames)


class Campaign:
    """Draws bursts of one to three requests, and judges what was executed.

    Parameters
    ----------
    seed : hashable
        Of everything.
    payload : :class:`int`
        Bytes of a frame.
    base, size : :class:`int`
        Memory that most requests hit.
    """

    def __init__(self, seed, *, payload, base, size):
        self.draw = random.Random(seed)
        self.payload = payload
        self.base = base
        self.size = size
        self.sent = []
        self._matched = 0

    def _request(self, sequence):
        draw = self.draw
        command = draw.choice([Command.READ_MEMORY, Command.WRITE_MEMORY, Command.WRITE_MEMORY,
                               Command.READ_REGISTERS, Command.WRITE_REGISTERS, Command.INFO])
        length = draw.choice([1, 2, 3, 4, 5, 8, draw.randint(1, self.payload)])
        if draw.random() < 0.02:        # beyond the payload, or nothing at all
            length = draw.choice([0, self.payload + 1, 0xFFFF if command & 1 == 0 else 300])
        addr = self.base + draw.randrange(self.size)
        if command & 2:
            addr = 4 * draw.randrange(600)
            length = max(4, length & -4) if draw.random() < 0.95 else length
        return command, sequence, addr, length, draw.randbytes(length) if command & 1 else b""

    def burst(self, last):
        """``(kind, bytes)`` of the next burst; ``last`` is what the board executed last."""
        draw = self.draw
        frames = []
        for index in range(draw.randint(1, 3)):
            request = self._request((last + 1 + index) % 256)
            self.sent.append(request)
            frames.append(encode_request(*request))
        kind = draw.choice(DAMAGES)
        return kind, damage(draw, kind, frames)

    def judge(self, executed):
        """How many of the newly executed operations are none that was sent, or come once more.

        What was sent is executed in the order of sending, each at most once.
        """
        wrong = 0
        for operation in executed:
            try:
                self._matched = self.sent.index(operation, self._matched) + 1
            except ValueError:
                wrong += 1
        return wrong
