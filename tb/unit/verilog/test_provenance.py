"""Comment with the origin of a file: the command describes exactly its configuration."""

import dataclasses
import shlex

import pytest

import weft
import weft_boards
from weft.spec.config import Config
from weft.spec.presets import PRESETS, preset
from weft_host.cli.devices import make_config
from weft_host.cli.verilog import verilog
from weft_host.verilog import provenance

CONFIGS = [
    *PRESETS.values(),
    *(weft_boards.board(name).config for name in weft_boards.board_names()),
    preset("small", bus_width=32, multiplier="ecp5", dsp_cells=3), preset("tiny", rows=4),
    Config(), Config(name="mine", rows=16, spad_bytes=65536),
    dataclasses.replace(preset("icebreaker"), name="mine", queue_depth=2),
    dataclasses.replace(preset("icebreaker"), name="small"),
    dataclasses.replace(preset("ulx3s", multiplier="ecp5", dsp_cells=112), dsp_cells=None),
]


def _text(value):
    return "none" if value is None else str(value).lower()


@pytest.fixture
def described():
    """Return a function that returns the configuration and the top of a command."""
    def parse(words):
        with verilog.make_context("weft verilog", words) as context:
            options = context.params
            return make_config(options["preset_name"], options["changes"]), options["top"]
    return parse


@pytest.mark.parametrize("template", [False, True])
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_the_command_describes_the_configuration(config, template, described, tmp_path,
                                                 monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = shlex.split(provenance.command(config, "npu", template=template))
    assert words[:2] == ["weft", "verilog"] and ("--template" in words) == template
    found, top = described(words[2:])
    assert top == "npu"
    assert {**found.as_dict(), "name": ""} == {**config.as_dict(), "name": ""}
    assert provenance.command(found, "npu", template=template).split() == words


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_every_parameter_is_listed_with_its_value(config):
    lines = list(provenance.origin(config, "the contents", "the command"))
    assert lines[0] == "// SPDX-License-Identifier: Apache-2.0"
    assert f"// Weft {weft.__version__}: the contents." in lines
    assert "//     the command" in lines
    listed = dict(line.removeprefix("// ").split(" = ") for line in lines if " = " in line)
    words = provenance.command(config, "npu").split()
    assert listed.pop("preset") == words[words.index("--preset") + 1]
    changes = {word for word in words if "=" in word}
    for name, text in listed.items():
        value, _, note = text.partition(" ")
        assert value == _text(getattr(config, name))
        assert (f"{name}={value}" in changes) == (note.strip() == "(set)")
    assert set(listed) == {field.name for field in dataclasses.fields(config)} - {"name"}
