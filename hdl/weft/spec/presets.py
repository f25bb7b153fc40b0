"""Named configurations, to which tests, benchmarks and documentation refer."""

import dataclasses
from typing import Any

from .config import Config

__all__ = ["PRESETS", "override", "preset"]

PRESETS: dict[str, Config] = {config.name: config for config in (
    Config(name="tiny", rows=4, cols=4, spad_bytes=2048, spad_banks=2, wgt_bytes=512, acc_rows=64,
           vector_lanes=2, bus_width=32),
    Config(name="icebreaker", rows=4, cols=4, spad_bytes=65536, spad_banks=1, wgt_bytes=2048,
           acc_rows=128, vector_lanes=1, bus_width=32, max_burst=1, outstanding=1, queue_depth=4,
           compact=True),
    Config(name="wide", rows=4, cols=16, spad_bytes=8192, spad_banks=4, wgt_bytes=2048,
           acc_rows=128, vector_lanes=16, bus_width=64),
    Config(name="tall", rows=16, cols=4, spad_bytes=16384, spad_banks=1, wgt_bytes=2048,
           acc_rows=128, vector_lanes=1, bus_width=32),
    Config(name="small", rows=8, cols=8, spad_bytes=32768, spad_banks=2, wgt_bytes=4096,
           acc_rows=256, vector_lanes=4, bus_width=64),
    Config(name="ulx3s", rows=16, cols=16, spad_bytes=65536, spad_banks=2, wgt_bytes=16384,
           acc_rows=512, vector_lanes=8, bus_width=128),
    Config(name="large", rows=32, cols=32, spad_bytes=524288, spad_banks=4, wgt_bytes=65536,
           acc_rows=1024, vector_lanes=16, bus_width=256),
)}


def preset(name: str, **overrides: Any) -> Config:
    """Return the preset called ``name``, with the parameters in ``overrides`` replaced.

    Raises
    ------
    ValueError
        If there is no such preset or parameter, or if the combination is invalid.
    """
    if name not in PRESETS:
        raise ValueError(f"no preset {name!r}; there are {', '.join(PRESETS)}")
    return override(PRESETS[name], **overrides)


def override(config: Config, /, **overrides: Any) -> Config:
    """Return ``config`` with the parameters in ``overrides`` replaced and appended to its name.

    Raises
    ------
    ValueError
        If there is no such parameter, or if the combination is invalid.
    """
    known = [field.name for field in dataclasses.fields(Config) if field.name != "name"]
    for key in overrides:
        if key not in known:
            raise ValueError(f"no parameter {key!r}; there are {', '.join(known)}")
    if not overrides:
        return config
    suffix = "".join(f"+{key}={value}" for key, value in overrides.items())
    return dataclasses.replace(config, name=config.name + suffix, **overrides)
