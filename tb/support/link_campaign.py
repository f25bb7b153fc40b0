"""Campaign of damaged frames: bursts of requests, their damage, and the check of the result."""

import collections
import random

from weft.spec.link_frames import Command
from weft_host.link.codec import encode_request

__all__ = ["COUNTED", "DAMAGES", "Campaign", "Counts", "damage"]

COUNTED = ("1 bit", "2 bits", "3 bits", "truncated", "duplicated", "reordered")
"""Damages that count towards the number of frames of a campaign."""

DAMAGES = (*COUNTED, "lost", "after noise", "spliced")
# three quarters of the damages are counted ones
_DRAW = (*3 * COUNTED, *DAMAGES[len(COUNTED):], *3 * ("none",))


def _flip(draw, data, count):
    data = bytearray(data)
    for bit in draw.sample(range(8 * len(data)), count):
        data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def damage(draw, kind, frames):
    """Return the bytes on the line for some frames, one of which is damaged.

    They always differ from the undamaged frames, except that a single frame cannot be reordered.
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
    elif kind == "after noise":
        frames.insert(at, draw.randbytes(draw.randint(1, 20)))
    elif kind == "spliced":         # the head of one frame, the tail of another
        while frames == whole:
            other = draw.choice(whole)
            frames[at] = frame[:cut] + other[draw.randrange(len(other)):]
    return b"".join(frames)


class Counts(collections.Counter):
    """Number of bursts by kind of damage; one frame of each burst is damaged.

    Attributes
    ----------
    counted : :class:`int`
        Frames with one of the damages in ``COUNTED``.
    """

    @property
    def counted(self):
        return sum(self[kind] for kind in COUNTED)

    def draw(self, draw):
        """Draw the damage and the number of frames of the next burst."""
        kind = draw.choice(_DRAW)
        self[kind] += 1
        return kind, draw.randint(2 if kind == "reordered" else 1, 3)

    def check(self, count, where):
        """Print the counts, and check that every kind occurs often enough."""
        print(f"{where}: {self.counted} damaged frames:",
              ", ".join(f"{self[kind]} {kind}" for kind in COUNTED) + "; beside them",
              ", ".join(f"{self[kind]} {kind}" for kind in (*DAMAGES[len(COUNTED):], "none")))
        assert self.counted >= count
        assert all(self[kind] >= count // (2 * len(COUNTED)) for kind in COUNTED), self


class Campaign:
    """Generator of bursts of one to three requests, and checker of the executed requests.

    Parameters
    ----------
    seed : hashable
        Seed of all random choices.
    payload : :class:`int`
        Maximum payload of a frame in bytes.
    base, size : :class:`int`
        Range of addresses of the memory accesses.

    Attributes
    ----------
    counts : :class:`Counts`
        Number of bursts so far, by damage.
    sent : :class:`int`
        Number of undamaged requests so far.
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
        if draw.random() < 0.02:        # longer than the payload, or empty
            length = draw.choice([0, self.payload + 1, 0xFFFF if command & 1 == 0 else 300])
        addr = self.base + draw.randrange(self.size)
        if command & 2:
            addr = 4 * draw.randrange(600)
            length = max(4, length & -4) if draw.random() < 0.95 else length
        payload = draw.randbytes(length) if command & 1 else b""
        if command == Command.WRITE_MEMORY and draw.random() < 0.1:
            # a valid frame within the payload, for a receiver that continues after a wrong header
            payload = encode_request(command, sequence, addr, 0, draw.randbytes(8))
        return command, sequence, addr, len(payload) or length, payload

    def burst(self, last):
        """Return the damage and the bytes of the next burst.

        ``last`` is the sequence number of the request that the board executed last.
        """
        kind, count = self.counts.draw(self.draw)
        self._burst = [self._request((last + 1 + index) % 256) for index in range(count)]
        self.sent += count
        return kind, damage(self.draw, kind, [encode_request(*each) for each in self._burst])

    def count_errors(self, executed):
        """Return the number of requests of the last burst that were executed wrongly.

        The requests of a burst have consecutive sequence numbers. The executed requests must
        therefore be the first ones of the burst, in order, each once and without a gap.
        """
        wrong = sum(found != sent for found, sent in zip(executed, self._burst))
        return wrong + max(0, len(executed) - len(self._burst))
