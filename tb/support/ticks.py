"""Sampling of signals at a clock edge in Amaranth's simulator."""

__all__ = ["sampled"]


async def sampled(ctx, *signals):
    """Wait for the next clock edge and return the values of ``signals`` at it, as a tuple."""
    _, _, *values = await ctx.tick().sample(*signals)
    return tuple(values)
