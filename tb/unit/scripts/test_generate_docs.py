"""Generated pages of the register map and the instruction set."""

import importlib.util
import pathlib
import re

import pytest

from weft.spec import isa, register_map
from weft.spec.presets import PRESETS, preset
from weft_host.verilog.ports import port_groups

PATH = pathlib.Path(__file__).resolve().parents[3] / "scripts" / "generate_docs.py"
SPEC = importlib.util.spec_from_file_location("generate_docs", PATH)
generate_docs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generate_docs)


def sections(text):
    """Return the bit tables of a page as ``{heading: [(high, low, field)]}``."""
    found = {}
    for part in text.split("\n## ")[1:]:
        name = part.split("\n")[0]
        found[name] = [(int(high), int(low or high), field.strip())
                       for high, low, field in re.findall(
                           r"^\| (\d+)(?::(\d+))? \| ([^|]*) \|", part, re.MULTILINE)]
    return found


@pytest.mark.parametrize("page, table, width", [
    ("registers", register_map.REGISTERS, 32), ("instruction_set", isa.INSTRUCTIONS, 256),
    ("instruction_set", isa.FIXED_POINT_INSTRUCTIONS, 256),
    ("instruction_set", isa.FOUR_BIT_INSTRUCTIONS, 256),
    ("instruction_set", isa.STEP_INSTRUCTIONS, 256)])
def test_every_bit_has_one_table_row(page, table, width):
    found = sections(getattr(generate_docs, page)())
    for entry in table:
        rows = found[entry.name]
        bits = [bit for high, low, _ in rows for bit in range(low, high + 1)]
        assert bits == list(range(width)), entry.name
        fields = {field.split("`")[1]: (low, high - low + 1) for high, low, field in rows if field}
        assert fields == {field.name: (field.offset, field.width) for field in entry.fields}


def test_sections_name_the_configurations_with_step_registers_and_fixed_point():
    text = generate_docs.registers()
    section = text.split("\n## STEP0 to STEP63\n")[1]
    assert "`0x200` + 4 * *n*" in section and "with `fixed_point`" in section
    assert "| 31:0 | `VALUE` |" in section and "STEP1](" not in text
    text = generate_docs.instruction_set()
    for title, table, option in (
            ("Fixed-point instructions", isa.FIXED_POINT_INSTRUCTIONS, "fixed_point"),
            ("4-bit weights", isa.FOUR_BIT_INSTRUCTIONS, "weights_4bit"),
            ("Variants with step registers", isa.STEP_INSTRUCTIONS, "fixed_point")):
        section = text.split(f"\n## {title}\n")[1].split("\n## ")[0]
        assert f"Configurations with `{option}`" in section
        for instruction in table:
            assert f"`0x{instruction.opcode:02X}` | [{instruction.name}](" in section


def test_a_range_that_depends_on_the_columns_is_a_formula():
    section = generate_docs.instruction_set().split("\n## LOAD_RING_4BIT\n")[1].split("\n## ")[0]
    assert "| MEM_BASE + `host_addr` | MEM_BASE + `host_addr` + `count * 19 * cols` |" in section


def test_address_ranges_that_depend_on_a_type_are_formulas():
    section = generate_docs.instruction_set().split("\n## COMPUTE\n")[1].split("\n## ")[0]
    assert ("| `b_addr` | `b_addr` + `(count - 1) * b_pitch` + (`4*elements_count` with "
            "`b_type` 1, `2*elements_count` with `b_type` 2, `4` with `b_type` 3, "
            "`8` with `b_type` 4) | "
            "`b_type` is 1, 2, 3 or 4 |") in section
    assert ("| `out_addr` | `out_addr` + `(count - 1) * out_pitch` + `plane_pitch` + "
            "`elements_count` | `out_type` is 4 |") in section
    assert "| `row_addr` | `row_addr` + `16*count` | `reduce` is not 0 |" in section


def test_every_error_code_has_a_table_row():
    text = generate_docs.instruction_set()
    for code in isa.ErrorCode:
        assert f"| {int(code)} | `{code.name}` | {code.doc} |" in text


@pytest.mark.parametrize("config", [*PRESETS.values(), preset("small", addr_width=20)],
                         ids=lambda config: config.name)
def test_widths_of_ports_are_those_of_every_configuration(config):
    rows = dict(re.findall(r"^\| `(\w+)` \| \w+ \| ([^|]+ \| [^|]*) \|", generate_docs.ports(),
                           re.MULTILINE))
    ports = {port.name: port for group in port_groups(config) for port in group.ports}
    assert list(rows) == list(ports)
    for name, port in ports.items():
        bits, _, formula = rows[name].partition(" | ")
        parameter, _, divisor = formula.strip().partition(" / ")
        width = getattr(config, parameter.strip("`")) if parameter else int(bits)
        assert port.width == width // int(divisor or 1), name
