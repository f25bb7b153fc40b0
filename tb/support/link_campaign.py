"""Bursts of frames in which something is wrong, and the judge of what was taken from them."""

import collections
import random

from weft.spec.link_frames import Command
from weft_host.link.codec import encode_request

__all__ = ["COUNTED", "DAMAGES", "Campaign", "Counts", "damage"]

COUNTED = ("1 bit", "2 bits", "3 bits", "truncated", "duplicated", "reordered")
"""Damages that a campaign is to have its number of frames of."""

DAMAGES = (*COUNTED, "lost", "behind noise", "spliced")
# three of four suffer from what is counted
_DRAW = (*3 * COUNTED, *DAMAGES[len(COUNTED):], *3 * ("none",))


def _flip(draw, data, count):
    data = bytearray(data)
    for bit in draw.sample(range(8 * len(data)), count):
        data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def damage(draw, kind, frames):
    """The bytes on the line for some whole frames, one of which suffers.

    They differ from the whole frames; only one frame alone cannot be reordered.
    """
    whole, frames = list(frames), list(frames)
    at = draw.randrange(len(frames))
    frame = frames[at]
    cut = draw.randrange(1, len(frame))
    if kind in ("1 bit", "2 bits", "3 bits"):
        frames[at] = _flip(draw, frame, int(kind[0]))
    elif kind == "truncated":
        frames[at] = frame[:cut]
    elif kind == "duplicated":
        frames.insert(draw.randint(at, len(frames)), frame)
    elif kind == "reordered":
        while frames == whole and len(frames) > 1:
            draw.shuffle(frames)
    elif kind == "lost":
        del frames[at]
    elif kind == "behind noise":
        frames.insert(at, draw.randbytes(draw.randint(1, 20)))
    elif kind == "spliced":         # the head of one, the tail of another
        while frames == whole:
            other = draw.choice(whole)
            frames[at] = frame[:cut] + other[draw.randrange(len(other)):]
    return b"".join(frames)


class Counts(collections.Counter):
    """Bursts by what is wrong in them; in each of them it is one frame.

    Attributes
    ----------
    counted : :class:`int`
        Frames with one of the damages in ``COUNTED``.
    """

    @property
    def counted(self):
        return sum(self[kind] for kind in COUNTED)

    def draw(self, draw):
        """What is wrong in the next burst, and of how many frames it is."""
        kind = draw.choice(_DRAW)
        self[kind] += 1
        return kind, draw.randint(2 if kind == "reordered" else 1, 3)

    def check(self, count, where):
        """Print the counts; of each kind there are enough."""
        print(f"{where}: {self.counted} damaged frames:",
              ", ".join(f"{self[kind]} {kind}" for kind in COUNTED) + "; beside them",
              ", ".join(f"{self[kind]} {kind}" for kind in (*DAMAGES[len(COUNTED):], "none")))
        assert self.counted >= count
        assert all(self[kind] >= count // (2 * len(COUNTED)) for kind in COUNTED), self


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

    Attributes
    ----------
    counts : :class:`Counts`
        Bursts so far.
    sent : :class:`int`
        Requests so far, before anything happened to them.
    """

    def __init__(self, seed, *, payload, base, size):
        self.draw = random.Random(seed)
        self.payload = payload
        self.base = base
        self.size = size
        self.counts = Counts()
        self.sent = 0
        self._burst = []

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
        payload = draw.randbytes(length) if command & 1 else b""
        if command == Command.WRITE_MEMORY and draw.random() < 0.1:
            # what looks like the next request, for a receiver that goes on after a wrong header
            payload = encode_request(command, sequence, addr, 0, draw.randbytes(8))
        return command, sequence, addr, len(payload) or length, payload

    def burst(self, last):
        """``(kind, bytes)`` of the next burst; ``last`` is what the board executed last."""
        kind, count = self.counts.draw(self.draw)
        self._burst = [self._request((last + 1 + index) % 256) for index in range(count)]
        self.sent += count
        return kind, damage(self.draw, kind, [encode_request(*each) for each in self._burst])

    def judge(self, executed):
        """How many of the operations that were executed since the last burst should not have been.

        Its requests have consecutive sequence numbers. So what is executed are its first ones, in
        order, each once and without a gap.
        """
        wrong = sum(found != sent for found, sent in zip(executed, self._burst))
        return wrong + max(0, len(executed) - len(self._burst))
