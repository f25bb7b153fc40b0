"""LiteX example without its simulator: ports, bus, firmware, verdict, missing tools."""

import re
import sys
import types

import numpy as np
import pytest
from build_soc import DIGITS, write_program
from first_layer import first_layer
from weft_ports import PORTS, REGISTER_ADDR_WIDTH, instance_ports

import litex_soc
from support import litert
from weft.instance import make_accelerator
from weft.spec import register_map
from weft.spec.presets import PRESETS, preset
from weft.verilog import port_list
from weft_host import CapacityError
from weft_host.tflite_writer import ModelWriter
from weft_host.verilog.ports import port_groups, port_names

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


class FakeBus:
    """Bus with signals of any name, which records the path and the slice of a signal."""

    def __init__(self, path):
        self.path = path

    def __getattr__(self, name):
        return FakeBus(f"{self.path}.{name}")

    def __getitem__(self, key):
        return FakeBus(f"{self.path}[{key.start or 0}:{key.stop}]")


@pytest.mark.parametrize("name", PRESETS)
def test_ports_match_the_accelerator(name):
    ports = port_list(make_accelerator(preset(name, bus_width=32)))
    found = {port: direction.name[0].lower() for port, (_, direction) in ports.items()}
    expected = {port: direction for port, (direction, *_) in PORTS.items()}
    assert found == {**expected, "irq": "o"}


def test_ports_match_the_verilog():
    names = port_names(port_groups(preset("icebreaker")))
    assert sorted(names) == sorted([*PORTS, "clk", "rst", "irq"])


def test_instance_connects_every_port_once():
    arguments = instance_ports(FakeBus("registers"), FakeBus("memory"))
    assert len(arguments) == len(PORTS)
    paths = {port: signal.path for port, signal in arguments.items()}
    assert len(set(paths.values())) == len(PORTS)
    assert paths["i_s_axil_awaddr"] == f"registers.aw.addr[0:{REGISTER_ADDR_WIDTH}]"
    assert paths["o_m_axi_araddr"] == "memory.ar.addr"
    assert paths["i_m_axi_rlast"] == "memory.r.last"
    assert REGISTER_ADDR_WIDTH == register_map.ADDR_WIDTH


@pytest.mark.parametrize("width", [32, 64])
def test_widths_match_litex(width):
    from litex.soc.interconnect import axi
    config = preset("small", bus_width=width)
    ports = port_list(make_accelerator(config))
    signals = instance_ports(axi.AXILiteInterface(data_width=32, address_width=32),
                             axi.AXIInterface(data_width=width, address_width=32, id_width=1))
    assert {port[2:]: len(signal) for port, signal in signals.items()} == \
        {port: len(value) for port, (value, _) in ports.items() if port != "irq"}


def test_soc_connects_weft_to_its_bus(tmp_path, monkeypatch):
    # data packages of the extra `litex`, of which LiteX only writes the locations
    for name in ("cpu_vexriscv", "software_picolibc", "software_compiler_rt", "misc_tapcfg"):
        monkeypatch.setitem(sys.modules, f"pythondata_{name}",
                            types.SimpleNamespace(data_location=str(tmp_path / name)))
    from litex.build.sim.config import SimConfig
    from litex.soc.integration.builder import Builder
    from weft_soc import CLOCK_HZ, Platform, WeftSoC

    class Bare(WeftSoC):
        """SoC without software."""

        def init_mems(self, **_):
            pass

    soc = Bare(Platform(), preset("small", bus_width=32), tmp_path / "weft.v", None)
    soc.integrated_rom_initialized = True
    clock = SimConfig()
    clock.add_clocker("sys_clk", freq_hz=CLOCK_HZ)
    Builder(soc, output_dir=str(tmp_path), compile_software=False, compile_gateware=False).build(
        build_name="sim", sim_config=clock, run=False)
    text = (tmp_path / "gateware" / "sim.v").read_text()
    instance = re.search(r"^weft weft\((.*?)^\);", text, re.MULTILINE | re.DOTALL)[1]
    connected = re.findall(r"\.(\w+)\s*\(\s*([^()]+?)\s*\)", instance)
    assert sorted(port for port, _ in connected) == sorted([*PORTS, "clk", "rst", "irq"])
    headers = tmp_path / "software" / "include" / "generated"
    base = int(re.search(r"WEFT_BASE (0x\w+)L", (headers / "mem.h").read_text())[1], 16)
    assert base >= 0x8000_0000 and base % (1 << REGISTER_ADDR_WIDTH) == 0    # uncached
    assert "WEFT_INTERRUPT" in (headers / "soc.h").read_text()


