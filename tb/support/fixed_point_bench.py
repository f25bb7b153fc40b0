"""Test bench of the VECTOR unit with the fixed-point instructions."""

import random

from models.fixed_point import FixedPointModel, FixedPointPrograms
from support.vector_bench import VectorBench

__all__ = ["FixedPointBench"]


class FixedPointBench(VectorBench):
    """VECTOR unit that is compared with the emulator's COMPUTE, SOLVE and DRAIN_PLANES.

    Attributes
    ----------
    programs : :class:`models.fixed_point.FixedPointPrograms`
        Instructions whose operands lie in the scratchpad of the bench.
    rng : :class:`random.Random`
    """

    def __init__(self, config, **parameters):
        super().__init__(config, **parameters)
        self.model = FixedPointModel(config, self.seed)
        self.rng = random.Random(f"programs/{self.seed}")
        self.programs = FixedPointPrograms(self.rng, config, self.model.spad)

    def run(self, program, **parameters):
        """Execute ``program`` on the unit and the model, and compare the whole scratchpad."""
        self.memory.data[:] = self.model.spad
        super().run(program, **parameters)
