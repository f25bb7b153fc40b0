"""One clock cycle at a time in Amaranth's simulator."""

__all__ = ["sampled"]


async def sampled(ctx, *signals):
    """Waits for the next clock edge; the values that ``signals`` had there, as a tuple."""
    _, _, *values = await ctx.tick().sample(*signals)
    return tuple(values)
