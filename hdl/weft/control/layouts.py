"""What the blocks of the control side hand to each other."""

from amaranth.lib import data

from ..spec import isa, register_map
from ..spec.config import UNITS
from .unit_interface import INSTRUCTION_SHAPE

__all__ = ["ERROR_RECORD", "WINDOW", "WINDOWS", "FETCHED", "CHECKED", "UNIT_VIEW", "TOKENS",
           "datapath_counters", "counter_increments"]

ERROR_RECORD = data.StructLayout({"code": 8, "unit": 8, "index": 32, "addr": 32})
"""The registers ERROR_CODE, ERROR_INDEX and ERROR_ADDR. ``code`` is 0 if there is no error."""

WINDOW = data.StructLayout({"base": 32, "last": 32, "read": 1, "write": 1})
WINDOWS = data.ArrayLayout(WINDOW, register_map.WINDOWS)
"""Host memory that a program may use: first byte, last byte, permissions."""

FETCHED = data.StructLayout({"word": INSTRUCTION_SHAPE, "index": 32, "offset": 5, "code": 8})
"""An instruction; or, with ``code`` set, why there is none, and at which of its bytes."""

CHECKED = data.StructLayout({"word": INSTRUCTION_SHAPE, "index": 32, "unit": 2})
"""A validated instruction, its ``host_addr`` absolute, and the unit that executes it."""

TOKENS = data.ArrayLayout(len(UNITS), len(UNITS))
"""A bit for each ordered pair of units, first the waiting unit, then the signalling one."""

UNIT_VIEW = data.StructLayout({
    "queued": 1,            # an instruction waits to be issued,
    "lacks": len(UNITS),    # and lacks the tokens of these units
    "next_index": 32,       # its index
    "working": 1,           # an instruction was issued and is not done,
    "oldest_index": 32,     # the index of the oldest such
    "memory": 1,            # and the unit waits for host memory
})
"""What the watchdog and the register WAITS see of a unit."""


def datapath_counters(config):
    """Increments, by counter, that only the datapath knows.

    ``mac_busy`` and ``matmul_wait_weights`` are high for one cycle each; ``bytes_read`` is high
    in a cycle with a beat on ``m_axi``'s R channel; ``bytes_written`` is the number of strobes of
    the beat on its W channel, 0 without one.
    """
    return data.StructLayout({
        "mac_busy": 1,
        "matmul_wait_weights": 1,
        "bytes_read": 1,
        "bytes_written": config.bus_bytes.bit_length(),
    })


def counter_increments(config):
    """Increments of all counters, a member for each of :data:`register_map.COUNTERS`."""
    widths = {"BYTES_READ": config.bus_bytes.bit_length(),
              "BYTES_WRITTEN": config.bus_bytes.bit_length(),
              "INSTRUCTIONS": len(UNITS).bit_length()}
    return data.StructLayout({name: widths.get(name, 1) for name, _ in register_map.COUNTERS})


assert isa.SEQUENCER == len(UNITS)
