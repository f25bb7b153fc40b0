"""Option for memories: the result of reading a row in the cycle in which it is written is open.

Memories with the attribute ``no_rw_check`` need no logic that defines such a read. Yosys respects
the attribute where it makes a clocked read port itself, out of a register, but not where the
netlist has such a port already.
"""

from __future__ import annotations

import re

__all__ = ["leave_collisions_undefined"]

_MODULE = re.compile(r"^module \S+$.*?^end$", re.MULTILINE | re.DOTALL)
_MEMORY = re.compile(r"^  memory width \d+ size \d+ (\S+)$", re.MULTILINE)
_READ = re.compile(r"^  cell \$memrd_v2 .*?^  end$", re.MULTILINE | re.DOTALL)
_COLLISION_MASK = re.compile(r"(parameter \\COLLISION_X_MASK )(\d+)'0+$", re.MULTILINE)
_NOT_TRANSPARENT = re.compile(r"parameter \\TRANSPARENCY_MASK \d+'0+$", re.MULTILINE)


def leave_collisions_undefined(rtlil: str) -> str:
    """Return RTLIL text with ``COLLISION_X_MASK`` set in the read ports of such memories."""
    return _MODULE.sub(lambda module: _edit_module(module.group()), rtlil)


def _edit_module(module: str) -> str:
    undefined = set()
    attributes: list[str] = []
    for line in module.splitlines():
        if line.startswith("  attribute "):
            attributes.append(line)
            continue
        memory = _MEMORY.match(line)
        if memory and "  attribute \\no_rw_check 1" in attributes:
            undefined.add(memory.group(1))
        attributes = []

    def edit_port(cell: re.Match[str]) -> str:
        text = cell.group()
        name = re.search(r'parameter \\MEMID "(.*)"$', text, re.MULTILINE)
        assert name, "yosys' $memrd_v2 has a parameter MEMID"
        # a transparent port defines the result: the word that is written
        if name.group(1).replace("\\\\", "\\") not in undefined \
                or not _NOT_TRANSPARENT.search(text):
            return text
        return _COLLISION_MASK.sub(lambda mask: f"{mask[1]}{mask[2]}'{'1' * int(mask[2])}", text)

    return _READ.sub(edit_port, module) if undefined else module
