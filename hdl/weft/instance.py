"""Choice between the two implementations of the accelerator."""

from .accelerator import Accelerator
from .compact.accelerator import CompactAccelerator

__all__ = ["make_accelerator"]


def make_accelerator(config, *, observe=False):
    """Return :class:`Accelerator`, or :class:`CompactAccelerator` if ``config`` is ``compact``.

    Both have the same ports.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration of the accelerator.
    observe : :class:`bool`
        Add the ports ``o_queued``, ``o_issued`` and ``o_done`` for simulation traces.
    """
    kind = CompactAccelerator if config.compact else Accelerator
    return kind(config, observe=observe)
