"""Descriptions of SDRAM chips: rejected parameters."""

import dataclasses

import pytest

from support.sdram_model import SMALL
from weft.host_memory.sdram_simulated import SimulatedSdram


@pytest.mark.parametrize("changes, message", [
    ({"data_width": 12}, "data_width must be 8, 16, 32 or 64, not 12"),
    ({"data_width": "16"}, "data_width must be 8, 16, 32 or 64, not '16'"),
    ({"bank_bits": 0}, "bank_bits must be 1 to 2, not 0"),
    ({"row_bits": 14}, "row_bits must be 1 to 13, not 14"),
    ({"col_bits": 11}, "col_bits must be 1 to 10, not 11"),
    *(({name: value}, f"{name} must be a positive time in ns, not {value}")
      for name in ("rcd", "rp", "ras", "rc", "rfc", "rrd", "wr", "refresh", "power_up")
      for value in (0, -1)),
    ({"cas": {}},
     "cas must map latencies of 2 or 3 cycles to their maximum clock, not {}"),
    ({"cas": {2: 1e8, 4: 2e8}}, "cas must map latencies of 2 or 3 cycles to their maximum clock, "
                                "not {2: 100000000.0, 4: 200000000.0}"),
    ({"cas": {1: 5e7, 2: 1e8}}, "cas must map latencies of 2 or 3 cycles to their maximum clock, "
                                "not {1: 50000000.0, 2: 100000000.0}"),
    ({"rc": 90}, "rc of 90 ns is more than ras + rp, 42 + 18 ns: increase ras to rc - rp"),
])
def test_rejects_a_chip_that_cannot_exist(changes, message):
    with pytest.raises(ValueError) as caught:
        dataclasses.replace(SMALL, **changes)
    assert str(caught.value) == message


@pytest.mark.parametrize("size", [512, 3000, 2 * SMALL.size])
def test_the_chip_in_gateware_rejects_a_size(size):
    with pytest.raises(ValueError) as caught:
        SimulatedSdram(chip=SMALL, size=size)
    assert str(caught.value) == ("size must be a power of two from 1024 to the chip's 16384 bytes, "
                                 f"not {size}")
