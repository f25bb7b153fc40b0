"""On-chip memories: scratchpad, weight buffer, accumulators."""
