"""Groups of ports: complete, by channel, and the same in every configuration."""

import pytest

from weft.instance import make_accelerator
from weft.spec.presets import PRESETS, preset
from weft.verilog import port_list
from weft_host.verilog.ports import port_groups

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


@pytest.mark.parametrize("name", PRESETS)
def test_groups_hold_every_port_of_the_accelerator(name):
    groups = port_groups(preset(name))
    found = {port.name: (port.direction, port.width) for group in groups for port in group.ports}
    assert len(found) == sum(len(group.ports) for group in groups)
    ports = port_list(make_accelerator(preset(name)))
    assert found == {"clk": ("input", 1), "rst": ("input", 1), **{
        port: (direction.name.lower(), len(value)) for port, (value, direction) in ports.items()}}


def test_groups_follow_the_channels():
    groups = port_groups(preset("tiny"))
    channels = ["write address", "write data", "write response", "read address", "read data"]
    assert [group.title for group in groups] == [
        "clock and reset", *(f"{bus}, {channel}" for bus in ("s_axil", "m_axi")
                             for channel in channels), "interrupt"]
    for group in groups[1:-1]:
        bus, _, channel = group.title.partition(", ")
        letters = {"write address": "aw", "write data": "w", "write response": "b",
                   "read address": "ar", "read data": "r"}[channel]
        assert all(port.name.startswith(f"{bus}_{letters}") for port in group.ports)
        assert {f"{bus}_{letters}valid", f"{bus}_{letters}ready"} <= {
            port.name for port in group.ports}


@pytest.mark.parametrize("name", PRESETS)
def test_order_and_meanings_are_the_same_in_every_configuration(name):
    def texts(config):
        return [(port.name, port.direction, port.meaning)
                for group in port_groups(config) for port in group.ports]
    assert texts(preset(name)) == texts(preset("small", addr_width=16, bus_width=256, max_burst=1))
