"""Short programs on the emulator."""

from weft.spec.presets import preset
from weft_host.device import EmulatorDevice

__all__ = ["CONFIG", "execute", "make_device"]

CONFIG = preset("tiny")


def make_device(config=CONFIG):
    """Return an emulator with 16 KiB of host memory, of which the upper half can be written."""
    emulator = EmulatorDevice(config, memory_bytes=1 << 14)
    for name, value in (("WINDOW0_LAST", 0x1FFF), ("WINDOW0_CTRL", 1), ("WINDOW1_BASE", 0x2000),
                        ("WINDOW1_LAST", 0x3FFF), ("WINDOW1_CTRL", 3), ("WATCHDOG", 1000)):
        emulator.write_register(name, value)
    return emulator


def execute(emulator, *instructions):
    """Run encoded instructions.

    Returns
    -------
    tuple or None
        Code, unit, index and address of the error record, or None if there was no error.
    """
    emulator.write_memory(0, b"".join(instructions))
    emulator.write_register("PROGRAM_COUNT", len(instructions))
    emulator.start()
    emulator.wait()
    record = emulator.error()
    if record is None:
        return None
    return record.code, record.unit, record.index, record.addr
