"""Weft: an AI-inference accelerator in Amaranth.

Importing this package loads neither Amaranth nor any gateware; :mod:`weft.config`,
:mod:`weft.presets`, :mod:`weft.control.isa` and :mod:`weft.control.regmap` are plain data that
the host software shares with the hardware.
"""

__version__ = "0.1.0"
