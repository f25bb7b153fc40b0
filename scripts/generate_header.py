"""Writes ``weft_regs.h``: registers, instructions and error codes for C and C++ programs."""

import argparse
import pathlib
import sys

from weft.spec import isa, register_map

ROOT = pathlib.Path(__file__).resolve().parents[1]


def _define(name, value, doc=""):
    return f"#define {name:<44} {value}" + (f"  /* {doc} */" if doc else "")


def _registers():
    yield "/* -- registers: byte offsets, then the fields of each: mask and shift -- */"
    yield _define("WEFT_MAGIC", f"0x{register_map.MAGIC:08X}u")
    yield _define("WEFT_WINDOWS", register_map.WINDOWS)
    yield _define("WEFT_COUNTERS", len(register_map.COUNTERS))
    for register in register_map.REGISTERS:
        yield ""
        yield _define(f"WEFT_{register.name}", f"0x{register.offset:03X}u",
                      f"{register.access}: {register.doc}")
        if [bits.width for bits in register.fields] == [32]:
            continue
        for bits in register.fields:
            name = f"WEFT_{register.name}_{bits.name}"
            mask = (1 << bits.width) - 1 << bits.offset
            yield _define(f"{name}_MASK", f"0x{mask:08X}u", bits.doc)
            yield _define(f"{name}_SHIFT", bits.offset)


def _instructions():
    yield "/* -- instructions: opcode, then the fields of each: first bit and width -- */"
    yield _define("WEFT_ISA_VERSION", isa.ISA_VERSION)
    yield _define("WEFT_INSTRUCTION_BYTES", isa.INSTRUCTION_BYTES)
    for number, unit in enumerate((*isa.UNITS, "SEQUENCER")):
        yield _define(f"WEFT_UNIT_{unit}", number)
    for code in isa.ErrorCode:
        yield _define(f"WEFT_ERROR_{code.name}", int(code), code.doc)
    for mode in isa.Mode:
        yield _define(f"WEFT_MODE_{mode.name}", int(mode))
    for instruction in isa.INSTRUCTIONS:
        yield ""
        yield _define(f"WEFT_OP_{instruction.name}", f"0x{instruction.opcode:02X}u",
                      isa.UNITS[instruction.unit])
        for field in instruction.fields[1:]:
            name = f"WEFT_{instruction.name}_{field.name.upper()}"
            yield _define(f"{name}_BIT", field.offset)
            yield _define(f"{name}_WIDTH", field.width)


_SET_FIELD = """\
/* Puts value into bits first to first + width - 1 of an instruction. */
static inline void weft_set_field(uint8_t instruction[WEFT_INSTRUCTION_BYTES], unsigned first,
                                  unsigned width, uint64_t value)
{
    for (unsigned bit = 0; bit < width; bit++) {
        unsigned at = first + bit;
        uint8_t one = (uint8_t)(1u << at % 8);
        if (value >> bit & 1)
            instruction[at / 8] |= one;
        else
            instruction[at / 8] &= (uint8_t)~one;
    }
}
"""


def header():
    """The text of the header."""
    return "\n".join([
        "/* Weft: registers and instructions. Made by scripts/generate_header.py; do not edit. */",
        "#ifndef WEFT_REGS_H", "#define WEFT_REGS_H", "", "#include <stdint.h>", "",
        *_registers(), "", *_instructions(), "", _SET_FIELD, "#endif", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=pathlib.Path, default=ROOT / "build" / "weft_regs.h")
    path = parser.parse_args().output
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(header())
    except OSError as error:
        sys.exit(f"generate_header: {error}")
    print(path)


if __name__ == "__main__":
    main()
