"""Check of a device that has been closed."""

import pytest

from weft.spec import isa
from weft_host.errors import ClosedError
from weft_host.program.file import Program

__all__ = ["check_closed"]


def check_closed(device):
    """Check that every method that all devices have raises an error, but :func:`repr` works.

    This includes the start of a ``with`` block.
    """
    program = Program(config=device.config, instructions=isa.encode("SYNC_LOAD"),
                      memory_bytes=4096)
    for call in (
            lambda: device.read_memory(device.memory_base, 4),
            lambda: device.write_memory(device.memory_base, b"data"),
            lambda: device.read_register("STATUS"),
            lambda: device.write_register("WATCHDOG", 1),
            device.wait, device.start, device.soft_reset, device.clear, device.waits,
            device.error, device.counters,
            lambda: device.check(program), lambda: device.load(program),
            lambda: device.run(program), device.__enter__):
        with pytest.raises(ClosedError, match=(
                f"^this {type(device).__name__} is closed; create another one$")):
            call()
    assert device.closed and repr(device).endswith("closed>")
