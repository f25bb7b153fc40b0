"""Damaged files: seeded changes of intact ones."""

import json
import re
import struct

__all__ = ["damage_binary", "damage_json"]

_HUGE = (2**64 - 1, 2**63, 2**63 - 1, 2**62, 2**48, 2**32, 2**31, 2**31 - 1, 2**20, 0)
_NUMBER = re.compile(r"(?<![\w.\"])-?\d+(?:\.\d+)?")
_VALUES = ("-1", "0", "1e400", "NaN", "null", "true", "[]", "{}", '"text"', "[[[[]]]]", "3.5",
           "1" * 30, "18446744073709551615", "4294967296", "1" * 5000)


def damage_binary(data, header, rng):
    """Return a name and a damaged copy of a binary file.

    Parameters
    ----------
    data : :class:`bytes`
    header : :class:`int`
        Number of bytes in front of the tensors' data, where most of the damage is done.
    rng : :class:`random.Random`
    """
    found = bytearray(data)
    kind = rng.choice(("truncated", "bits", "bits anywhere", "count", "type", "not a number",
                       "zeros", "moved", "grown"))
    at = rng.randrange(header)
    if kind == "truncated":
        del found[rng.choice((at, rng.randrange(len(found)))):]
    elif kind in ("bits", "bits anywhere"):
        for _ in range(rng.randint(1, 8)):
            byte = rng.randrange(header if kind == "bits" else len(found))
            found[byte] ^= 1 << rng.randrange(8)
    elif kind == "count":
        at = rng.choice((8, 16, at))        # the counts of a GGUF file, or any length
        found[at:at + 8] = struct.pack("<Q", rng.choice(_HUGE))
    elif kind == "type":
        found[at:at + 4] = struct.pack("<I", rng.randrange(48))
    elif kind == "not a number":
        at = rng.randrange(header, len(found) - 2)
        bits = rng.choice((0x7C00, 0x7E00, 0xFC00, 0x7F80, 0xFFC0))
        found[at:at + 2] = bits.to_bytes(2, "little")
    elif kind == "zeros":
        found[at:at + rng.randint(1, 64)] = bytes(rng.randint(1, 64))
    elif kind == "moved":
        del found[at:at + rng.randint(1, 16)]
    else:
        found[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 16)))
    return kind, bytes(found)


def damage_json(text, rng):
    """Return a name and a damaged copy of a JSON text, as bytes.

    Parameters
    ----------
    text : :class:`str`
    rng : :class:`random.Random`
    """
    kind = rng.choice(("value",) * 3 + ("missing", "twice", "nested", "truncated", "bits"))
    if kind == "value":
        numbers = list(_NUMBER.finditer(text))
        found = rng.choice(numbers)
        return kind, (text[:found.start()] + rng.choice(_VALUES) + text[found.end():]).encode()
    if kind in ("missing", "twice"):
        value = json.loads(text)
        name = rng.choice(sorted(value))
        member = f"{json.dumps(name)}: {json.dumps(value[name])}"
        if kind == "missing":
            del value[name]
            return kind, json.dumps(value).encode()
        return kind, f"{{{member}, {json.dumps(value)[1:]}".encode()
    if kind == "nested":
        return kind, b'{"a": ' + b"[" * 100000 + b"]" * 100000 + b"}"
    data = bytearray(text.encode())
    if kind == "truncated":
        return kind, bytes(data[:rng.randrange(len(data))])
    for _ in range(rng.randint(1, 4)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return kind, bytes(data)
