"""Configurations named by presets and boards, wherever the host software takes one."""

import numpy as np
import pytest

import weft_boards
from weft.spec.presets import PRESETS, preset
from weft_host import (
    ConfigurationError,
    EmulatorDevice,
    Program,
    check,
    compile,
    compile_gemm,
    resolve_config,
)
from weft_host.configuration import change_config, find_board, find_config
from weft_host.tflite_writer import ModelWriter


def relu_model():
    m = ModelWriter()
    x = m.input("x", (1, 2, 2, 4), scale=0.1)
    y = m.tensor("y", (1, 2, 2, 4), scale=0.1)
    m.operator("RELU", [x], [y])
    m.output(y)
    return m.finish()


@pytest.mark.parametrize("name", PRESETS)
def test_resolves_the_name_of_a_preset(name):
    assert resolve_config(name) is PRESETS[name]


@pytest.mark.parametrize("name", sorted(set(weft_boards.board_names()) - set(PRESETS)))
def test_resolves_the_name_of_a_board(name):
    assert resolve_config(name) == weft_boards.board(name).config


def test_a_preset_takes_precedence_over_a_board_of_the_same_name():
    assert "icebreaker" in weft_boards.board_names()
    assert resolve_config("icebreaker") is PRESETS["icebreaker"]


def test_returns_a_configuration_unchanged():
    config = preset("tiny", vector_lanes=1)
    assert resolve_config(config) is config


@pytest.mark.parametrize("name, hint", [
    ("smal", "; did you mean 'small'?"),
    ("ulx3s_85", "; did you mean 'ulx3s_85f'?"),
    ("zzz", "."),
    ("", "."),
])
def test_an_unknown_name_is_rejected_with_all_known_names(name, hint):
    with pytest.raises(ConfigurationError) as error:
        resolve_config(name)
    assert str(error.value) == (
        f"No preset or board is named {name!r}{hint} Presets: {', '.join(PRESETS)}. "
        f"Boards: {', '.join(weft_boards.board_names())}.")


def test_an_unknown_board_is_rejected_with_all_boards():
    with pytest.raises(ConfigurationError) as error:
        find_board("ulx3s_85")
    assert str(error.value) == (
        "No board is named 'ulx3s_85'; did you mean 'ulx3s_85f'? Boards: "
        f"{', '.join(weft_boards.board_names())}; docs/porting.md explains how to add one.")
    assert find_board("ulx3s_85f") is weft_boards.board("ulx3s_85f")


def test_parameters_are_changed_by_name():
    config = change_config(PRESETS["small"], {"rows": 16, "multiplier": "ecp5"})
    assert (config.rows, config.multiplier) == (16, "ecp5")
    assert config.name == "small+rows=16+multiplier=ecp5"
    assert change_config(PRESETS["small"], {}) is PRESETS["small"]


@pytest.mark.parametrize("changes, message", [
    ({"row": 8}, "no parameter 'row'; did you mean 'rows'? There are rows, cols, "),
    ({"zebra": 8}, "no parameter 'zebra'; there are rows, cols, "),
    ({"multiplier": "ecp"}, "no multiplier 'ecp'; did you mean 'ecp5'? There are portable, lut, "
                            "ecp5, ecp5_lut, ice40"),
])
def test_unknown_parameters_and_multipliers_are_rejected(changes, message):
    with pytest.raises(ConfigurationError) as error:
        change_config(PRESETS["small"], changes)
    assert str(error.value).startswith(message)


def test_another_type_is_rejected():
    with pytest.raises(TypeError) as error:
        resolve_config(8)
    assert str(error.value) == ("config must be a weft.spec.config.Config or the name of a preset "
                                "or of a board, not 8")


def test_an_invalid_board_file_is_reported(monkeypatch):
    def broken(name):
        raise ValueError(f"boards/weft_boards/{name}.py: SyntaxError: invalid syntax")

    monkeypatch.setattr(weft_boards, "board", broken)
    with pytest.raises(ConfigurationError,
                       match=r"^boards/weft_boards/ulx3s_85f\.py: SyntaxError: invalid syntax$"):
        resolve_config("ulx3s_85f")


@pytest.mark.parametrize("name", ["tiny", "ulx3s_85f"])
def test_functions_and_devices_accept_names(name):
    config = resolve_config(name)
    assert compile(relu_model(), name).config == config
    assert compile_gemm(1, 4, 4, name, b=np.ones((4, 4), np.int8)).config == config
    assert [verdict.where for verdict in check(relu_model(), name)] == ["weft"]
    assert EmulatorDevice(name).config == config
    assert Program(config=name, instructions=b"", memory_bytes=0).config == config


def test_finds_a_configuration_by_its_hash():
    config = weft_boards.board("colorlight_5a75b").config
    assert find_config(config.fingerprint) == (config, [])
    assert find_config(PRESETS["tall"].fingerprint) == (PRESETS["tall"], [])
    assert find_config(0) == (None, [])
