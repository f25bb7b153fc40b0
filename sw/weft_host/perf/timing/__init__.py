"""Timing models of the hardware's parts, for the cycle model: cycles without data."""
