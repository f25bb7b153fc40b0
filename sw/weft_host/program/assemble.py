"""Assembler for strictly sequential programs, which adds the tokens."""

from collections.abc import Iterable, Mapping

from weft.spec import isa

__all__ = ["chain"]


def chain(steps: Iterable[tuple[str, Mapping[str, int]]]) -> bytes:
    """Encode a program in which each instruction starts after the previous one has finished.

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
        If there is no such instruction or field, or if a value does not fit its field.
    """
    steps = list(steps)
    units: list[int] = []
    for name, _ in steps:
        if name not in isa.BY_NAME:
            raise ValueError(f"no instruction {name!r}; there are {', '.join(isa.BY_NAME)}")
        units.append(isa.BY_NAME[name].unit)
    code: list[bytes] = []
    for index, (name, fields) in enumerate(steps):
        wait = signal = 0
        if index and units[index - 1] != units[index]:
            wait = 1 << units[index - 1]
        if index + 1 < len(steps) and units[index + 1] != units[index]:
            signal = 1 << units[index + 1]
        code.append(isa.encode(name, wait=wait, signal=signal, **fields))
    return b"".join(code)
