"""Instantiation to paste: every port once, with its width."""

import re

import pytest

from weft.spec.presets import PRESETS, preset
from weft_host.verilog import instantiation
from weft_host.verilog.ports import port_groups


@pytest.mark.parametrize("name", PRESETS)
def test_every_port_is_connected_to_a_wire_of_its_width(name):
    config = preset(name)
    text = instantiation(config, "npu")
    wires = {match[2]: match[1] for match in re.finditer(
        r"^wire (\[\d+:0\])? +(\w+);", text, re.MULTILINE)}
    connected = dict(re.findall(r"^  \.(\w+) +\((\w+)\),?$", text, re.MULTILINE))
    ports = [port for group in port_groups(config) for port in group.ports]
    assert list(connected) == [port.name for port in ports]
    assert connected.pop("clk") == "clk" and connected.pop("rst") == "rst"
    assert {connected[port.name]: port.range or None for port in ports[2:]} == wires
    assert text.endswith(")\n);\n") and text.count(",\n") == len(ports) - 1


def test_comments_of_the_wires_are_aligned():
    lines = [line for line in instantiation(preset("tiny"), "npu").splitlines()
             if line.startswith("wire ")]
    assert len({line.index("//") for line in lines}) == 1


def test_groups_have_comments():
    text = instantiation(preset("tiny"))
    for group in port_groups(preset("tiny"))[1:]:
        assert f"\n\n// {group.title}\nwire" in text and f"\n\n  // {group.title}\n  ." in text
    assert "\nweft u_weft (\n" in text


def test_two_templates_declare_different_names():
    names = [set(re.findall(r"^(?:wire.*?|\w+) +(\w+)(?:;| \()", instantiation(preset("tiny"), top),
                            re.MULTILINE)) for top in ("npu_a", "npu_b")]
    assert len(names[0]) == len(names[1]) == 58 and not names[0] & names[1]


def test_a_wrong_name_is_refused():
    with pytest.raises(ValueError, match="^'1x' is not a Verilog identifier"):
        instantiation(preset("tiny"), "1x")
