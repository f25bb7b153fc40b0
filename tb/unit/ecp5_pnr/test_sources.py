"""Files that kept results depend on."""

from pathlib import Path

import ecp5_pnr
from ecp5_pnr.sources import refiner_sources, router_sources


def test_every_file_belongs_to_a_step():
    package = Path(ecp5_pnr.__file__).parent
    files = {path for path in package.rglob("*")
             if path.suffix in (".py", ".cc", ".h") and path.is_file()}
    others = {package / name for name in ("__init__.py", "permutations.py", "sources.py")}
    assert files == {*refiner_sources(), *router_sources(), *others}


def test_a_change_of_the_router_keeps_the_placements():
    names = {path.name for path in refiner_sources()}
    assert not names & {"router.py", "pin_wires.py", "negotiation.cc"}
