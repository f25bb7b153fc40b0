"""An on-chip memory for Amaranth's simulator, behind the ports of :mod:`weft.sram.ports`."""

import random

__all__ = ["LocalMemory"]


class LocalMemory:
    """Bytes that read and write ports share; accesses are put off at random.

    It takes the place of a scratchpad or weight buffer where their users are tested.

    Parameters
    ----------
    size : :class:`int`
        Bytes.
    stall : :class:`float`
        Chance, for each port and cycle, that a request is put off.
    read_latency : :class:`int`
        Cycles from an accepted request to its data at the earliest.
    seed : :class:`int`
        For the stalls.
    """

    def __init__(self, size, *, stall=0.0, read_latency=3, seed=0):
        self.data = bytearray(size)
        self.stall = stall
        self.read_latency = read_latency
        self.random = random.Random(seed)
        self.writes = 0             # that had a byte to write
        self._waiting = []          # of each port, what was accepted and not made

    def forget(self):
        """Drops all requests that have not been made."""
        for waiting in self._waiting:
            waiting.clear()

    def _go(self):
        return not self.stall or self.random.random() >= self.stall

    def _serve(self, ctx, port, waiting):
        """One cycle of a port: the oldest request is made, or put off; what was made."""
        made = waiting.pop(0) if waiting and self._go() else None
        ctx.set(port.conflict, bool(waiting) and made is None)
        return made

    def writer(self, port):
        """The process that serves the write port ``port``."""
        waiting = []
        self._waiting.append(waiting)

        async def process(ctx):
            payload = port.req.payload
            ctx.set(port.req.ready, 1)
            held = None
            async for _, _, valid, ready, *request in ctx.tick().sample(
                    port.req.valid, port.req.ready, payload.addr, payload.data.as_value(),
                    payload.mask, payload.last):
                assert held is None or valid and held == request, (
                    "the request changed while it waited")
                held = request if valid and not ready else None
                made = self._serve(ctx, port, waiting)
                if made is not None:
                    addr, word, mask, _ = made
                    self.writes += mask != 0
                    for index in range(len(payload.mask)):
                        if mask >> index & 1:
                            self.data[(addr + index) % len(self.data)] = word >> 8 * index & 0xFF
                ctx.set(port.done, made is not None and made[3])
                if valid and ready:
                    waiting.append(request)
                ctx.set(port.req.ready, len(waiting) < 2)
        return process

    def reader(self, port):
        """The process that serves the read port ``port``."""
        waiting = []
        self._waiting.append(waiting)

        async def process(ctx):
            width = len(port.data.as_value()) // 8
            pipe = [None] * (self.read_latency - 2)
            ctx.set(port.req.ready, 1)
            held = None
            async for _, _, valid, ready, addr in ctx.tick().sample(
                    port.req.valid, port.req.ready, port.req.payload):
                assert held is None or valid and held == addr, (
                    "the request changed while it waited")
                held = addr if valid and not ready else None
                if valid and ready and self.read_latency == 1:
                    waiting.append(addr)
                made = self._serve(ctx, port, waiting)
                if valid and ready and self.read_latency > 1:
                    waiting.append(addr)
                word = None
                if made is not None:
                    word = sum(self.data[(made + index) % len(self.data)] << 8 * index
                               for index in range(width))
                pipe.append(word)
                word = pipe.pop(0)
                ctx.set(port.valid, word is not None)
                # nobody may use what is there without valid
                ctx.set(port.data.as_value(),
                        self.random.getrandbits(8 * width) if word is None else word)
                ctx.set(port.req.ready, len(waiting) < 2)
        return process
