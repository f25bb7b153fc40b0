"""Drivers for streams in Amaranth's simulator, with random stalls."""

import random

__all__ = ["STALL_PATTERNS", "Stalls", "put", "put_all", "get", "get_all"]

STALL_PATTERNS = ("none", "light", "heavy", "bursts")


class Stalls:
    """Iterator of the idle cycles before each transfer of a stream.

    ``pattern`` is one of :data:`STALL_PATTERNS`: no stalls, one cycle in five, four cycles in
    five, or runs of up to ten cycles.
    """

    def __init__(self, pattern="none", seed=0):
        if pattern not in STALL_PATTERNS:
            raise ValueError(f"pattern must be one of {STALL_PATTERNS}, not {pattern!r}")
        self.pattern = pattern
        self.random = random.Random(f"{pattern}/{seed}")

    def __iter__(self):
        return self

    def __next__(self):
        draw = self.random.random()
        if self.pattern == "none":
            return 0
        if self.pattern == "bursts":
            return self.random.randint(1, 10) if draw < 0.1 else 0
        idle = 0
        while draw < (0.2 if self.pattern == "light" else 0.8):
            idle += 1
            draw = self.random.random()
        return idle


async def put(ctx, stream, payload):
    """Send one payload and return after the cycle in which it was accepted."""
    ctx.set(stream.payload, payload)
    ctx.set(stream.valid, 1)
    await ctx.tick().until(stream.ready)
    ctx.set(stream.valid, 0)


async def put_all(ctx, stream, payloads, stalls=None):
    """Send all payloads, with idle cycles from ``stalls`` before each."""
    for payload in payloads:
        if stalls is not None and (idle := next(stalls)):
            await ctx.tick().repeat(idle)
        await put(ctx, stream, payload)


async def get(ctx, stream):
    """Receive one payload and return it after the cycle in which it was accepted."""
    ctx.set(stream.ready, 1)
    payload, = await ctx.tick().sample(stream.payload).until(stream.valid)
    ctx.set(stream.ready, 0)
    return payload


async def get_all(ctx, stream, count, stalls=None):
    """Receive ``count`` payloads, with idle cycles from ``stalls`` before each; return a list."""
    taken = []
    for _ in range(count):
        if stalls is not None and (idle := next(stalls)):
            await ctx.tick().repeat(idle)
        taken.append(await get(ctx, stream))
    return taken
