"""Writer of small .tflite files, for tests and for networks that are trained in this tree."""

from .serialize import CODES
from .writer import OPERATORS, ModelWriter

__all__ = ["CODES", "OPERATORS", "ModelWriter"]
