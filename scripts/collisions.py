"""Spares the logic that defines a read of a memory's row in the cycle in which it is written.

Memories whose contract leaves that open carry the attribute ``no_rw_check``. Yosys heeds it only
where it makes a clocked read port itself, out of a register, and not where the netlist has one.
"""

import re

__all__ = ["leave_collisions_open"]

_MODULE = re.compile(r"^module \S+$.*?^end$", re.MULTILINE | re.DOTALL)
_MEMORY = re.compile(r"^  memory width \d+ size \d+ (\S+)$", re.MULTILINE)
_READ = re.compile(r"^  cell \$memrd_v2 .*?^  end$", re.MULTILINE | re.DOTALL)
_MASK = re.compile(r"(parameter \\COLLISION_X_MASK )(\d+)'0+$", re.MULTILINE)
_APART = re.compile(r"parameter \\TRANSPARENCY_MASK \d+'0+$", re.MULTILINE)


def leave_collisions_open(rtlil):
    """RTLIL text with ``COLLISION_X_MASK`` set in all read ports of such memories."""
    return _MODULE.sub(lambda module: _of_module(module.group()), rtlil)


def _of_module(module):
    lines = module.splitlines()
    open_ones = set()
    attributes = []
    for line in lines:
        if line.startswith("  attribute "):
            attributes.append(line)
            continue
        memory = _MEMORY.match(line)
        if memory and "  attribute \\no_rw_check 1" in attributes:
            open_ones.add(memory.group(1))
        attributes = []

    def patched(cell):
        text = cell.group()
        name = re.search(r'parameter \\MEMID "(.*)"$', text, re.MULTILINE).group(1)
        # one that shows what is being written defines its reads by that
        if name.replace("\\\\", "\\") not in open_ones or not _APART.search(text):
            return text
        return _MASK.sub(lambda mask: f"{mask[1]}{mask[2]}'{'1' * int(mask[2])}", text)

    return _READ.sub(patched, module) if open_ones else module
