"""CLEAR and soft reset on the RTL: what a second program finds of the first one."""

import numpy as np
import pytest

from support.fixed_point_simulators import ONE_LINE as FIXED_POINT
from support.fixed_point_simulators import quick_device
from support.programs import MEMORY_BYTES
from support.seeds import seed
from support.tenants import leaving_program, reading_program, ring_program
from weft.spec import register_map
from weft.spec.presets import preset
from weft_host.device import EmulatorDevice, RtlDevice
from weft_host.register_words import pack

LIMIT = 20_000_000


@pytest.fixture(scope="module", params=[preset("tiny"), preset("icebreaker"), FIXED_POINT],
                ids=lambda config: config.name)
def rtl(request):
    if request.param is FIXED_POINT:
        device = quick_device(FIXED_POINT, memory_bytes=MEMORY_BYTES, stalls="both", seed=seed())
    else:
        device = RtlDevice(request.param, memory_bytes=MEMORY_BYTES, latency=7)
    with device as opened:
        yield opened


def read_all(device, config):
    """Return everything that a program finds in a device, as bytes."""
    limit = {} if isinstance(device, EmulatorDevice) else {"limit": LIMIT}
    steps = [device.read_register(register.name)
             for register in register_map.STEP_REGISTERS if config.fixed_point]
    programs = [reading_program(config)] + [ring_program(config)] * config.fixed_point
    found = [device.run(program, **limit).outputs["found"] for program in programs]
    return np.concatenate([*found, np.array(steps, "<u4").view(np.int8)])


def leave(devices, config):
    """Run the first program on each device, and write its step registers."""
    for device in devices:
        limit = {} if isinstance(device, EmulatorDevice) else {"limit": LIMIT}
        for number, register in enumerate(register_map.STEP_REGISTERS if config.fixed_point
                                          else ()):
            device.write_register(register.name, number + 1)
        device.run(leaving_program(config, seed(3)), **limit)


def test_a_program_finds_nothing_after_clear(rtl):
    config = rtl.config
    emulator = EmulatorDevice(config, memory_bytes=MEMORY_BYTES)
    nothing = read_all(EmulatorDevice(config, memory_bytes=MEMORY_BYTES), config)
    leave((rtl, emulator), config)
    for device in (emulator, rtl):
        device.clear()
        wrong = np.flatnonzero(read_all(device, config) != nothing)
        assert not len(wrong), f"{device}: {len(wrong)} of {len(nothing)} bytes, first {wrong[0]}"


def test_a_program_finds_the_same_after_a_soft_reset_as_without(rtl):
    config = rtl.config
    emulator = EmulatorDevice(config, memory_bytes=MEMORY_BYTES)
    leave((rtl, emulator), config)
    kept = read_all(emulator, config)
    assert np.count_nonzero(kept) > 0.9 * len(kept)
    leave((rtl, emulator), config)
    for device in (emulator, rtl):
        device.soft_reset()
        wrong = np.flatnonzero(read_all(device, config) != kept)
        assert not len(wrong), f"{device}: {len(wrong)} of {len(kept)} bytes, first {wrong[0]}"


@pytest.mark.parametrize("register, value", [
    ("CONTROL", pack("CONTROL", SOFT_RESET=1)), ("IRQ_STATUS", 3), ("PROGRAM_COUNT", 1)])
@pytest.mark.parametrize("reads", [0, 3])
def test_clear_is_complete_after_a_write_in_the_meantime(rtl, register, value, reads):
    """CLEARING stays set until everything is zero, also during and after a soft reset."""
    config = rtl.config
    nothing = read_all(EmulatorDevice(config, memory_bytes=MEMORY_BYTES), config)
    leave((rtl,), config)
    rtl.write_register("CONTROL", pack("CONTROL", CLEAR=1))
    for _ in range(reads):
        rtl.read_register("STATUS")
    rtl.write_register(register, value)
    assert rtl.read_register("STATUS") & pack("STATUS", CLEARING=1)
    while rtl.read_register("STATUS") & pack("STATUS", CLEARING=1, RESETTING=1):
        pass
    wrong = np.flatnonzero(read_all(rtl, config) != nothing)
    assert not len(wrong), f"{len(wrong)} of {len(nothing)} bytes, first {wrong[0]}"
