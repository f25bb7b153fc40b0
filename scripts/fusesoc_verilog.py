"""FuseSoC generator ``weft_verilog``: Verilog of a preset, its lint waivers, and their core.

FuseSoC calls it in an empty folder with a YAML file that contains ``vlnv`` and ``parameters``.
"""

from __future__ import annotations

import pathlib
import sys
import typing
from collections.abc import Mapping

try:
    import yaml

    from weft.spec.presets import preset
    from weft_host.verilog import lint_waivers, verilog_module
except ImportError as error:
    sys.exit(f"weft_verilog: {sys.executable} lacks {error.name}; put a Python with Weft installed "
             "first on PATH, such as .venv/bin after make setup")

_PARAMETERS = ("preset", "set", "top")


def generate(request: Mapping[str, typing.Any]) -> dict[str, str]:
    """Return the files for a request of FuseSoC by name, the Verilog first and the core last.

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
    top = parameters.get("top", "weft")
    if not isinstance(top, str):
        raise TypeError(f"top must be a name, not {top!r}")
    config = preset(name, **changes)
    core = {
        "name": request["vlnv"],
        "filesets": {"rtl": {"files": [{f"{top}.vlt": {"file_type": "vlt"}},
                                       {f"{top}.v": {"file_type": "verilogSource-2005"}}]}},
        "targets": {"default": {"filesets": ["rtl"]}},
    }
    return {f"{top}.v": verilog_module(config, top), f"{top}.vlt": lint_waivers(f"{top}.v", top),
            "weft.core": "CAPI=2:\n" + yaml.safe_dump(core, sort_keys=False)}


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: fusesoc_verilog.py FILE.yml (called by FuseSoC)")
    request = yaml.safe_load(pathlib.Path(sys.argv[1]).read_text())
    try:
        files = generate(request)
    except (TypeError, ValueError) as error:
        sys.exit(f"weft_verilog: {error}")
    for name, text in files.items():
        pathlib.Path(name).write_text(text)


if __name__ == "__main__":
    main()
