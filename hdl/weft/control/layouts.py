"""Layouts of the data that the blocks of the control subsystem exchange."""

from amaranth.lib import data

from ..spec import isa, register_map
from ..spec.config import UNITS
from .unit_interface import INSTRUCTION_SHAPE

__all__ = ["ERROR_RECORD", "FETCHED_INSTRUCTION", "TOKEN_MATRIX", "UNIT_STATUS",
           "VALID_INSTRUCTION", "WINDOW", "WINDOW_ARRAY", "counter_increments",
           "datapath_counters"]

ERROR_RECORD = data.StructLayout({"code": 8, "unit": 8, "index": 32, "addr": 32})
"""The registers ERROR_CODE, ERROR_INDEX and ERROR_ADDR. ``code`` is 0 if there is no error."""

WINDOW = data.StructLayout({"base": 32, "last": 32, "read": 1, "write": 1})
"""Range of host addresses that a program may access: first byte, last byte, permissions."""
WINDOW_ARRAY = data.ArrayLayout(WINDOW, register_map.WINDOWS)

FETCHED_INSTRUCTION = data.StructLayout({
    "word": INSTRUCTION_SHAPE, "index": 32, "offset": 5, "code": 8})
"""An instruction with its index in the program. If ``code`` is not 0, fetching the instruction
failed with this error at byte ``offset``, and ``word`` is undefined."""

VALID_INSTRUCTION = data.StructLayout({"word": INSTRUCTION_SHAPE, "index": 32, "unit": 2})
"""A validated instruction with an absolute ``host_addr``, and the unit that executes it."""

TOKEN_MATRIX = data.ArrayLayout(len(UNITS), len(UNITS))
"""One bit for each ordered pair of units: the first index is the waiting unit, the second the
signalling unit."""

UNIT_STATUS = data.StructLayout({
    "queued": 1,
    "missing_tokens": len(UNITS),
    "next_index": 32,
    "busy": 1,
    "oldest_index": 32,
    "wait_memory": 1,
})
"""State of a unit, for the watchdog and the registers STATUS and WAITS.

``queued``: an instruction waits to be issued; ``missing_tokens`` are the units whose tokens are not
available, and ``next_index`` is the index of that instruction. ``busy``: an instruction is in
progress; ``oldest_index`` is the index of the oldest one. ``wait_memory``: the unit waits for host
memory."""


def datapath_counters(config):
    """Return the layout of the counter increments that come from the datapath.

    ``mac_busy`` and ``matmul_wait_weights`` are high in each cycle to be counted. ``bytes_read`` is
    high in a cycle with a beat on the R channel of ``m_axi``. ``bytes_written`` is the number of
    strobes of the beat on its W channel, 0 without a beat.
    """
    return data.StructLayout({
        "mac_busy": 1,
        "matmul_wait_weights": 1,
        "bytes_read": 1,
        "bytes_written": config.bus_bytes.bit_length(),
    })


def counter_increments(config):
    """Return the layout of the increments of all counters in :data:`register_map.COUNTERS`."""
    widths = {"BYTES_READ": config.bus_bytes.bit_length(),
              "BYTES_WRITTEN": config.bus_bytes.bit_length(),
              "INSTRUCTIONS": len(UNITS).bit_length()}
    return data.StructLayout({name: widths.get(name, 1) for name, _ in register_map.COUNTERS})


assert isa.SEQUENCER == len(UNITS)
