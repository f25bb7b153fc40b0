"""Faster forms of the C++ that Yosys writes with ``write_cxxrtl``.

CXXRTL writes a method of thousands of statements, whose operations are templates for any number of
bits; registers are copied one by one. Four functions change that, in this order:

- :func:`plain_integers` writes the statements as operations on integers;
- :func:`sort_updates` sorts the updates of the registers, so that the C++ compiler finds vectors;
- :func:`split` divides the methods into short ones, which compile faster;
- :func:`gather_registers` stores the registers side by side, so that one copy updates all of them.

Before Yosys writes the C++, :func:`drop_aliases` removes connections that it takes for loops.
"""

from .aliases import drop_aliases
from .registers import gather_registers, sort_updates
from .split import split
from .statements import plain_integers

__all__ = ["drop_aliases", "gather_registers", "plain_integers", "sort_updates", "split"]
