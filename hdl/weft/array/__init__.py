"""The systolic array and the MATMUL unit that drives it."""
