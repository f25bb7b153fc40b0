"""Conversion between the words of registers and their fields."""

from weft.spec import register_map

__all__ = ["pack", "unpack"]


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
