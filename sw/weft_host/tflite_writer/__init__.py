"""Writer of small .tflite files, for tests and for networks trained in this tree."""

from .writer import CODES, OPERATORS, ModelWriter

__all__ = ["CODES", "OPERATORS", "ModelWriter"]
