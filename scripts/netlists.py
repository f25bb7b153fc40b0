"""yosys' netlists between synthesis and place and route."""

import contextlib
import json
import re

__all__ = ["changing", "natural"]


@contextlib.contextmanager
def changing(path):
    """The netlist in ``path``, to be changed in place; all of it is written at the end, or none."""
    netlist = json.loads(path.read_text())
    yield netlist
    whole = path.with_suffix(".whole")
    whole.write_text(json.dumps(netlist))
    whole.replace(path)


def natural(name):
    """Key of an order in which ``name.10`` comes after ``name.9``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
