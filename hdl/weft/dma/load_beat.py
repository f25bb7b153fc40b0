"""State of LOAD for the beat that it transfers."""

from amaranth.hdl import Signal
from amaranth.lib import data, enum

from .planner import burst_layout

__all__ = ["CurrentBeat", "Target", "burst_tag", "from_host"]


class Target(enum.Enum, shape=2):
    """Source and destination of the bytes of a burst."""

    SPAD = 0        # bus to scratchpad
    WGT = 1         # bus to weight buffer
    FILL = 2        # one value to scratchpad
    NONE = 3        # no bytes: SYNC_LOAD, which passes through the unit in order


def from_host(target):
    """Return 1 bit: the bytes of a burst with this target come from host memory."""
    return (target == Target.SPAD) | (target == Target.WGT)


def burst_tag(config):
    """Return the layout of a burst's tag."""
    return data.StructLayout({
        "target": Target, "value": 8, **({"ring": 1} if config.fixed_point else {}),
        **({"packed": 1} if config.weights_4bit else {})})


class CurrentBeat:
    """Registers of the next beat to transfer: its burst and its role in burst and instruction."""

    def __init__(self, config):
        self.burst = Signal(burst_layout(config, burst_tag(config)))
        self.valid = Signal()
        self.is_read = Signal()             # its data comes from the bus
        self.is_write = Signal()            # its data goes to a memory
        self.is_wgt = Signal()
        self.final = Signal()               # last beat of its burst
        self.ends = Signal()                # last beat of its instruction
        self.tail = Signal(config.beat_offset_width)
