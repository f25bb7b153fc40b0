"""Edits of Yosys' netlists between synthesis and place and route."""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
from collections.abc import Iterator
from typing import Any

from weft_host.atomic_file import write_atomically

__all__ = ["edit_netlist", "natural_key"]


@contextlib.contextmanager
def edit_netlist(path: pathlib.Path) -> Iterator[dict[str, Any]]:
    """Yield the netlist in ``path``, which is written with its changes at the end."""
    netlist = json.loads(path.read_text())
    yield netlist
    write_atomically(path, json.dumps(netlist))


def natural_key(name: str) -> list[tuple[int, str]]:
    """Return a key for sorting in which ``name.10`` comes after ``name.9``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
