"""``weft info``."""

from typing import Any

import click
from rich.console import Console
from rich.table import Table

from weft.spec import isa
from weft.spec.config import Config

from .devices import make_config
from .options import config_options, json_option
from .output import print_json

__all__ = ["info"]


def _facts(config: Config) -> dict[str, Any]:
    """Return everything that the command prints, as plain data."""
    return {
        "preset": config.name,
        "parameters": config.as_dict(),
        "array": {"cells": config.cells, "macs_per_cycle": config.cells,
                  "partial_sum_bits": config.sum_width},
        "memory_bits": {
            "scratchpad": 8 * config.spad_bytes,
            "weights": 8 * config.wgt_bytes,
            "accumulators": 32 * config.cols * config.acc_rows,
        },
        "widths_bytes": {"scratchpad_port": config.spad_row_bytes,
                         "weight_line": config.wgt_row_bytes, "bus": config.bus_bytes},
        "weight_tiles": config.wgt_tiles,
        "requantiser_products": config.vector_lanes,
        "fingerprint": f"{config.fingerprint:08x}",
        "isa_version": isa.ISA_VERSION,
        "instructions": {
            entry.name: {
                "opcode": entry.opcode, "unit": isa.UNITS[entry.unit],
                "fields": {field.name: [field.offset, field.width] for field in entry.fields},
            } for entry in isa.INSTRUCTIONS
        },
    }


@click.command()
@config_options
@json_option
def info(preset_name: str, changes: tuple[str, ...], as_json: bool) -> None:
    """Show the sizes and the instruction format of a configuration."""
    facts = _facts(make_config(preset_name, changes))
    if as_json:
        print_json(facts)
        return
    console = Console()
    table = Table(title=f"weft {facts['preset']}", show_header=False)
    for name, value in facts["parameters"].items():
        if name != "name":
            table.add_row(name, str(value))
    for group in ("array", "memory_bits", "widths_bytes"):
        for name, value in facts[group].items():
            table.add_row(f"{group.replace('_', ' ')}: {name.replace('_', ' ')}", f"{value:,}")
    table.add_row("fingerprint", facts["fingerprint"])
    console.print(table)
    table = Table("instruction", "opcode", "unit", "fields (bit: width)",
                  title=f"instruction set version {facts['isa_version']}, "
                        f"{isa.INSTRUCTION_BYTES} bytes per instruction")
    for name, entry in facts["instructions"].items():
        fields = ", ".join(f"{field} ({offset}: {width})"
                           for field, (offset, width) in entry["fields"].items())
        table.add_row(name, f"{entry['opcode']:#04x}", entry["unit"], fields)
    console.print(table)
