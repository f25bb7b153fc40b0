"""The VECTOR unit: bias, requantiser, clamp."""
