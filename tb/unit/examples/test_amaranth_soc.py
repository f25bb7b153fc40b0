"""Amaranth example: a complete program through its ports, in Amaranth's simulator."""

import subprocess
import sys

import numpy as np
import pytest

import weft
from examples.amaranth_soc import SoC
from support.axi_manager import AxiManager, Burst
from support.bench import run_bench
from support.seeds import seed
from weft.spec import register_map
from weft.spec.presets import PRESETS, preset
from weft.verilog import port_list
from weft_host import EmulatorDevice, compile_gemm
from weft_host.register_words import pack

MEMORY_BYTES = 1 << 16
pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


class Recorder(EmulatorDevice):
    """Emulator that records register writes, and the memory contents at the start."""

    def __init__(self, config):
        self.writes = []
        super().__init__(config, memory_bytes=MEMORY_BYTES)

    def write_register(self, name, value):
        self.writes.append((name, value))
        super().write_register(name, value)

    def start(self):
        self.before = self.memory.data.tobytes()
        super().start()


def product(config):
    """Return a program, the emulator that ran it, and its output."""
    draw = np.random.default_rng(seed(3))
    a = draw.integers(-128, 128, (5, 9)).astype(np.int8)
    program = compile_gemm(5, 9, 6, config, b=draw.integers(-128, 128, (9, 6)).astype(np.int8),
                           scale=0.01, zero_point=3)
    device = Recorder(config)
    return program, device, device.run(program, [a]).outputs["c"]


def bursts(config, raw):
    """Yield single-beat writes of the words of ``raw`` that are not zero, from address 0 on."""
    step = config.bus_bytes
    full = (1 << step) - 1
    for at in range(0, len(raw), step):
        word = int.from_bytes(raw[at:at + step], "little")
        if word:
            yield Burst(at, [(word, full)], size=step.bit_length() - 1)


async def write_register(ctx, bus, offset, value):
    """Write a register and return the response."""
    for signal, given in ((bus.awaddr, offset), (bus.wdata, value), (bus.wstrb, 15),
                          (bus.awvalid, 1), (bus.wvalid, 1), (bus.bready, 1)):
        ctx.set(signal, given)
    while True:
        _, _, awready, wready, bvalid, bresp = await ctx.tick().sample(
            bus.awready, bus.wready, bus.bvalid, bus.bresp)
        if awready:
            ctx.set(bus.awvalid, 0)
        if wready:
            ctx.set(bus.wvalid, 0)
        if bvalid:
            ctx.set(bus.bready, 0)
            return bresp


@pytest.mark.parametrize("name", ["tiny", "icebreaker"])
def test_runs_a_program_and_interrupts(name):
    config = preset(name)
    program, device, expected = product(config)
    output = program.outputs[0]
    found = []

    async def bench(ctx, dut):
        await AxiManager(dut.host, writes=bursts(config, device.before)).run(ctx)
        settings = [(name, value) for name, value in device.writes if name != "CONTROL"]
        settings += [("IRQ_ENABLE", pack("IRQ_ENABLE", DONE=1)),
                     ("CONTROL", pack("CONTROL", START=1))]
        for register, value in settings:
            offset = register_map.BY_NAME[register].offset
            assert await write_register(ctx, dut.registers, offset, value) == 0, register
        assert not ctx.get(dut.irq)
        await ctx.posedge(dut.irq)
        start = output.offset & -config.bus_bytes
        end = output.offset + output.span
        reads = [Burst(at, 1, size=config.bus_bytes.bit_length() - 1)
                 for at in range(start, end, config.bus_bytes)]
        await AxiManager(dut.host, reads=reads).run(ctx)
        raw = b"".join(burst.responses[0][0].to_bytes(config.bus_bytes, "little")
                       for burst in reads)
        found.append(output.unpack(raw[output.offset - start:end - start]))

    run_bench(SoC(config, memory_bytes=MEMORY_BYTES), bench, cycles=20_000)
    assert len(np.unique(expected)) > 5
    np.testing.assert_array_equal(found[0], expected)


def test_package_imports_the_accelerator_on_first_use():
    script = ("import sys, weft\n"
              "assert not any(name.split('.')[0] == 'amaranth' for name in sys.modules)\n"
              "from weft import Accelerator\n"
              "import weft.accelerator, weft.instance\n"
              "assert Accelerator is weft.Accelerator is weft.accelerator.Accelerator\n"
              "assert weft.make_accelerator is weft.instance.make_accelerator\n")
    subprocess.run([sys.executable, "-c", script], check=True)
    with pytest.raises(AttributeError, match="^module 'weft' has no attribute 'Acelerator'$"):
        weft.Acelerator


@pytest.mark.parametrize("name", PRESETS)
def test_make_accelerator_selects_the_engine(name):
    config = preset(name)
    assert isinstance(weft.make_accelerator(config), weft.Accelerator) is not config.compact
    if config.compact:
        with pytest.raises(ValueError, match=f"^configuration {name!r} is compact: use "
                                             "weft.make_accelerator to create its serial engine$"):
            weft.Accelerator(config)


def test_soc_has_three_ports():
    config = preset("tiny")
    names = {name.split("_")[0] for name in port_list(SoC(config))}
    assert names == {"registers", "host", "irq"}


def test_rejects_an_invalid_memory_size():
    with pytest.raises(ValueError, match="^size must be a power of two of at least 4096 bytes, "
                                         "not 5000$"):
        SoC(preset("tiny"), memory_bytes=5000)


def test_script_writes_verilog(tmp_path):
    command = [sys.executable, "examples/amaranth_soc.py", "--preset"]
    path = tmp_path / "soc.v"
    subprocess.run([*command, "tiny", "-o", path], check=True, capture_output=True)
    assert "module soc(" in path.read_text()
    failed = subprocess.run([*command, "big", "-o", path], capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith("amaranth_soc: no preset 'big'; there are tiny,")
