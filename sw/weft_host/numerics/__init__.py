"""Integer arithmetic that reproduces the reference kernels bit for bit."""
