"""Instructions one after the other, as bytes; tokens are added here."""

from weft.spec import isa

__all__ = ["chain"]


def chain(steps):
    """A program in which each instruction starts after the one before it is done.

    Parameters
    ----------
    steps : iterable of (:class:`str`, :class:`dict`)
        Name and fields of each instruction, without ``wait`` and ``signal``.

    Returns
    -------
    :class:`bytes`

    Raises
    ------
    ValueError
        If there is no such instruction or field, or a value does not fit its field.

    """
    steps = list(steps)
    units = []
    for name, _ in steps:
        if name not in isa.BY_NAME:
            raise ValueError(f"no instruction {name!r}; there are {', '.join(isa.BY_NAME)}")
        units.append(isa.BY_NAME[name].unit)
    code = []
    for index, (name, fields) in enumerate(steps):
        wait = signal = 0
        if index and units[index - 1] != units[index]:
            wait = 1 << units[index - 1]
        if index + 1 < len(steps) and units[index + 1] != units[index]:
            signal = 1 << units[index + 1]
        code.append(isa.encode(name, wait=wait, signal=signal, **fields))
    return b"".join(code)
