"""C driver, compiled for this machine, on the emulator's registers and memory."""

import ctypes
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from first_layer import first_layer

from weft.spec import register_map
from weft.spec.isa import ErrorCode
from weft.spec.presets import preset
from weft_host import EmulatorDevice, RegisterError, compile
from weft_host.program.c_header import c_header
from weft_host.register_words import pack

ROOT = pathlib.Path(__file__).resolve().parents[3]
DRIVER = ROOT / "examples" / "litex" / "driver"
DIGITS = ROOT / "examples" / "digits"
CONFIG = preset("small", bus_width=32)
BASE = 0x4000_1000
RESULTS = re.search(r"enum weft_result \{(.*?)\};", (DRIVER / "weft.h").read_text(), re.DOTALL)[1]
RESULTS = {name: value for value, name in enumerate(
    re.findall(r"^ +(WEFT_[A-Z_]+)", RESULTS, re.MULTILINE))}

HARNESS = """\
#include "weft.h"
#include "weft_program.h"

static struct weft device;

void connect(uint32_t (*read)(void *, uint32_t), void (*write)(void *, uint32_t, uint32_t),
             uint8_t *memory, uint32_t base, uint32_t bytes)
{
    struct weft made = {read, write, NULL, memory, base, bytes};
    device = made;
}
int load(void) { return weft_load(&device, &weft_program); }
void start(void) { weft_start(&device); }
int wait(unsigned polls) { return weft_wait(&device, polls); }
int reset(void) { return weft_reset(&device); }
unsigned counter(unsigned offset) { return weft_counter(&device, offset); }
void error(uint32_t found[5])
{
    struct weft_error error;
    weft_error(&device, &error);
    found[0] = error.code; found[1] = error.unit; found[2] = error.index;
    found[3] = error.address; found[4] = error.waits;
}
void copy_inputs(void)
{
    for (size_t index = 0; index < WEFT_PROGRAM_INPUTS; index++)
        for (uint32_t byte = 0; byte < weft_inputs[index].size; byte++)
            device.memory[weft_inputs[index].offset + byte] = weft_inputs[index].bytes[byte];
}
unsigned wrong(void)
{
    unsigned count = 0;
    for (size_t index = 0; index < WEFT_PROGRAM_OUTPUTS; index++)
        for (uint32_t byte = 0; byte < weft_outputs[index].size; byte++)
            count += device.memory[weft_outputs[index].offset + byte] !=
                     weft_outputs[index].bytes[byte];
    return count;
}
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Return the program of the first layer of digits, and a folder with headers and harness."""
    folder = tmp_path_factory.mktemp("driver")
    program = compile(first_layer(DIGITS / "digits.tflite"), CONFIG)
    inputs = {program.inputs[0].name: np.load(DIGITS / "digits.npz")["in0"]}
    outputs = EmulatorDevice(CONFIG).run(program, inputs).outputs
    (folder / "weft_program.h").write_text(c_header(program, inputs, outputs))
    (folder / "harness.c").write_text(HARNESS)
    subprocess.run([sys.executable, ROOT / "scripts" / "generate_header.py", "-o",
                    folder / "weft_regs.h"], check=True, capture_output=True)
    return program, folder


@pytest.fixture(scope="module")
def library(sources):
    """Return the program, and the library of driver, program and harness."""
    program, folder = sources
    subprocess.run(["gcc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1", "-shared",
                    "-fPIC", f"-I{DRIVER}", f"-I{folder}", folder / "harness.c",
                    DRIVER / "weft.c", "-o", folder / "driver.so"], check=True)
    return program, ctypes.CDLL(str(folder / "driver.so"))


