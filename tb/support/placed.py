"""Placed ECP5 designs, built cell by cell, for tests of the programs that read them."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Placed"]


class Placed:
    """Design with a bel for each cell, in the format of nextpnr's netlists."""

    def __init__(self) -> None:
        self.cells: dict[str, dict[str, Any]] = {}
        self.bits = 0

    def bit(self) -> int:
        """Return a new bit."""
        self.bits += 1
        return self.bits

    def add(self, name: str, kind: str, bel: str, outputs: Sequence[str] = (),
            parameters: Mapping[str, str] | None = None, **inputs: int) -> Any:
        """Add a cell; return the bits of its outputs, or the bit if it has one output."""
        bits = [self.bit() for _ in outputs]
        self.cells[name] = {
            "type": kind, "parameters": dict(parameters or {}),
            "attributes": {"NEXTPNR_BEL": bel, "BEL_STRENGTH": "1"},
            "port_directions": {**dict.fromkeys(outputs, "output"),
                                **dict.fromkeys(inputs, "input")},
            "connections": {**{port: [bit] for port, bit in zip(outputs, bits)},
                            **{port: [bit] for port, bit in inputs.items()}}}
        return bits if len(bits) != 1 else bits[0]

    def write(self, path: pathlib.Path) -> None:
        """Write the netlist."""
        path.write_text(json.dumps({"modules": {"top": {"cells": self.cells}}}))
