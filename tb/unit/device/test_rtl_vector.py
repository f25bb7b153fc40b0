"""Long instructions of VECTOR on the whole RTL count as progress for the watchdog."""

import pytest

from weft.spec import isa
from weft.spec.presets import preset
from weft_host.device import EmulatorDevice, RtlDevice
from weft_host.program.file import Program
from weft_host.program.tensor import Window

CONFIG = preset("tiny")
MEMORY = 1 << 15


@pytest.mark.parametrize("name, fields", [
    ("MAP", dict(count=30, bytes=600, op=1, clamp_min=-128, clamp_max=127)),    # 18,000 cycles
    ("SOFTMAX", dict(count=5, bytes=900)),          # no write during two thirds of each row
])
def test_a_long_instruction_does_not_trigger_the_watchdog(name, fields):
    tables = [isa.encode("TABLE", table=table, multiplier=1 << 30, shift=56) for table in (0, 1)]
    tables[0] = tables[0][:1] + bytes([tables[0][1] | 1]) + tables[0][2:]     # waits for LOAD
    instructions = [
        isa.encode("LOAD", count=1, bytes=1024, host_addr=0x1000, signal=4), *tables,
        isa.encode(name, a_addr=3, out_addr=1100, signal=8, **fields),
        isa.encode("STORE", count=1, bytes=900, host_addr=0x2000, local_addr=1100, wait=4)]
    constants = bytes(byte * 37 % 251 for byte in range(1024))
    program = Program(
        config=CONFIG, instructions=b"".join(instructions), memory_bytes=MEMORY,
        image=((0x1000, constants),), inputs=(), outputs=(),
        windows=(Window(0, 0x1400), Window(0x2000, 0x400, True, True)))
    found = []
    with RtlDevice(CONFIG, memory_bytes=MEMORY) as rtl:
        for device in (EmulatorDevice(CONFIG, memory_bytes=MEMORY), rtl):
            # longer than SOFTMAX reads a row, but much shorter than the instruction
            device.run(program, [], watchdog=300, limit=100_000)
            found.append(device.read_memory(0x2000, 900))
    assert found[0] == found[1] and len(set(found[0])) > 2
