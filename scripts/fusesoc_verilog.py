"""FuseSoC's generator ``weft_verilog``: the Verilog of a preset, and a core around it.

FuseSoC calls it in an empty folder with a YAML file that holds ``vlnv`` and ``parameters``.
"""

import pathlib
import sys

try:
    import yaml

    from weft.instance import make_accelerator
    from weft.spec.presets import preset
    from weft.verilog import to_verilog
except ImportError as error:
    sys.exit(f"weft_verilog: {sys.executable} lacks {error.name}; put a Python with Weft installed "
             "first on PATH, such as the .venv/bin that make setup makes")

_PARAMETERS = ("preset", "set")


def generate(request):
    """``(Verilog, core)`` for what FuseSoC asks: texts.

    Raises
    ------
    TypeError, ValueError
        If there is no such parameter, or if the configuration cannot work.
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


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: fusesoc_verilog.py FILE.yml; FuseSoC calls it")
    request = yaml.safe_load(pathlib.Path(sys.argv[1]).read_text())
    try:
        verilog, core = generate(request)
    except (TypeError, ValueError) as error:
        sys.exit(f"weft_verilog: {error}")
    pathlib.Path("weft.v").write_text(verilog)
    pathlib.Path("weft.core").write_text(core)


if __name__ == "__main__":
    main()
