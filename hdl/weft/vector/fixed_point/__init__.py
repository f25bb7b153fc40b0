"""Fixed-point instructions of VECTOR: COMPUTE, SOLVE and DRAIN_PLANES."""
