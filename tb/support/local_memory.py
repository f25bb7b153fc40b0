"""Model of an on-chip memory for Amaranth's simulator, with ports of :mod:`weft.sram.ports`."""

import random

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

    def _grant(self, ctx, port, waiting):
        """Grant or stall the oldest request of a port, and return it if it was granted."""
        grant = waiting and (not self.stall or self.random.random() >= self.stall)
        granted = waiting.pop(0) if grant else None
        ctx.set(port.conflict, bool(waiting) and granted is None)
        return granted

    def writer(self, port):
        """Return the process that serves the write port ``port``."""
        waiting = []
        self._waiting.append(waiting)

        async def process(ctx):
            payload = port.req.payload
            ctx.set(port.req.ready, 1)
            stalled = None
            async for _, _, valid, ready, *request in ctx.tick().sample(
                    port.req.valid, port.req.ready, payload.addr, payload.data.as_value(),
                    payload.mask, payload.last):
                assert stalled is None or valid and stalled == request, (
                    "the request changed while it was not accepted")
                stalled = request if valid and not ready else None
                granted = self._grant(ctx, port, waiting)
                if granted is not None:
                    addr, word, mask, _ = granted
                    self.writes += mask != 0
                    for index in range(len(payload.mask)):
                        if mask >> index & 1:
                            self.data[(addr + index) % len(self.data)] = word >> 8 * index & 0xFF
                ctx.set(port.done, granted is not None and granted[3])
                if valid and ready:
                    waiting.append(request)
                ctx.set(port.req.ready, len(waiting) < 2)
        return process

    def reader(self, port):
        """Return the process that serves the read port ``port``."""
        waiting = []
        self._waiting.append(waiting)

        async def process(ctx):
            width = len(port.data.as_value()) // 8
            pipe = [None] * (self.read_latency - 2)
            ctx.set(port.req.ready, 1)
            stalled = None
            async for _, _, valid, ready, addr in ctx.tick().sample(
                    port.req.valid, port.req.ready, port.req.payload):
                assert stalled is None or valid and stalled == addr, (
                    "the request changed while it was not accepted")
                stalled = addr if valid and not ready else None
                if valid and ready and self.read_latency == 1:
                    waiting.append(addr)
                granted = self._grant(ctx, port, waiting)
                if valid and ready and self.read_latency > 1:
                    waiting.append(addr)
                word = None
                if granted is not None:
                    word = sum(self.data[(granted + index) % len(self.data)] << 8 * index
                               for index in range(width))
                pipe.append(word)
                word = pipe.pop(0)
                ctx.set(port.valid, word is not None)
                # random without valid, so that no user can depend on it
                ctx.set(port.data.as_value(),
                        self.random.getrandbits(8 * width) if word is None else word)
                ctx.set(port.req.ready, len(waiting) < 2)
        return process
