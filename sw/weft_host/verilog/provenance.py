"""Origin of a generated file: version, licence, parameters, and the command that makes it again."""

from collections.abc import Iterator

import weft
from weft.spec.config import Config

from ..configuration import resolve_config
from ..errors import ConfigurationError

__all__ = ["command", "origin"]

LICENCE = "SPDX-License-Identifier: Apache-2.0"


def _settings(config: Config) -> tuple[str, dict[str, str | int | bool | None]]:
    """Return a preset or a board, and the parameters in which the configuration differs from it."""
    usual = "icebreaker" if config.compact else "small"      # --set cannot change compact
    try:
        base = resolve_config(config.name.partition("+")[0])
    except ConfigurationError:
        base = resolve_config(usual)
    if base.compact != config.compact:
        base = resolve_config(usual)
    known = base.as_dict()
    return base.name, {name: value for name, value in config.as_dict().items()
                       if name != "name" and value != known[name]}


def command(config: Config, top: str, *, template: bool = False) -> str:
    """Return the command that makes a file again, with the same bytes.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration of the accelerator.
    top : :class:`str`
        Name of the top module.
    template : :class:`bool`
        Return the command of the instantiation instead of that of the module.
    """
    preset, changes = _settings(config)
    words = ["weft verilog --preset", preset]
    for name, value in changes.items():
        words += ["--set", f"{name}={'none' if value is None else value}"]
    return " ".join([*words, "--top", top, "--template" if template else f"-o {top}.v"])


def origin(config: Config, contents: str, made_by: str) -> Iterator[str]:
    """Yield the lines of a comment that begins a file.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration, of which every parameter is listed.
    contents : :class:`str`
        Contents of the file, in a few words.
    made_by : :class:`str`
        Command that makes the file.
    """
    preset, changes = _settings(config)
    yield f"// {LICENCE}"
    yield "//"
    yield f"// Weft {weft.__version__}: {contents}."
    yield "// Generated; this command makes the same file again:"
    yield "//"
    yield f"//     {made_by}"
    yield "//"
    yield f"// preset = {preset}"
    for name, value in config.as_dict().items():
        if name != "name":
            note = "    (set)" if name in changes else ""
            yield f"// {name} = {'none' if value is None else str(value).lower()}{note}"
