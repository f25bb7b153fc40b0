"""Test bench of the self-test: a device beside an emulator, and the localisation of faults."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from weft.spec import isa
from weft.spec.config import Config
from weft.spec.isa import Mode

from ..device import Device, EmulatorDevice
from ..errors import WeftError
from ..program.assemble import chain
from ..program.file import Program
from ..program.tensor import Window

__all__ = ["Bench", "Fault", "LIMIT", "Location", "MINIMUM", "Step", "differences", "listing"]

MINIMUM = 1 << 14
"""Bytes of host memory that the self-test needs."""

LIMIT = 1 << 24
"""Time limit of a program in cycles: far more than any program of the self-test needs."""

_REGION = 1 << 16       # largest size of the source and of the target, in bytes
_SHOWN = 4              # faults that a message describes

Step = tuple[str, Mapping[str, int]]
"""Name and fields of an instruction."""

_Key = TypeVar("_Key", bound=Hashable)


class Fault(WeftError):
    """A fault that a check has found."""


class Location(NamedTuple):
    """First element that a program uses in each memory.

    Attributes
    ----------
    tile : :class:`int`
        Tile of the weight buffer.
    row : :class:`int`
        Accumulator row.
    channel : :class:`int`
        Channel of the parameters.
    local : :class:`int`
        Byte of the scratchpad; only the check of the DMA uses it.
    """

    tile: int
    row: int
    channel: int
    local: int

    def __str__(self) -> str:
        return (f"weight tiles from {self.tile}, accumulator rows from {self.row}, channels from "
                f"{self.channel} and scratchpad bytes from {self.local}")


def differences(found: npt.NDArray[Any], expected: npt.NDArray[Any],
                key: Callable[..., _Key]) -> dict[_Key, str]:
    """Return a sentence for each element that differs, by ``key(*index)``."""
    wrong: dict[_Key, str] = {}
    for index in zip(*(axis.tolist() for axis in np.nonzero(found != expected))):
        wrong.setdefault(key(*index), f"expected {expected[index]}, got {found[index]}")
    return wrong


def listing(wrong: Mapping[_Key, str], total: int, name: Callable[[_Key], str]) -> str:
    """Return the faults of :func:`differences` as a sentence; ``name(key)`` names the element."""
    text = "; ".join(f"{name(key)}: {what}" for key, what in list(wrong.items())[:_SHOWN])
    if len(wrong) > _SHOWN:
        text += "; ..."
    return f"{len(wrong)} of {total} wrong: {text}"


class Bench:
    """The device under test, and an emulator of the same configuration.

    Host memory contains programs, then ``source``, then ``target``, each of ``region`` bytes.

    Parameters
    ----------
    device : :class:`weft_host.device.Device`
    seed : :class:`int`
        Seed of the random data.

    Attributes
    ----------
    device, emulator : :class:`weft_host.device.Device`
    config : :class:`weft.spec.config.Config`
    region, source, target : :class:`int`
        Size and offsets of the regions of host memory.
    room : :class:`int`
        Bytes of scratchpad that a program may use, which is also the size of the source without
        a tile.
    locations : two :class:`Location`
        Locations that share nothing in any memory, if there are enough channels.
    unexplained : :class:`str`
        A fault at one of the locations only, which the check of a memory should explain.
    """

    device: Device
    emulator: EmulatorDevice
    config: Config
    region: int
    source: int
    target: int
    room: int
    locations: tuple[Location, Location]
    unexplained: str

    def __init__(self, device: Device, seed: int) -> None:
        config = device.config
        self.region = min(_REGION, 1 << device.memory_bytes.bit_length() - 3)
        self.source, self.target = self.region, 2 * self.region
        self.room = min(config.spad_bytes, self.region - config.tile_bytes)
        needed = 8 * config.rows + 16 * config.cols
        if self.room < needed:
            raise WeftError(f"the self-test needs {needed} bytes of scratchpad, and more than "
                            f"{device.memory_bytes} bytes of host memory for a tile of "
                            f"{config.tile_bytes} bytes")
        self.device = device
        self.config = config
        self.emulator = EmulatorDevice(config, memory_bytes=3 * self.region)
        self._draw = np.random.default_rng(seed)
        self.locations = (
            Location(0, 0, 0, 0),
            Location(config.wgt_tiles // 2, config.acc_rows // 2,
                     config.param_channels - config.cols, config.spad_bytes // 2))
        self.unexplained = ""

    def random_bytes(self, size: int) -> npt.NDArray[np.int8]:
        """Return an array of random int8, a fifth of which are -128 or 127."""
        data = self._draw.integers(-128, 128, size, dtype=np.int8)
        chance = self._draw.random(size)
        data[chance < 0.1] = 127
        data[chance > 0.9] = -128
        return data

    def random_index(self, end: int) -> int:
        """Return a random integer from 0 to ``end - 1``."""
        return int(self._draw.integers(end))

    def random_integers(self, first: int, end: int,
                        shape: int | tuple[int, ...]) -> npt.NDArray[np.int64]:
        """Return an array of random integers from ``first`` to ``end - 1``."""
        return self._draw.integers(first, end, shape)

    def random_fractions(self, size: int) -> npt.NDArray[np.float64]:
        """Return an array of random numbers from -1 to 1."""
        return self._draw.uniform(-1, 1, size)

    def write(self, offset: int, data: npt.NDArray[Any]) -> None:
        """Write an array to the device's host memory."""
        self.device.write_memory(self.device.memory_base + offset, data.tobytes())

    def read(self, offset: int, size: int) -> npt.NDArray[np.int8]:
        """Read bytes of the device's host memory."""
        return np.frombuffer(self.device.read_memory(self.device.memory_base + offset, size),
                             np.int8)

    def run(self, steps: Sequence[Step], device: Device | None = None) -> None:
        """Run instructions in sequence.

        They may read all of host memory, and write from the offset ``source`` to its end.
        """
        device = device or self.device
        size = device.memory_bytes
        device.run(Program(
            config=self.config, instructions=chain(steps), memory_bytes=size,
            windows=(Window(0, size), Window(self.source, size - self.source, read=False,
                                             write=True))), limit=LIMIT)

    def compute(self, local: npt.NDArray[np.int8], steps: Sequence[Step], size: int = 0,
                weights: npt.NDArray[np.int8] | None = None,
                tile: int = 0) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
        """Return ``size`` bytes of results from the device and from the emulator.

        Parameters
        ----------
        local : int8 array
            Data for the scratchpad, from address 0.
        steps : sequence of :data:`Step`
            The instructions. They write their results after ``local``.
        size : :class:`int`
        weights : int8 array, optional
            Data for the weight buffer, from ``tile``.
        tile : :class:`int`
        """
        if weights is None:
            weights = np.zeros(0, np.int8)
        copies: list[Step] = []
        data = np.concatenate([weights, local])
        if len(weights):
            copies.append(("LOAD_WGT", {
                "count": 1, "host_addr": self.source, "bytes": len(weights),
                "local_addr": tile * self.config.tile_bytes}))
        if len(local):
            copies.append(("LOAD", {
                "count": 1, "host_addr": self.source + len(weights), "local_addr": 0,
                "bytes": len(local)}))
        store: list[Step] = [("STORE", {"count": 1, "host_addr": self.target,
                                        "local_addr": len(local), "bytes": size})] if size else []
        found, expected = (
            self._results(device, data, [*copies, *steps, *store], size)
            for device in (self.device, self.emulator))
        return found, expected

    def _results(self, device: Device, data: npt.NDArray[np.int8], steps: Sequence[Step],
                 size: int) -> npt.NDArray[np.int8]:
        """Run steps on ``data`` in the source; return ``size`` bytes of the target."""
        base = device.memory_base
        device.write_memory(base + self.source, data.tobytes())
        if size:        # otherwise the results of an earlier check could pass
            device.write_memory(base + self.target, b"\xa5" * size)
        self.run(steps, device)
        if not size:
            return np.zeros(0, np.int8)
        return np.frombuffer(device.read_memory(base + self.target, size), np.int8)

    def drain_raw(self, location: Location, out: int, count: int,
                  acc_addr: int | None = None) -> list[Step]:
        """Return steps that drain ``count`` accumulator rows as int32, with the biases at 0."""
        config = self.config
        return [
            ("PARAMS", {"channels": config.cols, "bias_addr": 0, "channel": location.channel}),
            ("DRAIN", {"mode": Mode.RAW, "out_addr": out, "y_count": 1, "x_count": count,
                       "acc_addr": location.row if acc_addr is None else acc_addr,
                       "x_pitch": 4 * config.cols, "channels": config.cols,
                       "channel": location.channel}),
        ]

    def faults_at_both(self, attempt: Callable[[Location], dict[_Key, str]]) -> dict[_Key, str]:
        """Return the faults that ``attempt(location)`` finds at both locations.

        A reproducible fault at one location only is a fault of a memory there, not of the part
        under test. It is kept in ``unexplained``, in case no other check names it.
        """
        here, there = self.locations
        first = attempt(here)
        if not first:
            return first
        second = attempt(there)
        both = {key: what for key, what in first.items() if key in second}
        if both:
            return both
        if attempt(here) != first:
            return first        # not reproducible, like a part with a timing violation
        self.unexplained = f"wrong only with {here}, whose memories pass their checks"
        return {}

    @property
    def max_steps(self) -> int:
        """Largest number of instructions of a program."""
        return self.region // isa.INSTRUCTION_BYTES
