"""Checks of combinations of a configuration's parameters."""

import typing

if typing.TYPE_CHECKING:
    from .config import Config

__all__ = ["check_compact", "check_fixed_point", "check_tile_lines"]


def check_fixed_point(config: "Config") -> None:
    """Check the parameters that ``fixed_point`` and ``weights_4bit`` restrict.

    Raises
    ------
    ValueError
        If one is out of range.
    """
    if config.fixed_point and config.wgt_bytes < 4 * config.max_burst * config.bus_bytes:
        raise ValueError(
            f"wgt_bytes of {config.wgt_bytes} is less than four bursts of {config.max_burst} beats "
            f"of {config.bus_bytes} bytes, which fixed_point requires")
    if not config.weights_4bit:
        return
    if not config.fixed_point:
        raise ValueError("weights_4bit requires fixed_point")
    if config.rows > 32:
        raise ValueError(f"weights_4bit requires at most 32 rows, not {config.rows}")
    if config.bus_bytes > config.cols:
        raise ValueError(f"weights_4bit requires beats of at most a line of a tile, {config.cols} "
                         f"bytes, not {config.bus_bytes}")
    if config.wgt_bytes < 32 * config.cols:
        raise ValueError(f"wgt_bytes of {config.wgt_bytes} is less than 32 lines of {config.cols} "
                         "bytes, which weights_4bit requires")


def check_tile_lines(config: "Config") -> None:
    """Check the parameters that two lines of a tile per cycle restrict.

    Raises
    ------
    ValueError
        If one is out of range.
    """
    if config.rows < 8:
        raise ValueError(f"tile_lines of {config.tile_lines} requires at least 8 rows, "
                         f"not {config.rows}")
    half = config.tile_bytes // config.tile_lines
    if config.bus_bytes > half:
        raise ValueError(
            f"tile_lines of {config.tile_lines} requires beats of at most half a tile, {half} "
            f"bytes, not {config.bus_bytes}")


def check_compact(config: "Config") -> None:
    """Check the parameters that the serial engine restricts.

    Raises
    ------
    ValueError
        If one is out of range.
    """
    for name, needed in (("rows", 4), ("cols", 4), ("tile_lines", 1), ("spad_banks", 1),
                         ("vector_lanes", 1), ("bus_width", 32), ("max_burst", 1),
                         ("outstanding", 1), ("dsp_cells", None), ("fixed_point", False),
                         ("weights_4bit", False)):
        value = getattr(config, name)
        if value != needed:
            raise ValueError(f"{name} must be {needed} with compact, not {value}")
    for name in ("spad_bytes", "wgt_bytes"):
        value = getattr(config, name)
        if value > 65536:
            raise ValueError(f"{name} must be at most 65536 with compact, not {value}")
    if config.multiplier not in ("portable", "ice40"):
        raise ValueError(f"multiplier must be portable or ice40 with compact, "
                         f"not {config.multiplier!r}")
