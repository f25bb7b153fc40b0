"""Generate the SoC, its software and all other files for LiteX's simulator."""

import argparse
import os
import pathlib
import subprocess
import sys

import numpy as np
from first_layer import first_layer
from litex.build.sim.config import SimConfig
from litex.soc.integration.builder import Builder
from weft_soc import CLOCK_HZ, MAIN_RAM_BYTES, Platform, WeftSoC

from weft.spec.presets import preset
from weft_host import CapacityError, EmulatorDevice, WeftError, compile
from weft_host.program.c_header import c_header
from weft_host.verilog import verilog_module

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DIGITS = ROOT / "examples" / "digits"
BUS_WIDTH = 32                  # width of LiteX's bus; another width of Weft needs a converter
CODE_BYTES = 0x8000             # upper bound of the firmware's code in main memory


def write_program(folder, config, model, damage):
    """Write ``weft_program.h``: a model, an input, and the output of the emulator."""
    if model is None:
        program = compile(first_layer(DIGITS / "digits.tflite"), config)
        images = np.load(DIGITS / "digits.npz")["images"]
        inputs = {program.inputs[0].name: images[:1]}
    else:
        program = compile(model, config)
        draw = np.random.default_rng(1)
        inputs = {tensor.name: draw.integers(-128, 128, tensor.shape).astype(tensor.dtype)
                  for tensor in program.inputs}
    outputs = EmulatorDevice(config).run(program, inputs).outputs
    count = sum(array.nbytes for array in outputs.values())
    # program and tensors exist twice: in the firmware and in Weft's memory
    needed = CODE_BYTES + program.memory_bytes + len(program.instructions) + count + sum(
        len(raw) for _, raw in program.image) + sum(array.nbytes for array in inputs.values())
    if needed > MAIN_RAM_BYTES:
        raise CapacityError(f"firmware, program and tensors need {needed} bytes of main memory; "
                            f"the SoC has {MAIN_RAM_BYTES}")
    if damage:
        # firmware that reports bit-exact for this output compares nothing
        name, array = next(iter(outputs.items()))
        outputs[name] = array.copy()
        outputs[name].flat[-1] ^= 1
    (folder / "weft_program.h").write_text(c_header(program, inputs, outputs))
    (folder / "expected_bytes").write_text(f"{count}\n")
    print(f"{program.instruction_count} instructions, {count} bytes of output", flush=True)


def make_firmware(output, generated):
    """Compile the firmware with the headers and libraries of LiteX's builder in ``output``."""
    folder = output / "firmware"
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["make", "-C", folder, "-f", HERE / "firmware" / "Makefile",
                           f"BUILD={output}", f"SOURCES={HERE}", f"GENERATED={generated}"])
    if done.returncode:
        sys.exit("build_soc: the firmware did not compile; see the output of make")
    return folder / "firmware.bin"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="output folder")
    parser.add_argument("--preset", default="small", help="Weft's configuration")
    parser.add_argument("--model", type=pathlib.Path,
                        help="int8 .tflite file; default: the first layer of examples/digits")
    parser.add_argument("--damage", action="store_true",
                        help="expect one wrong byte, to test the comparison")
    parser.add_argument("--bus-width", type=int, default=BUS_WIDTH,
                        help="width of Weft's memory port; other than %(default)s uses a converter")
    options = parser.parse_args()

    try:
        config = preset(options.preset, bus_width=options.bus_width)
        output = options.folder.resolve()
        generated = output / "generated"
        generated.mkdir(parents=True, exist_ok=True)
        write_program(generated, config, options.model, options.damage)
    except (WeftError, ValueError) as error:
        sys.exit(f"build_soc: {error}")
    (generated / "weft.v").write_text(verilog_module(config))
    subprocess.run([sys.executable, ROOT / "scripts" / "generate_header.py", "-o",
                    generated / "weft_regs.h"], check=True)

    soc = WeftSoC(Platform(), config, generated / "weft.v",
                  lambda: make_firmware(output, generated))
    simulator = SimConfig()
    simulator.add_clocker("sys_clk", freq_hz=CLOCK_HZ)
    simulator.add_module("serial2console", "serial")
    Builder(soc, output_dir=str(output), compile_gateware=False, bios_console="lite").build(
        build_name="sim", sim_config=simulator, run=False, opt_level="O3", jobs=os.cpu_count())


if __name__ == "__main__":
    main()
