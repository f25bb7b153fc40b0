"""Generated C header: it compiles, and its constants equal those of the tables."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from weft.spec import isa, register_map

SCRIPT = pathlib.Path(__file__).resolve().parents[3] / "scripts" / "generate_header.py"

PROGRAM = """\
#include <stdio.h>
#include "weft_regs.h"
int main(void)
{
    uint8_t drain[WEFT_INSTRUCTION_BYTES] = {0};
    weft_set_field(drain, 0, 8, WEFT_OP_DRAIN);
    weft_set_field(drain, WEFT_DRAIN_OUT_ADDR_BIT, WEFT_DRAIN_OUT_ADDR_WIDTH, 0xABCDEF);
    weft_set_field(drain, WEFT_DRAIN_CLAMP_MIN_BIT, WEFT_DRAIN_CLAMP_MIN_WIDTH, -128);
    for (int i = 0; i < WEFT_INSTRUCTION_BYTES; i++)
        printf("%02x", drain[i]);
    printf(" %x %x %d\\n", WEFT_STATUS, WEFT_STATUS_UNITS_MASK, WEFT_STATUS_UNITS_SHIFT);
    return 0;
}
"""


@pytest.fixture(scope="module")
def header(tmp_path_factory):
    path = tmp_path_factory.mktemp("header") / "weft_regs.h"
    subprocess.run([sys.executable, SCRIPT, "-o", path], check=True, capture_output=True)
    return path


def test_reports_an_impossible_output_path():
    done = subprocess.run([sys.executable, SCRIPT, "-o", "/dev/null/x"], capture_output=True,
                          text=True)
    assert done.returncode == 1
    assert re.fullmatch(r"generate_header: .*: '/dev/null'\n", done.stderr)


def test_defines_every_register_instruction_and_error(header):
    defines = {line.split()[1]: line.split()[2] for line in header.read_text().splitlines()
               if line.startswith("#define") and len(line.split()) > 2}
    for register in register_map.REGISTERS:
        assert int(defines[f"WEFT_{register.name}"].rstrip("u"), 16) == register.offset
    assert int(defines["WEFT_STEP_REGISTERS"]) == len(register_map.STEP_REGISTERS)
    assert int(defines["WEFT_STEP0"].rstrip("u"), 16) == register_map.STEP_REGISTERS[0].offset
    for instruction in isa.BY_NAME.values():
        assert int(defines[f"WEFT_OP_{instruction.name}"].rstrip("u"), 16) == instruction.opcode
    for code in isa.ErrorCode:
        assert int(defines[f"WEFT_ERROR_{code.name}"]) == code


def test_field_masks_and_shifts_equal_the_register_map(header, tmp_path):
    if shutil.which("gcc") is None:
        pytest.fail("gcc is missing: the Debian package g++ brings it")
    fields = [(register, bits) for register in register_map.REGISTERS for bits in register.fields
              if bits.width < 32]
    names = [f"WEFT_{register.name}" for register in register_map.REGISTERS]
    names += [f"WEFT_{register.name}_{bits.name}_{what}" for register, bits in fields
              for what in ("MASK", "SHIFT")]
    expected = [register.offset for register in register_map.REGISTERS]
    for _, bits in fields:
        expected += [(1 << bits.width) - 1 << bits.offset, bits.offset]
    source = tmp_path / "fields.c"
    source.write_text('#include <stdio.h>\n#include "weft_regs.h"\nint main(void)\n{\n' + "".join(
        f'    printf("%lu\\n", (unsigned long){name});\n' for name in names) + "    return 0;\n}\n")
    subprocess.run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{header.parent}", source,
                    "-o", tmp_path / "fields"], check=True)
    found = subprocess.run([tmp_path / "fields"], check=True, capture_output=True, text=True).stdout
    assert dict(zip(names, map(int, found.split()))) == dict(zip(names, expected))


@pytest.mark.parametrize("compiler, suffix, flags", [
    ("gcc", "c", ["-std=c99", "-pedantic"]), ("g++", "cc", ["-std=c++11", "-pedantic"])])
def test_compiles_as_c_and_cpp(header, tmp_path, compiler, suffix, flags):
    if shutil.which(compiler) is None:
        pytest.fail(f"{compiler} is missing: the Debian package g++ brings it")
    source, binary = tmp_path / f"use.{suffix}", tmp_path / "use"
    source.write_text(PROGRAM)
    subprocess.run([compiler, *flags, "-Wall", "-Wextra", "-Werror", f"-I{header.parent}", source,
                    "-o", binary], check=True)
    found = subprocess.run([binary], check=True, capture_output=True, text=True).stdout
    expected = isa.encode("DRAIN", out_addr=0xABCDEF, clamp_min=-128).hex()
    units = register_map.BY_NAME["STATUS"].bits("UNITS")
    mask = (1 << units.width) - 1 << units.offset
    offset = register_map.BY_NAME["STATUS"].offset
    assert found == f"{expected} {offset:x} {mask:x} {units.offset}\n"
