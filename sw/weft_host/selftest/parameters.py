"""Check of the channel parameters in VECTOR."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from weft.spec.isa import Mode

from .bench import Bench, Fault, Location, Step, differences, listing
from .requantiser import SCALE, Output

__all__ = ["check_parameters"]

_Round = tuple[npt.NDArray[np.int32], npt.NDArray[np.void], Mode]
"""Biases and scales of all channels, and the rounding mode of DRAIN."""


def _rounds(bench: Bench) -> Iterator[_Round]:
    """Yield rounds of parameters. Every bit occurs as 0 and as 1, and changes a result."""
    count = bench.config.param_channels
    scale = np.zeros(count, SCALE)
    bias = bench.random_bytes(4 * count).view("<i4")
    yield from ((pattern, scale, Mode.RAW) for pattern in (bias, ~bias))
    bias = np.full(count, 1 << 20, "<i4")
    # with a multiplier of 0 or 255, a wrong shift could give the right result
    pattern = bench.random_integers(1, 255, count).astype(np.uint8)
    for lowest in (0, 1, 8, 15, 22, 23):        # position of the decisive bits of the multiplier
        for bits in (pattern, ~pattern):
            scale = np.zeros(count, SCALE)
            scale["multiplier"], scale["shift"] = bits.astype(np.uint32) << lowest, 20 + lowest
            yield bias, scale, Mode.TFL1


def _set_parameters(bench: Bench, bias: npt.NDArray[np.int32], scale: npt.NDArray[np.void],
                    size: int) -> None:
    """Set the parameters of all channels, with PARAMS of at most ``size`` channels each."""
    channels = np.arange(bench.config.param_channels)
    cols = bench.config.cols
    size = min(size, bench.room // (12 * cols) * cols)
    step = bench.room // (12 * size) * size
    for start in range(0, len(channels), step):
        local: list[npt.NDArray[np.int8]] = []
        steps: list[Step] = []
        for channel in range(start, min(start + step, len(channels)), size):
            part = channels[channel:channel + size]
            at = 12 * (channel - start)
            local += [bias[part].view(np.int8), scale[part].view(np.int8)]
            steps.append(("PARAMS", {"channels": len(part), "per_channel": 1, "bias_addr": at,
                                     "scale_addr": at + 4 * len(part), "channel": channel}))
        bench.compute(np.concatenate(local), steps)


def _parameter_faults(bench: Bench, rounds: Sequence[_Round],
                      location: Location) -> dict[int, str]:
    config = bench.config
    vector = np.zeros(config.rows, np.int8)
    matmul: Step = ("MATMUL", {
        "act_addr": 0, "acc_addr": location.row, "wgt_addr": location.tile, "row_count": 1,
        "chunk_count": 1, "y_count": 1, "x_count": 1})
    wrong: dict[int, str] = {}
    for number, (bias, scale, mode) in enumerate(rounds):
        whole = number % 4 == 1         # one PARAMS sets all channels; rounds of both modes do so
        _set_parameters(bench, bias, scale, config.param_channels if whole else config.cols)
        size = config.cols * (4 if mode == Mode.RAW else 1)
        step = (bench.room - len(vector)) // size * config.cols
        for first in range(0, config.param_channels, step):
            starts = range(first, min(first + step, config.param_channels), config.cols)
            drains: list[Step] = [("DRAIN", {
                "mode": mode, "out_addr": len(vector) + size * index, "acc_addr": location.row,
                "y_count": 1, "x_count": 1, "channels": config.cols, "channel": start,
                **Output(-128).fields}) for index, start in enumerate(starts)]
            found, expected = bench.compute(vector, [matmul, *drains], size * len(starts))
            kind = np.dtype("<i4" if mode == Mode.RAW else np.int8)
            wrong = differences(found.view(kind), expected.view(kind),
                                lambda at, first=first: first + at) | wrong
    return wrong


def check_parameters(bench: Bench) -> str:
    """Check bias, multiplier and shift of every channel; all are written before any is used."""
    count, rounds = bench.config.param_channels, list(_rounds(bench))
    wrong = bench.faults_at_both(partial(_parameter_faults, bench, rounds))
    if wrong:
        raise Fault(listing(wrong, count, lambda channel: f"channel {channel}"))
    return f"all {count} channels"
