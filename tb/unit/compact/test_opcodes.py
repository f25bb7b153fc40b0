"""Opcodes that the serial engine does not have, compared with the emulator."""

import pytest

from weft.spec import isa
from weft.spec.isa import ErrorCode
from weft.spec.presets import preset
from weft_host.device import EmulatorDevice, RtlDevice
from weft_host.errors import DeviceError
from weft_host.program.file import Program
from weft_host.program.tensor import Window

CONFIG = preset("icebreaker", spad_bytes=1024)
MEMORY = 1 << 14


def record(device, name):
    """Return the error record of a program with a SYNC and the instruction ``name``."""
    program = Program(config=CONFIG, instructions=isa.encode("SYNC_LOAD") + isa.encode(name),
                      memory_bytes=MEMORY, image=(), inputs=(), outputs=(),
                      windows=(Window(0, MEMORY),))
    with pytest.raises(DeviceError) as caught:
        device.run(program, [], limit=100_000)
    device.soft_reset()
    return caught.value.record


def test_the_fixed_point_instructions_and_their_variants_are_unknown():
    emulator = EmulatorDevice(CONFIG, memory_bytes=MEMORY)
    with RtlDevice(CONFIG, memory_bytes=MEMORY) as rtl:
        for instruction in (*isa.FIXED_POINT_INSTRUCTIONS, *isa.FOUR_BIT_INSTRUCTIONS,
                            *isa.STEP_INSTRUCTIONS):
            found = record(rtl, instruction.name)
            assert found == record(emulator, instruction.name), instruction.name
            assert found.code == ErrorCode.ILLEGAL_OPCODE.name and found.index == 1
