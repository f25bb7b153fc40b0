"""Checks of the fields of the fixed-point instructions."""

import pytest

from weft.spec.isa import BY_NAME
from weft.spec.presets import preset
from weft_host.program.fixed_point_fields import fixed_point_reason


def reason(name, **values):
    fields = dict.fromkeys(BY_NAME[name].by_name, 0) | values
    return fixed_point_reason(preset("tiny"), name, fields)


def test_squares_are_of_operand_a_alone():
    assert reason("COMPUTE", reduce=4, elements_count=3) is None


@pytest.mark.parametrize("field, value", (("op", 1), ("b_type", 1), ("out_type", 1), ("shift", 1)))
def test_squares_refuse_other_fields(field, value):
    assert reason("COMPUTE", reduce=4, elements_count=3, **{field: value}) == \
        "op, b_type, out_type and shift must be 0 with reduce 4"


def test_a_stream_of_4_bit_weights_begins_with_a_beat():
    assert reason("LOAD_RING_4BIT", count=1, host_addr=8) is None
    assert reason("LOAD_RING_4BIT", count=1, host_addr=0x102) == \
        "host_addr is 0x102 and must be a multiple of the 4 bytes of a beat"
