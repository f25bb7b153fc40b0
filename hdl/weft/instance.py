"""The accelerator that a configuration asks for."""

from .accelerator import Accelerator
from .compact.accelerator import CompactAccelerator

__all__ = ["make_accelerator"]


def make_accelerator(config, *, observe=False):
    """:class:`Accelerator`, or with ``compact`` :class:`CompactAccelerator`: the same ports.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    observe : :class:`bool`
        Add ports for traces of a simulation.
    """
    kind = CompactAccelerator if config.compact else Accelerator
    return kind(config, observe=observe)
