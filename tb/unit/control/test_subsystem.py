"""Control subsystem: ports, layouts, and conversion to Verilog in every size."""

import pytest

from weft.control.instruction_layout import instruction_layout, register_layout
from weft.control.layouts import datapath_counters
from weft.control.subsystem import ControlSubsystem
from weft.spec.presets import PRESETS, preset
from weft.verilog import port_list, to_verilog

VARIANTS = [*PRESETS.values(), preset("tiny", queue_depth=64, max_burst=1, outstanding=1),
            preset("large", queue_depth=2, addr_width=16), preset("ulx3s", fixed_point=True)]


@pytest.mark.parametrize("config", VARIANTS, ids=lambda config: config.name)
def test_converts_to_verilog_in_every_size(config):
    text = to_verilog(ControlSubsystem(config), "control")
    assert "module control(" in text
    if config.name == "tiny":
        assert text == to_verilog(ControlSubsystem(config), "control")


def test_has_exactly_the_documented_ports():
    names = set(port_list(ControlSubsystem(preset("small"))))
    own = {name for name in names if not name.startswith(("s_axil_", "axi_"))}
    units = {f"{unit}_{name}" for unit in ("load", "matmul", "vector", "store") for name in (
        "cmd_payload", "cmd_valid", "cmd_ready", "done", "error", "error_info", "busy",
        "wait_memory", "conflict", "halt")}
    assert own == units | {"i_bus_idle", "o_clear", "o_clear_memories", "o_clearing", "i_clearing",
                           "i_progress", "i_counters", "o_irq", "o_queued"}


def test_layouts_match_the_tables():
    assert register_layout("STATUS")["UNITS"].offset == 8
    assert instruction_layout("DRAIN")["clamp_min"].shape.signed
    assert datapath_counters(preset("large"))["bytes_written"].width == 6
