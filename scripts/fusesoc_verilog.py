"""FuseSoC generator ``weft_verilog``: the Verilog of a preset, and a core for it.

FuseSoC calls it in an empty folder with a YAML file that contains ``vlnv`` and ``parameters``.
"""

from __future__ import annotations

import pathlib
import sys
import typing
from collections.abc import Mapping

try:
    import yaml

    from weft.instance import make_accelerator
    from weft.spec.presets import preset
    from weft.verilog import to_verilog
except ImportError as error:
    sys.exit(f"weft_verilog: {sys.executable} lacks {error.name}; put a Python with Weft installed "
             "first on PATH, such as .venv/bin after make setup")

_PARAMETERS = ("preset", "set")


def generate(request: Mapping[str, typing.Any]) -> tuple[str, str]:
    """Return the texts of the Verilog file and of the core for a request of FuseSoC.

    Raises
    ------
    TypeError, ValueError
        If a parameter is unknown or the configuration is invalid.
    """
    parameters = request.get("parameters") or {}
    for name in parameters:
        if name not in _PARAMETERS:
            raise ValueError(f"no parameter {name!r}; there are {', '.join(_PARAMETERS)}")
    changes = parameters.get("set") or {}
    if not isinstance(changes, dict):
        raise TypeError(f"set must be names and values, not {changes!r}")
    name = parameters.get("preset", "small")
    if not isinstance(name, str):
        raise TypeError(f"preset must be a name, not {name!r}")
    config = preset(name, **changes)
    core = {
        "name": request["vlnv"],
        "filesets": {"rtl": {"files": [{"weft.v": {"file_type": "verilogSource-2005"}}]}},
        "targets": {"default": {"filesets": ["rtl"]}},
    }
    return (to_verilog(make_accelerator(config), "weft"),
            "CAPI=2:\n" + yaml.safe_dump(core, sort_keys=False))


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: fusesoc_verilog.py FILE.yml (called by FuseSoC)")
    request = yaml.safe_load(pathlib.Path(sys.argv[1]).read_text())
    try:
        verilog, core = generate(request)
    except (TypeError, ValueError) as error:
        sys.exit(f"weft_verilog: {error}")
    pathlib.Path("weft.v").write_text(verilog)
    pathlib.Path("weft.core").write_text(core)


if __name__ == "__main__":
    main()
