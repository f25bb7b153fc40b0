"""What the self-test's checks share: the device beside an emulator, and how a fault is placed."""

import typing

import numpy as np

from weft.spec import isa
from weft.spec.isa import Mode

from ..device import EmulatorDevice
from ..errors import WeftError
from ..program.assemble import chain
from ..program.file import Program
from ..program.tensor import Window

__all__ = ["Bench", "Fault", "Place", "LIMIT", "MINIMUM", "differences", "listing"]

MINIMUM = 1 << 14       # bytes of host memory
_REGION = 1 << 16       # bytes of source and target, where there is room for so many
LIMIT = 1 << 24        # cycles of a program: far more than any here takes
_SHOWN = 4              # faults that a message spells out


class Fault(WeftError):
    """What a check found wrong."""


class Place(typing.NamedTuple):
    """What a program uses of the memories: from where on."""

    tile: int           # of the weight buffer
    row: int            # of the accumulators
    channel: int        # of VECTOR's parameters
    local: int          # byte of the scratchpad; only for the DMA's check

    def __str__(self):
        return (f"weight tiles from {self.tile}, accumulator rows from {self.row}, channels from "
                f"{self.channel} and scratchpad bytes from {self.local} on")


def differences(found, expected, key):
    """``{key(*index): sentence}`` for the elements that differ."""
    wrong: dict = {}
    for index in zip(*(axis.tolist() for axis in np.nonzero(found != expected))):
        wrong.setdefault(key(*index), f"expected {expected[index]}, got {found[index]}")
    return wrong


def listing(wrong, total, name):
    """The faults of :func:`differences` as a sentence; ``name(key)`` says where one is."""
    text = "; ".join(f"{name(key)}: {what}" for key, what in list(wrong.items())[:_SHOWN])
    if len(wrong) > _SHOWN:
        text += "; ..."
    return f"{len(wrong)} of {total} wrong: {text}"


class Bench:
    """The device under test beside an emulator of the same configuration.

    Host memory holds programs, then ``source``, then ``target``, each of ``region`` bytes.

    Attributes
    ----------
    room : :class:`int`
        Bytes of scratchpad, and of what goes through the source beside a tile.
    places : two :class:`Place`
        They share nothing of any memory, if there are channels enough.
    doubt : :class:`str`
        A fault at one place only, which the check of some memory is to name.
    """

    def __init__(self, device, seed):
        config = device.config
        self.region = min(_REGION, 1 << device.memory_bytes.bit_length() - 3)
        self.source, self.target = self.region, 2 * self.region
        self.room = min(config.spad_bytes, self.region - config.tile_bytes)
        needed = 8 * config.rows + 16 * config.cols
        if self.room < needed:
            raise WeftError(f"the self-test needs {needed} bytes of scratchpad and more host "
                            f"memory than {device.memory_bytes} bytes, to have room for a tile "
                            f"of {config.tile_bytes}")
        self.device = device
        self.config = config
        self.emulator = EmulatorDevice(config, memory_bytes=3 * self.region)
        self.draw = np.random.default_rng(seed)
        self.places = (
            Place(0, 0, 0, 0), Place(config.wgt_tiles // 2, config.acc_rows // 2,
                                     config.param_channels - config.cols, config.spad_bytes // 2))
        self.doubt = ""

    def bytes(self, size):
        """Random int8, a fifth of them extremes."""
        data = self.draw.integers(-128, 128, size, dtype=np.int8)
        chance = self.draw.random(size)
        data[chance < 0.1] = 127
        data[chance > 0.9] = -128
        return data

    def write(self, offset, data):
        """Put an array into the device's host memory."""
        self.device.write_memory(self.device.memory_base + offset, data.tobytes())

    def read(self, offset, size):
        """Bytes of the device's host memory as an int8 array."""
        return np.frombuffer(self.device.read_memory(self.device.memory_base + offset, size),
                             np.int8)

    def run(self, steps, device=None):
        """Run instructions one after the other; they read host memory, and write from source on."""
        device = device or self.device
        size = device.memory_bytes
        device.run(Program(
            config=self.config, instructions=chain(steps), memory_bytes=size,
            windows=(Window(0, size), Window(self.source, size - self.source, read=False,
                                             write=True))), limit=LIMIT)

    def compute(self, local, steps, size=0, weights=b"", tile=0):
        """``size`` bytes of results, from the device and from the emulator, as int8 arrays.

        Parameters
        ----------
        local : int8 array
            Goes to the scratchpad, from 0 on.
        steps : list
            The instructions; results lie behind ``local``.
        weights : int8 array
            Goes to the weight buffer, from ``tile`` on.
        """
        config, copies, results = self.config, [], []
        data = np.concatenate([np.frombuffer(part, np.int8) for part in (weights, local)])
        if len(weights):
            copies.append(("LOAD_WGT", {
                "count": 1, "host_addr": self.source, "bytes": len(weights),
                "local_addr": tile * config.tile_bytes}))
        if len(local):
            copies.append(("LOAD", {
                "count": 1, "host_addr": self.source + len(weights), "local_addr": 0,
                "bytes": len(local)}))
        store = [("STORE", {"count": 1, "host_addr": self.target, "local_addr": len(local),
                            "bytes": size})] if size else []
        for device in (self.device, self.emulator):
            base = device.memory_base
            device.write_memory(base + self.source, data.tobytes())
            if size:        # what an earlier check left must not pass for a result
                device.write_memory(base + self.target, b"\xa5" * size)
            self.run(copies + steps + store, device)
            results.append(np.frombuffer(device.read_memory(base + self.target, size), np.int8)
                           if size else np.zeros(0, np.int8))
        return results

    def raw(self, place, out, count, acc_addr=None):
        """Steps that drain ``count`` accumulator rows as int32; biases lie at 0."""
        config = self.config
        return [
            ("PARAMS", {"channels": config.cols, "bias_addr": 0, "channel": place.channel}),
            ("DRAIN", {"mode": Mode.RAW, "out_addr": out, "y_count": 1, "x_count": count,
                       "acc_addr": place.row if acc_addr is None else acc_addr,
                       "x_pitch": 4 * config.cols, "channels": config.cols,
                       "channel": place.channel}),
        ]

    def common(self, attempt):
        """Faults that ``attempt(place)`` finds at both places.

        What is wrong at one place only, the same each time, belongs to a memory there, not to
        the part under test. It is kept as ``doubt``, in case no other check names it.
        """
        here, there = self.places
        first = attempt(here)
        if not first:
            return first
        second = attempt(there)
        both = {key: what for key, what in first.items() if key in second}
        if both:
            return both
        if attempt(here) != first:
            return first        # by chance, as a part does that is clocked too fast
        self.doubt = f"wrong only with {here}, which pass by themselves"
        return {}

    @property
    def steps_most(self):
        """Instructions of a program."""
        return self.region // isa.INSTRUCTION_BYTES
