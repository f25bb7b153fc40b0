"""Parts of a program from the header and the sections of its file, which is not trusted."""

import itertools
from collections.abc import Iterable
from typing import Any

from weft.spec.config import Config

from .tensor import HostStep, Tensor, Window

__all__ = ["parts_of_file"]

MOST_MEMORY = 1 << 32       # bytes that addresses of 32 bits reach
_KINDS: tuple[tuple[str, Any], ...] = (
    ("inputs", Tensor), ("outputs", Tensor), ("tensors", Tensor), ("windows", Window),
    ("host_steps", HostStep))
_INTEGERS = ("offset", "size", "shape", "strides")


def parts_of_file(header: dict[str, Any], sections: memoryview) -> dict[str, Any]:
    """Return the arguments of :class:`weft_host.Program`.

    All sizes are checked against the length of the sections before these are copied.

    Parameters
    ----------
    header : dict
        Header of the file, parsed.
    sections : memoryview
        Instructions, constants and attachments.

    Raises
    ------
    ProgramError, AttributeError, KeyError, TypeError, ValueError, OverflowError
        If the header contradicts itself or the sections, or lacks a part.
    """
    config = Config(**header["config"])
    if config.fingerprint != header["fingerprint"]:
        raise ValueError(f"fingerprint {header['fingerprint']:08x} is not that of its "
                         f"configuration, {config.fingerprint:08x}")
    memory_bytes = header["memory_bytes"]
    if type(memory_bytes) is not int or not 0 <= memory_bytes <= MOST_MEMORY:
        raise ValueError(f"memory_bytes is {str(memory_bytes)[:40]} instead of a number from 0 to "
                         f"{MOST_MEMORY}")
    attachments = header.get("attachments", [])
    lengths = [header["instructions"], *(size for _, size in header["image"]),
               *(size for _, size in attachments)]
    if any(type(size) is not int or size < 0 for size in lengths):
        raise ValueError("the size of a section is not a number from 0 on")
    if sum(lengths) != len(sections):
        raise ValueError(f"the sections have {len(sections)} bytes, but only {sum(lengths)} are "
                         "used")
    instructions, *rest = (bytes(sections[end - size:end]) for size, end in zip(
        lengths, itertools.accumulate(lengths), strict=True))
    image = [(at, raw) for (at, _), raw in zip(header["image"], rest)]
    if not isinstance(header["meta"], dict):
        raise ValueError("meta is not an object")
    parts: dict[str, Any] = {
        "config": config, "instructions": instructions, "memory_bytes": memory_bytes,
        "image": tuple(image), "meta": header["meta"], "attachments": dict(zip(
            (str(name) for name, _ in attachments), rest[len(image):], strict=True))}
    for name, kind in _KINDS:
        _check_integers(name, header[name])
        parts[name] = tuple(kind(**item) for item in header[name])
    return parts


def _check_integers(what: str, items: Iterable[dict[str, Any]]) -> None:
    """Check that sizes and offsets are integers, where ``None`` stands for a missing one."""
    for item in items:
        for name in _INTEGERS:
            value = item.get(name)
            for number in value if isinstance(value, list) else [value]:
                if number is not None and type(number) is not int:
                    raise ValueError(f"{name} of {what} is {str(number)[:40]} instead of an "
                                     "integer")
