"""Checks of the host link, the registers and the error handling."""

import numpy as np

from weft.spec import isa, register_map
from weft.spec.identity import identity

from ..device import Device, SerialDevice
from ..errors import DeviceError, LinkError
from ..program.file import Program
from ..program.tensor import Window
from ..register_words import pack, unpack
from .bench import LIMIT, Bench, Fault, Step

__all__ = ["check_errors", "check_identity", "check_link", "check_registers"]

_FRAMES = 64
_POLLS = 1000           # reads of STATUS until the device must be idle


def check_link(bench: Bench) -> str:
    """Check that frames of all sizes arrive at the first attempt.

    The content is not compared: a CRC protects it on the line, and host memory has its own check.
    """
    assert isinstance(bench.device, SerialDevice)
    link = bench.device.link
    sent, again = link.sent, link.again
    for index in range(_FRAMES):
        size = 1 + bench.random_index(link.info.payload)
        addr = bench.device.memory_base + index + bench.random_index(256)
        try:
            link.write_memory(addr, bench.random_bytes(size).tobytes())
            link.read_memory(addr, size)
        except LinkError as error:
            if error.status is None:        # otherwise a bus behind the link reported an error
                raise
    again = link.again - again
    if again:
        raise Fault(f"{again} of {link.sent - sent} frames had to be sent again: try another cable "
                    "or port, or a lower baud rate")
    return f"{link.sent - sent} frames, none sent again"


def check_identity(bench: Bench) -> None:
    """Check the registers that identify the device."""
    words = identity(bench.config)
    for name in ("ID", "CONFIG_HASH", "CAP_ARRAY", "CAP_MEMORY"):
        value = words[name]
        found = bench.device.read_register(name)
        if found != value:
            raise Fault(f"register {name} is {found:#010x} instead of {value:#010x}")


def _check_idle(device: Device) -> None:
    """Check that the device becomes idle, after a soft reset if necessary."""
    status = unpack("STATUS", device.read_register("STATUS"))
    if status["BUSY"] or status["ERROR"]:
        device.write_register("CONTROL", pack("CONTROL", SOFT_RESET=1))
    states: list[str] = []
    for _ in range(_POLLS):
        status = unpack("STATUS", device.read_register("STATUS"))
        states = [state for state in ("BUSY", "ERROR", "RESETTING", "CLEARING") if status[state]]
        if not states:
            return
    raise Fault(f"STATUS.{states[0]} stays set after a soft reset")


def check_registers(bench: Bench) -> None:
    """Check that the device becomes idle and that registers keep the values written to them."""
    device = bench.device
    _check_idle(device)
    for name in ("MEM_BASE", "PROGRAM_ADDR", "PROGRAM_COUNT", "WATCHDOG", "WINDOW3_BASE"):
        before = device.read_register(name)
        for pattern in (0xA5A5A5A5, 0x5A5A5A5A, 0xFFFFFFFF, 0):
            pattern &= -register_map.BY_NAME[name].align      # other values are rejected
            device.write_register(name, pattern)
            found = device.read_register(name)
            if found != pattern:
                raise Fault(f"register {name} is {found:#010x} after a write of {pattern:#010x}")
        device.write_register(name, before)


def check_errors(bench: Bench) -> None:
    """Check that an out-of-bounds instruction is rejected and that the next program runs."""
    config = bench.config
    program = Program(config=config, memory_bytes=4096, windows=(Window(0, 4096),),
                      instructions=isa.encode("FILL", count=1, bytes=2,
                                              local_addr=config.spad_bytes - 1))
    try:
        bench.device.run(program, limit=LIMIT)
    except DeviceError as error:
        if error.record.code != "SPAD_BOUNDS":
            raise Fault("a FILL beyond the end of the scratchpad reported "
                        f"{error.record}") from None
    else:
        raise Fault("a FILL beyond the end of the scratchpad was executed")
    fill: Step = ("FILL", {"count": 1, "bytes": 16, "local_addr": 0, "value": 0x3C})
    found, expected = bench.compute(np.zeros(0, np.int8), [fill], 16)
    if not np.array_equal(found, expected):
        raise Fault("the program after a rejected one gives a wrong result")
