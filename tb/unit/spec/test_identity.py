"""Words of the identity registers: fields of a preset, and a value that does not fit."""

import dataclasses

import pytest

from weft import __version__
from weft.spec import isa, register_map
from weft.spec.identity import identity
from weft.spec.presets import PRESETS, preset


def fields(config, name):
    """Return the fields of an identity register, in the order of the register map."""
    word = identity(config)[name]
    return [word >> bits.offset & (1 << bits.width) - 1
            for bits in register_map.BY_NAME[name].fields]


def test_words_of_ulx3s():
    config = preset("ulx3s")
    major, minor, _ = (int(part) for part in __version__.split("."))
    assert identity(config)["ID"].to_bytes(4, "little") == b"WEFT"
    assert fields(config, "VERSION") == [isa.ISA_VERSION, minor, major]
    assert fields(config, "CAP_ARRAY") == [16, 16, 8, 16]
    assert fields(config, "CAP_MEMORY") == [16, 14, 9, 2]
    assert fields(config, "CAP_CONTROL") == [8, 4, 21]
    assert identity(config)["CONFIG_HASH"] == config.fingerprint


@pytest.mark.parametrize("name", PRESETS)
def test_every_identity_register_is_read_only(name):
    for register in identity(PRESETS[name]):
        assert register_map.BY_NAME[register].access == "RO"


def test_rejects_a_value_that_does_not_fit_its_field():
    config = preset("tiny")
    object.__setattr__(config := dataclasses.replace(config), "queue_depth", 256)
    with pytest.raises(ValueError, match="^CAP_CONTROL.QUEUE has 8 bits, too few for 256$"):
        identity(config)
