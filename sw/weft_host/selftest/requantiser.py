"""Check of the requantiser in VECTOR."""

import dataclasses

import numpy as np
import numpy.typing as npt

from weft.spec.isa import Mode

from .bench import Bench, Fault, Location, differences, listing

__all__ = ["MODES", "ONE", "OUTPUTS", "Output", "SCALE", "check_requantiser"]

MODES = (Mode.TFL2, Mode.TFL1, Mode.AWAY)
"""All rounding modes."""

ONE = 1 << 30
"""Smallest normalised multiplier."""

SCALE: np.dtype[np.void] = np.dtype([("multiplier", "<u4"), ("shift", "<u4")])
"""Scale of a channel in memory."""


@dataclasses.dataclass(frozen=True)
class Output:
    """Zero point and clamping range of an output."""

    zero_point: int = 0
    low: int = -128
    high: int = 127

    @property
    def fields(self) -> dict[str, int]:
        """Fields of an instruction."""
        return {"zero_point": self.zero_point, "clamp_min": self.low, "clamp_max": self.high}


OUTPUTS = (Output(), Output(-3), Output(127, -100, 90), Output(-128, -128, -1), Output(85, 0, 127),
           Output(-86, -5, 4))
"""Outputs that have every bit of each field as 0 and as 1."""

_SHIFTS = (31, 32, 33, 34, 36, 40, 46, 54, 62, 29)
_TIES = (31, 32, 33, 34)                # shifts that give ties with the multiplier ONE


@dataclasses.dataclass(frozen=True)
class _Setting:
    """One instruction of the check, with its parameters.

    With ``shared`` set, all channels share the multiplier and the shift of channel 0.
    """

    mode: Mode
    output: Output
    bias: npt.NDArray[np.int32]
    scale: npt.NDArray[np.void]
    shared: bool

    def describe(self, channel: int) -> str:
        """Return the setting of a channel as text."""
        return (f"mode {self.mode.name}, shift {self.scale['shift'][channel]}, zero point "
                f"{self.output.zero_point}, clamp {self.output.low} to {self.output.high}, "
                f"channel {channel}")


def _settings(bench: Bench) -> list[_Setting]:
    """Return all modes with all outputs, then all modes with ties above and below 0."""
    cols = bench.config.cols
    kinds = [(mode, output) for output in OUTPUTS for mode in MODES]
    ties = len(kinds)                   # the first setting with ties
    kinds += [(mode, OUTPUTS[0]) for _ in _TIES for mode in MODES]
    settings: list[_Setting] = []
    for number, (mode, output) in enumerate(kinds):
        shifts = list(_SHIFTS if number < ties else _TIES)
        scale = np.zeros(cols, SCALE)
        scale["shift"] = [shifts[(number + col) % len(shifts)] for col in range(cols)]
        scale["multiplier"] = bench.random_integers(ONE, 2 * ONE, cols) if number < ties else ONE
        shared = number % 5 == 4
        if shared:
            scale[:] = scale[0]
        if number < ties:               # results that fit a byte
            size = np.minimum(2.0 ** (scale["shift"] - 23.5), 2.0 ** 31 - 1)
            bias = (bench.random_fractions(cols) * size).astype("<i4")
        else:                           # odd numbers of halves; below 0 the modes differ
            halves = 2 * bench.random_integers(1, 120, cols) - 1
            sign = 1 if number < ties + len(MODES) else -1
            bias = (sign * halves << scale["shift"].astype(np.int64) - 31).astype("<i4")
        settings.append(_Setting(mode, output, bias, scale, shared))
    return settings


def _results(bench: Bench, setting: _Setting, vectors: npt.NDArray[np.int8],
             weights: npt.NDArray[np.int8],
             location: Location) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Return the outputs of device and emulator, as (vector, channel)."""
    config, count = bench.config, len(vectors)
    local = np.concatenate([setting.bias.view(np.int8), setting.scale.view(np.int8),
                            vectors.reshape(-1)])
    scales = {"multiplier": int(setting.scale["multiplier"][0]),
              "shift": int(setting.scale["shift"][0])} \
        if setting.shared else {"per_channel": 1, "scale_addr": 4 * config.cols}
    found, expected = bench.compute(local, [
        ("MATMUL", {"act_addr": 12 * config.cols, "acc_addr": location.row,
                    "wgt_addr": location.tile, "row_count": 1, "chunk_count": 1, "y_count": 1,
                    "x_count": count, "x_pitch": config.rows}),
        ("PARAMS", {"channels": config.cols, "bias_addr": 0, "channel": location.channel,
                    **scales}),
        ("DRAIN", {"mode": setting.mode, "out_addr": len(local), "acc_addr": location.row,
                   "y_count": 1, "x_count": count, "x_pitch": config.cols,
                   "channels": config.cols, "channel": location.channel,
                   **setting.output.fields}),
    ], count * config.cols, weights, location.tile)
    return found.reshape(count, -1), expected.reshape(count, -1)


def check_requantiser(bench: Bench) -> str:
    """Check multiplier, rounding, zero point and clamping of every channel in all modes."""
    config = bench.config
    count = min(8, config.acc_rows // 2,
                (bench.room - 12 * config.cols) // (config.rows + config.cols))
    weights = bench.random_bytes(config.tile_bytes)
    vectors = bench.random_bytes(count * config.rows).reshape(count, config.rows)
    vectors[:6] = 0                     # the bias alone, and values beside it
    for at in range(1, min(6, count)):
        vectors[at, at % config.rows] = (-1) ** at
    settings = _settings(bench)

    def attempt(location: Location) -> dict[tuple[int, int], str]:
        wrong: dict[tuple[int, int], str] = {}
        for number, setting in enumerate(settings):
            found, expected = _results(bench, setting, vectors, weights, location)
            wrong |= differences(found, expected, lambda _, col, number=number: (number, col))
        return wrong

    wrong = bench.faults_at_both(attempt)
    if wrong:
        raise Fault(listing(wrong, len(settings) * config.cols,
                            lambda key: settings[key[0]].describe(key[1])))
    return f"{len(settings)} settings times {config.cols} channels"