def test_the_example_in_the_documentation_compiles(sources, tmp_path):
    _, folder = sources
    page = (ROOT / "docs" / "integration.md").read_text()
    code, = re.findall(r"^```c\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "model.h").write_text((folder / "weft_program.h").read_text())
    (tmp_path / "run.c").write_text(code)
    subprocess.run(["gcc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-c",
                    f"-I{DRIVER}", f"-I{folder}", f"-I{tmp_path}", tmp_path / "run.c", "-o",
                    tmp_path / "run.o"], check=True)


class Bench:
    """Driver on an emulator. Rejected writes are ignored, as processors may do."""

    def __init__(self, library, config=CONFIG, memory_bytes=1 << 16):
        self.program, self.driver = library
        self.device = EmulatorDevice(config, memory_base=BASE, memory_bytes=memory_bytes)
        self.overrides = {}         # values to read instead, by register
        self.rejected = []
        names = {register.offset: register.name for register in register_map.REGISTERS}

        def read(_, offset):
            name = names[offset]
            return self.overrides.get(name, self.device.read_register(name))

        def write(_, offset, value):
            try:
                self.device.write_register(names[offset], value)
            except RegisterError:
                self.rejected.append(names[offset])

        u32 = ctypes.c_uint32
        self._kept = (ctypes.CFUNCTYPE(u32, ctypes.c_void_p, u32)(read),
                      ctypes.CFUNCTYPE(None, ctypes.c_void_p, u32, u32)(write))
        self.driver.connect(*self._kept, self.device.memory.data.ctypes.data_as(ctypes.c_void_p),
                            BASE, memory_bytes)

    def load(self):
        return self._name(self.driver.load())

    def run(self):
        self.driver.copy_inputs()
        self.driver.start()
        return self._name(self.driver.wait(10))

    @staticmethod
    def _name(value):
        return next(name for name, number in RESULTS.items() if number == value)

    def error(self):
        found = (ctypes.c_uint32 * 5)()
        self.driver.error(found)
        return list(found)


def test_results_are_read_from_the_header():
    assert list(RESULTS)[:2] == ["WEFT_DONE", "WEFT_RUNNING"] and len(RESULTS) == 9


def test_a_cpp_program_links_with_the_driver(sources, tmp_path):
    _, folder = sources
    (tmp_path / "harness.cc").write_text(HARNESS)
    flags = ["-Wall", "-Wextra", "-Werror", "-fPIC", f"-I{DRIVER}", f"-I{folder}"]
    subprocess.run(["gcc", "-std=c99", *flags, "-c", DRIVER / "weft.c", "-o", tmp_path / "weft.o"],
                   check=True)
    subprocess.run(["g++", "-std=c++11", "-pedantic", *flags, "-shared", "-Wl,-z,defs",
                    tmp_path / "harness.cc", tmp_path / "weft.o", "-o", tmp_path / "driver.so"],
                   check=True)


def test_runs_a_program_twice(library):
    bench = Bench(library)
    assert bench.load() == "WEFT_DONE"
    count = sum(tensor.span for tensor in bench.program.outputs)
    done = []
    for _ in range(2):
        for tensor in bench.program.outputs:
            bench.device.memory.data[tensor.offset:tensor.offset + tensor.span] = 0xA5
        assert bench.driver.wrong() > count // 2
        assert bench.run() == "WEFT_DONE"
        assert bench.driver.wrong() == 0
        assert bench.device.read_register("IRQ_STATUS") == 0
        instructions = register_map.BY_NAME["COUNTER_INSTRUCTIONS"].offset
        done.append(bench.driver.counter(instructions))
    assert done[0] == done[1] >= bench.program.instruction_count
    assert not bench.rejected


def test_sets_the_same_registers_as_the_python_driver(library):
    bench = Bench(library)
    for name in ("WINDOW1", "WINDOW3"):         # windows of an earlier program
        bench.device.write_register(f"{name}_LAST", 0xFFFF_FFFF)
        bench.device.write_register(f"{name}_CTRL", pack("WINDOW0_CTRL", READ=1, WRITE=1))
    bench.load()
    other = EmulatorDevice(CONFIG, memory_base=BASE, memory_bytes=1 << 16)
    other.load(bench.program)
    names = [register.name for register in register_map.REGISTERS
             if register.access == "RW" and register.name != "IRQ_ENABLE"]
    assert {name: bench.device.read_register(name) for name in names} == \
        {name: other.read_register(name) for name in names}
    assert bench.device.read_register("IRQ_ENABLE") == pack("IRQ_ENABLE", DONE=1, ERROR=1)
    end = len(bench.program.instructions)
    assert bench.device.read_memory(BASE, end) == bench.program.instructions


@pytest.mark.parametrize("override, expected", [
    ({"ID": 0}, "WEFT_ABSENT"),
    ({"VERSION": 255}, "WEFT_OTHER_ISA"),
    ({"CONFIG_HASH": 1}, "WEFT_OTHER_CONFIGURATION"),
    ({"MEM_BASE": 0}, "WEFT_REFUSED"),
    ({"STATUS": pack("STATUS", BUSY=1, RESETTING=1)}, "WEFT_STUCK"),
])
def test_rejects_a_device_before_accessing_memory(library, override, expected):
    bench = Bench(library)
    bench.overrides = override
    assert bench.load() == expected
    if expected != "WEFT_REFUSED":
        assert not bench.device.memory.data.any()


def test_rejects_a_memory_that_is_too_small(library):
    bench = Bench(library, memory_bytes=4096)
    assert bench.load() == "WEFT_SMALL_MEMORY"
    assert not bench.device.memory.data.any()


def test_accepts_a_locked_window_only_with_the_right_values(library):
    bench = Bench(library)
    for name, value in (("BASE", BASE), ("LAST", BASE + bench.program.windows[0].size - 1),
                        ("CTRL", pack("WINDOW0_CTRL", READ=1, LOCK=1))):
        bench.device.write_register(f"WINDOW0_{name}", value)
    assert bench.load() == "WEFT_DONE"
    assert bench.run() == "WEFT_DONE"
    bench = Bench(library)
    bench.device.write_register("WINDOW1_CTRL", pack("WINDOW1_CTRL", LOCK=1))
    assert bench.load() == "WEFT_REFUSED"


def test_reports_an_error_and_recovers(library):
    bench = Bench(library)
    bench.load()
    output = bench.program.outputs[0]
    bench.device.fault(BASE + output.offset, output.span, "SLVERR", "write")
    assert bench.run() == "WEFT_FAILED"
    code, unit, index, address, _ = bench.error()
    assert code == ErrorCode.BUS_SLVERR and unit == 3
    assert 0 < index < bench.program.instruction_count
    assert BASE + output.offset <= address < BASE + output.offset + output.span
    bench.device.clear_faults()
    assert bench.load() == "WEFT_DONE"
    assert bench.run() == "WEFT_DONE" and bench.driver.wrong() == 0


def test_reports_a_running_program(library):
    bench = Bench(library)
    bench.load()
    bench.overrides = {"STATUS": pack("STATUS", BUSY=1)}
    assert bench.run() == "WEFT_RUNNING"
