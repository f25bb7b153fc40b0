"""Placed ECP5 designs, built cell by cell, for tests of the placement tools."""

import json

__all__ = ["Placed"]


class Placed:
    """Design with a location for each cell, in nextpnr's JSON format."""

    def __init__(self):
        self.cells, self.bits = {}, 0

    def bit(self):
        self.bits += 1
        return self.bits

    def add(self, name, kind, bel, outputs=(), parameters=None, **inputs):
        """Add a cell and return the bits of its outputs."""
        bits = [self.bit() for _ in outputs]
        self.cells[name] = {
            "type": kind, "parameters": parameters or {},
            "attributes": {"NEXTPNR_BEL": bel, "BEL_STRENGTH": "1"},
            "port_directions": {**dict.fromkeys(outputs, "output"),
                                **dict.fromkeys(inputs, "input")},
            "connections": {**{port: [bit] for port, bit in zip(outputs, bits)},
                            **{port: [bit] for port, bit in inputs.items()}}}
        return bits if len(bits) != 1 else bits[0]

    def write(self, path):
        path.write_text(json.dumps({"modules": {"top": {"cells": self.cells}}}))
