"""Descriptions of boards: rejected values, and another clock or baud rate."""

import dataclasses

import pytest

from weft.host_memory.sdram_chip import MT48LC16M16
from weft_boards import board
from weft_boards._board import Board


def test_returns_a_board_with_another_clock_and_baud_rate():
    entry = board("icebreaker").at(clock_hz=18_000_000)
    assert (entry.clock_hz, entry.baud, entry.pll.o_hz) == (18_000_000, 1_000_000, 18_000_000)


@pytest.mark.parametrize("name, changes, message", [
    ("icebreaker", {"clock_hz": 18_000_000, "baud": 6_000_000},
     "6000000 baud requires a clock of at least 24000000 Hz, not 18000000"),
    ("icebreaker", {"baud": 0}, "baud must be positive, not 0"),
    ("icebreaker", {"baud": 300},
     "at 300 baud a byte takes 33333 us, too long for a timeout_us of 10000; raise one of them"),
    ("icebreaker", {"memory_bytes": 32 * 1024},
     "memory_bytes must be at least 65536 with SPRAM on a bus of 32 bits, not 32768"),
    ("icebreaker", {"name": "a_name_of_many_letters"},
     "name must have at most 16 characters, not 'a_name_of_many_letters'"),
    ("ulx3s_25f", {"storage": "blocks"},
     "storage must be one of block, spram, spram_model, sdram, not 'blocks'"),
    ("ulx3s_25f", {"memory_bytes": 48 * 1024},
     "memory_bytes must be a power of two of at least 4096, not 49152"),
    ("ulx3s_25f", {"memory_bytes": 2048},
     "memory_bytes must be a power of two of at least 4096, not 2048"),
    ("ulx3s_25f", {"storage": "spram"},
     "memory_bytes of 32768 exceeds the 0 bytes that LFE5U-25F-6 has for storage 'spram'"),
    ("ulx3s_25f", {"memory_bytes": 1 << 20},
     "memory_bytes of 1048576 exceeds the 114688 bytes that LFE5U-25F-6 has for storage 'block'"),
    ("ulx3s_85f", {"changes": {**board("ulx3s_85f").changes, "addr_width": 17}},
     "memory_bytes of 262144 exceeds the address space of addr_width 17"),
    ("ulx3s_85f", {"sdram": MT48LC16M16},
     "sdram may be set only with storage 'sdram', not with storage 'block'"),
    ("ulx3s_85f_sdram", {"sdram": None}, "storage 'sdram' needs a chip: set sdram"),
    ("ulx3s_85f_sdram", {"memory_bytes": 4096},
     "memory_bytes must be 33554432, the size of the SDRAM, not 4096"),
    ("ulx3s_85f_sdram", {"clock_hz": 150_000_000},
     "the maximum clock of the SDRAM is 133.333 MHz, not 150 MHz"),
    ("ulx3s_85f_sdram", {"sdram": dataclasses.replace(MT48LC16M16, cas={3: 166e6}),
                         "clock_hz": 150_000_000},
     "words of an SDRAM arrive after the sampling edge at 150 MHz; the maximum clock is 140 MHz"),
    ("ulx3s_85f_sdram", {"device": board("icebreaker").device},
     "an SDRAM needs a clock with a phase shift, which is implemented only for the PLL of an ECP5, "
     "not for iCE40UP5K"),
    ("ulx3s_85f_sdram", {"sdram": dataclasses.replace(MT48LC16M16, data_width=64),
                         "memory_bytes": 4 * MT48LC16M16.size,
                         "changes": {**board("ulx3s_85f_sdram").changes, "bus_width": 32}},
     "bus_width of 32 is less than the 64 bits of the SDRAM"),
])
def test_rejects_a_board_that_cannot_work(name, changes, message):
    entry = board(name)
    fields = {field.name: getattr(entry, field.name) for field in dataclasses.fields(Board)}
    with pytest.raises(ValueError) as caught:
        Board(**{**fields, **changes})
    assert str(caught.value) == message


@pytest.mark.parametrize("changes, message", [
    ({"name": None}, "name must be a string, not None"),
    ({"device": "LFE5U-25F"}, "device must be a weft_boards._devices.Device, not 'LFE5U-25F'"),
    ({"changes": None}, "changes must be a dictionary, not None"),
])
def test_rejects_values_of_a_wrong_type(changes, message):
    with pytest.raises(TypeError) as caught:
        dataclasses.replace(board("ulx3s_25f"), **changes)
    assert str(caught.value) == message
