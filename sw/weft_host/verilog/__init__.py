"""Verilog to hand over: one file for a configuration, its lint waivers, and an instantiation."""

from .instantiation import instantiation
from .lint_waivers import lint_waivers
from .module_file import verilog_module

__all__ = ["instantiation", "lint_waivers", "verilog_module"]
