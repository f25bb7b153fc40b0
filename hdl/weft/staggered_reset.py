"""Reset of several components in consecutive cycles."""

from amaranth.hdl import Module, ResetInserter, Signal

__all__ = ["add_with_staggered_reset"]


def add_with_staggered_reset(m: Module, clear, parts):
    """Add components to ``m`` as submodules, each of which is reset one cycle after the previous.

    Every component has a reset register of its own, so that no reset net spans the core.

    Parameters
    ----------
    clear : 1 bit
        Common reset. The first component is reset one cycle after it.
    parts : iterable of (:class:`str`, component)
        Names of the submodules and the components, in the order of their resets.

    Returns
    -------
    :class:`Signal`
        Reset register of the last component.
    """
    for name, part in parts:
        previous, clear = clear, Signal(name=f"clear_{name}")
        m.d.sync += clear.eq(previous)
        m.submodules[name] = ResetInserter(clear)(part)
    return clear
