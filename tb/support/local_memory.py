"""An on-chip memory for Amaranth's simulator, behind the ports of :mod:`weft.sram.ports`."""

import random

__all__ = ["LocalMemory"]


class LocalMemory:
    """Bytes that read and write ports share; accesses are refused at random.

    It takes the place of a scratchpad or weight buffer where their users are tested.

    Parameters
    ----------
    size : :class:`int`
        Bytes.
    stall : :class:`float`
        Chance, for each port and cycle, that it is not ready.
    read_latency : :class:`int`
        Cycles from an accepted request to its data.
    seed : :class:`int`
        For the stalls.
    """

    def __init__(self, size, *, stall=0.0, read_latency=3, seed=0):
        self.data = bytearray(size)
        self.stall = stall
        self.read_latency = read_latency
        self.random = random.Random(seed)

    def _go(self):
        return not self.stall or self.random.random() >= self.stall

    def writer(self, port):
        """The process that serves the write port ``port``."""
        async def process(ctx):
            payload = port.req.payload
            waiting = None
            async for _, _, valid, ready, addr, word, mask in ctx.tick().sample(
                    port.req.valid, port.req.ready, payload.addr, payload.data.as_value(),
                    payload.mask):
                assert waiting is None or valid and waiting == (addr, word, mask), (
                    "the request changed while it waited")
                waiting = (addr, word, mask) if valid and not ready else None
                if valid and ready:
                    for index in range(len(payload.mask)):
                        if mask >> index & 1:
                            self.data[(addr + index) % len(self.data)] = word >> 8 * index & 0xFF
                ctx.set(port.req.ready, self._go())
        return process

    def reader(self, port):
        """The process that serves the read port ``port``."""
        async def process(ctx):
            width = len(port.data.as_value()) // 8
            pipe = [None] * (self.read_latency - 1)
            waiting = None
            async for _, _, valid, ready, addr in ctx.tick().sample(
                    port.req.valid, port.req.ready, port.req.payload):
                assert waiting is None or valid and waiting == addr, (
                    "the request changed while it waited")
                waiting = addr if valid and not ready else None
                word = None
                if valid and ready:
                    word = sum(self.data[(addr + index) % len(self.data)] << 8 * index
                               for index in range(width))
                pipe.append(word)
                word = pipe.pop(0)
                ctx.set(port.valid, word is not None)
                # nobody may use what is there without valid
                ctx.set(port.data.as_value(),
                        self.random.getrandbits(8 * width) if word is None else word)
                ctx.set(port.req.ready, self._go())
        return process
