"""The parts of the cycle model: when each piece of the hardware does what, without its data."""
