"""Source files that the results of each step depend on, for builds that keep their results."""

from __future__ import annotations

from pathlib import Path

__all__ = ["refiner_sources", "router_sources"]

_HERE = Path(__file__).parent
_SHARED = ("bels.py", "cell_timing.py", "native.py", "placed_design.py")


def refiner_sources() -> list[Path]:
    """Return the files that a refined placement depends on."""
    return _sources("refiner", "refiner.py")


def router_sources() -> list[Path]:
    """Return the files that the routes of a placed netlist depend on."""
    return _sources("router", "router.py", "pin_wires.py")


def _sources(program: str, *modules: str) -> list[Path]:
    native = [path for folder in ("common", program)
              for path in sorted((_HERE / "native" / folder).iterdir())]
    return [*(_HERE / module for module in (*_SHARED, *modules)), *native]
