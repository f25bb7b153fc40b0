"""Registers by name, and conversion between their words and fields."""

from weft.spec import register_map

from .errors import RegisterError

__all__ = ["check_word", "find_register", "pack", "unpack"]


def find_register(name: str) -> register_map.Register:
    """Return the description of register ``name``.

    Raises
    ------
    RegisterError
        If there is no such register.
    """
    if name not in register_map.BY_NAME:
        raise RegisterError(f"there is no register {name!r}; there are "
                            f"{', '.join(register_map.BY_NAME)}")
    return register_map.BY_NAME[name]


def check_word(name: str, value: int) -> None:
    """Check that ``value`` is a word that register ``name`` can be written with.

    Raises
    ------
    ValueError
        If the value has more than 32 bits or is negative.
    """
    if not 0 <= value < 1 << 32:
        raise ValueError(f"register {name} must be written with a word from 0 to 0xffffffff, "
                         f"not {value:#x}")


def pack(name: str, **values: int) -> int:
    """Return the word of register ``name`` with the given fields; all other fields are 0."""
    word = 0
    for key, value in values.items():
        bits = register_map.BY_NAME[name].bits(key)
        word |= (int(value) & (1 << bits.width) - 1) << bits.offset
    return word


def unpack(name: str, word: int) -> dict[str, int]:
    """Return the fields of a word of register ``name``."""
    return {bits.name: word >> bits.offset & (1 << bits.width) - 1
            for bits in register_map.BY_NAME[name].fields}
