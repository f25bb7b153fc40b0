"""Model of an on-chip memory for Amaranth's simulator, with ports of :mod:`weft.sram.ports`."""

import random

from .setter import setter

__all__ = ["LocalMemory"]


class LocalMemory:
    """Memory with any number of read and write ports whose requests are stalled at random.

    It replaces a scratchpad or a weight buffer in tests of their users.

    Parameters
    ----------
    size : :class:`int`
        Size in bytes.
    stall : :class:`float`
        Probability, for each port and cycle, that a request is stalled.
    read_latency : :class:`int`
        Cycles from an accepted request to its data without a stall.
    seed : :class:`int`
        Seed of the stalls.
    """

    def __init__(self, size, *, stall=0.0, read_latency=3, seed=0):
        self.data = bytearray(size)
        self.stall = stall
        self.read_latency = read_latency
        self.random = random.Random(seed)
        self.writes = 0             # granted writes with at least one byte
        self._waiting = []          # for each port, requests accepted and not granted

    def flush(self):
        """Discard all requests that are not granted."""
        for waiting in self._waiting:
            waiting.clear()

    def _grant(self, waiting, set_conflict):
        """Grant or stall the oldest request of a port, and return it if it was granted."""
        grant = waiting and (not self.stall or self.random.random() >= self.stall)
        granted = waiting.pop(0) if grant else None
        set_conflict(bool(waiting) and granted is None)
        return granted

    def writer(self, port):
        """Return the process that serves the write port ``port``."""
        waiting = []
        self._waiting.append(waiting)

        async def process(ctx):
            payload = port.req.payload
            bytes_count = len(payload.mask)
            set_ready, set_conflict, set_done = (
                setter(ctx, signal) for signal in (port.req.ready, port.conflict, port.done))
            set_ready(1)
            stalled = None
            async for _, _, valid, ready, *request in ctx.tick().sample(
                    port.req.valid, port.req.ready, payload.addr, payload.data.as_value(),
                    payload.mask, payload.last):
                assert stalled is None or valid and stalled == request, (
                    "the request changed while it was not accepted")
                stalled = request if valid and not ready else None
                granted = self._grant(waiting, set_conflict)
                if granted is not None:
                    addr, word, mask, _ = granted
                    self.writes += mask != 0
                    for index in range(bytes_count):
                        if mask >> index & 1:
                            self.data[(addr + index) % len(self.data)] = word >> 8 * index & 0xFF
                set_done(granted is not None and granted[3])
                if valid and ready:
                    waiting.append(request)
                set_ready(len(waiting) < 2)
        return process

    def reader(self, port):
        """Return the process that serves the read port ``port``."""
        waiting = []
        self._waiting.append(waiting)

        async def process(ctx):
            data = port.data.as_value()
            width = len(data) // 8
            set_ready, set_conflict, set_valid, set_data = (
                setter(ctx, signal)
                for signal in (port.req.ready, port.conflict, port.valid, data))
            pipe = [None] * (self.read_latency - 2)
            set_ready(1)
            stalled = None
            async for _, _, valid, ready, addr in ctx.tick().sample(
                    port.req.valid, port.req.ready, port.req.payload):
                assert stalled is None or valid and stalled == addr, (
                    "the request changed while it was not accepted")
                stalled = addr if valid and not ready else None
                if valid and ready and self.read_latency == 1:
                    waiting.append(addr)
                granted = self._grant(waiting, set_conflict)
                if valid and ready and self.read_latency > 1:
                    waiting.append(addr)
                word = None
                if granted is not None:
                    word = sum(self.data[(granted + index) % len(self.data)] << 8 * index
                               for index in range(width))
                pipe.append(word)
                word = pipe.pop(0)
                set_valid(word is not None)
                # random without valid, so that no user can depend on it
                set_data(self.random.getrandbits(8 * width) if word is None else word)
                set_ready(len(waiting) < 2)
        return process
