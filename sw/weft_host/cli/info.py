"""``weft info``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from weft.spec import isa
from weft.spec.config import Config
from weft_boards._clock import mhz_text
from weft_boards._peak import peak_macs

from .devices import make_config
from .options import chosen_board, config_options, json_option
from .output import print_json
from .tables import print_table

if TYPE_CHECKING:
    from weft_boards._board import Board

__all__ = ["info"]


def _facts(config: Config) -> dict[str, Any]:
    """Return everything that the command prints, as plain data."""
    return {
        "preset": config.name,
        "parameters": config.as_dict(),
        "array": {"cells": config.cells, "macs_per_cycle": peak_macs(config),
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
    """Show the sizes and the instruction format of a configuration.

    With --board, also show the memory and the clock of the board.
    """
    board = chosen_board()
    facts = _facts(make_config(preset_name, changes))
    facts["board"] = _board_facts(board) if board else None
    if as_json:
        print_json(facts)
        return
    rows = [(name, value) for name, value in facts["parameters"].items() if name != "name"]
    for group in ("array", "memory_bits", "widths_bytes"):
        rows += [(f"{group.replace('_', ' ')}: {name.replace('_', ' ')}", f"{value:,}")
                 for name, value in facts[group].items()]
    print_table(("parameter", "value"), [*rows, ("fingerprint", facts["fingerprint"])],
                title=f"weft {facts['preset']}")
    click.echo()
    if facts["board"]:
        print_table(("board", "value"), _board_rows(facts["board"]),
                    title=facts["board"]["title"])
        click.echo()
    print_table(("instruction", "opcode", "unit", "fields (bit:width)"), [
        (name, f"{entry['opcode']:#04x}", entry["unit"],
         ", ".join(f"{field} ({offset}:{width})"
                   for field, (offset, width) in entry["fields"].items()))
        for name, entry in facts["instructions"].items()],
        title=f"instruction set version {facts['isa_version']}, "
              f"{isa.INSTRUCTION_BYTES} bytes per instruction", wraps=("fields (bit:width)",))


def _board_facts(board: Board) -> dict[str, Any]:
    """Return the properties of a board that do not depend on a program."""
    return {
        "name": board.name, "title": board.title, "device": board.device.name,
        "clock_hz": board.clock_hz, "memory_bytes": board.memory_bytes,
        "memory_kind": board.memory_kind, "latency": board.read_latency,
        "bandwidth": board.bandwidth, "baud": board.baud,
    }


def _board_rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("name", facts["name"]), ("device", facts["device"]),
        ("clock", f"{mhz_text(facts['clock_hz'])} MHz"),
        ("host memory", f"{facts['memory_bytes']:,} bytes of {facts['memory_kind']}"),
        ("host memory: latency", f"{facts['latency']} cycles"),
        ("host memory: bandwidth", f"{facts['bandwidth']:g} beats per cycle"),
        ("host link", f"{facts['baud']:,} baud"),
    ]