def test_rejects_other_address_widths():
    from weft_core import Weft
    with pytest.raises(ValueError, match="^addr_width must be the 32 of LiteX's bus, not 24$"):
        Weft(None, preset("small", addr_width=24), "weft.v")


def test_rejects_a_program_that_does_not_fit(tmp_path):
    m = ModelWriter()
    x = m.input("x", (1, 1, 1, 512), scale=0.1)
    w = m.constant("w", np.zeros((1024, 1, 1, 512), np.int8), scale=[0.1] * 1024)
    b = m.constant("b", np.zeros(1024, np.int32), scale=[0.01] * 1024)
    y = m.tensor("y", (1, 1, 1, 1024), scale=0.1)
    m.operator("CONV_2D", [x, w, b], [y], padding="VALID")
    m.output(y)
    with pytest.raises(CapacityError, match=r"^firmware, program and tensors need 1\d{6} bytes of "
                                            "main memory; the SoC has 524288$"):
        write_program(tmp_path, preset("small", bus_width=32), m.finish(), damage=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name, bus_width", [("small", 32), ("icebreaker", 32), ("small", 64)])
def test_firmware_expects_the_results_of_the_reference_kernels(tmp_path, name, bus_width):
    write_program(tmp_path, preset(name, bus_width=bus_width), None, damage=False)
    text = (tmp_path / "weft_program.h").read_text()
    found = [bytes(map(int, re.findall(r"\d+", raw))) for raw in re.findall(
        r"uint8_t weft_outputs_\d+\[\d+\] = \{(.*?)\};", text, re.DOTALL)]
    expected, = litert.outputs(first_layer(DIGITS / "digits.tflite"),
                               [np.load(DIGITS / "digits.npz")["images"][:1]])
    assert len(np.unique(expected)) > 50
    assert found == [expected.tobytes()]


@pytest.mark.parametrize("console, expected", [
    (["bit-exact: 512 bytes, twice"], None),
    (["LiteX", "bit-exact: 512 bytes, twice", ""], None),
    ([], "the firmware did not report bit-exact"),
    (["not bit-exact"], "the firmware did not report bit-exact"),
    (["this is bit-exact: 512 bytes, twice"], "the firmware did not report bit-exact"),
    (["bit-exact: 0 bytes, twice"],
     "the firmware compared 0 bytes; the program has 512 of output"),
])
def test_verdict_requires_the_report_of_the_firmware(console, expected):
    assert litex_soc.verdict(console, 512) == expected


def test_lists_missing_tools(monkeypatch):
    monkeypatch.setattr(litex_soc, "MODULES", {"json": "json", "no_such_module": "no-such"})
    monkeypatch.setattr(litex_soc, "COMPILER", "no-such-compiler")
    monkeypatch.setattr(litex_soc, "HEADERS", {"no/such.h": "no-such-dev"})
    assert litex_soc.missing_tools() == [
        "the Python package no-such is missing",
        "the Debian package gcc-riscv64-unknown-elf is missing",
        "the Debian package no-such-dev is missing"]


def test_rejects_an_unknown_preset(monkeypatch):
    monkeypatch.setattr(litex_soc, "missing_tools", list)
    monkeypatch.setattr("sys.argv", ["litex_soc.py", "--preset", "big"])
    with pytest.raises(SystemExit, match="^litex: no preset 'big'; there are tiny,"):
        litex_soc.main()
