"""Faults of an emulated device, with the check of the self-test that must detect each of them."""

from support.fault_hooks import changed, disabled
from support.memory_faults import (
    accumulator_bit,
    dma_address_line,
    dma_write_lane,
    host_address_line,
    host_bit,
    scratchpad_alias,
    scratchpad_bit,
    weight_alias,
    weight_bit,
)
from support.unit_faults import (
    cell_bit,
    depthwise_offset,
    intermittent_cell,
    lane_multiplier,
    matmul_field,
    parameter_bit,
    register_bit,
    rejected_writes,
    short_softmax,
    table_bit,
    timing_violation,
    wrong_error_code,
)
from weft.spec.isa import Mode

__all__ = ["FAULTS", "MEMORY"]

MEMORY = 1 << 15
"""Bytes of host memory that a device with one of these faults needs."""


def _single_rounding(mode):
    """Return a fault: in ``mode``, the requantiser rounds as in mode TFL1."""
    return changed("_drain", lambda fields: {
        "mode": Mode.TFL1 if fields["mode"] == mode else fields["mode"]})


FAULTS = {
    "host byte 0x10": ("host memory", host_bit(0x10, 0, 1)),
    "host byte 0x1801": ("host memory", host_bit(0x1801, 7, 0)),
    "host byte 0x5000": ("host memory", host_bit(0x5000, 4, 1)),
    "last host byte": ("host memory", host_bit(MEMORY - 1, 3, 0)),
    "host address line 4": ("host memory", host_address_line(4)),
    "host address line 14": ("host memory", host_address_line(14)),
    "DMA address line 13": ("DMA", dma_address_line(13)),
    "DMA byte lane": ("DMA", dma_write_lane),
    "DMA pitch": ("DMA", changed("_store", lambda fields: {"host_pitch": fields["bytes"]})),
    "FILL": ("DMA", changed("_fill", lambda fields: {"value": 0})),
    "first scratchpad byte": ("scratchpad", scratchpad_bit(0, 0, 0)),
    "scratchpad byte 1029": ("scratchpad", scratchpad_bit(1029, 7, 1)),
    "last scratchpad byte": ("scratchpad", scratchpad_bit(-1, 5, 1)),
    "two scratchpad bytes": ("scratchpad", scratchpad_alias),
    "array, 0 0 bit 0 stuck at 0": ("array cells", cell_bit(0, 0, 0, 0)),
    "array, 3 3 bit 7 stuck at 1": ("array cells", cell_bit(3, 3, 7, 1)),
    "array, 2 1 bit 4 stuck at 0": ("array cells", cell_bit(2, 1, 4, 0)),
    "intermittent cell": ("array cells", intermittent_cell),
    "timing violation": ("array under load", timing_violation),
    "first accumulator": ("accumulators", accumulator_bit(0, 1, 4, 1)),
    "accumulator of the upper half": ("accumulators", accumulator_bit(33, 0, 31, 1)),
    "last accumulator": ("accumulators", accumulator_bit(-1, 3, 20, 0)),
    "first tile": ("weight buffer", weight_bit(0, 3, 2, 1)),
    "tile 5": ("weight buffer", weight_bit(5, 0, 7, 0)),
    "first tile of the upper half": ("weight buffer", weight_bit(16, 9, 0, 1)),
    "last tile": ("weight buffer", weight_bit(-1, 15, 6, 0)),
    "weight address line": ("weight buffer", weight_alias),
    "accumulate": ("sum and maximum", matmul_field("accumulate", 0)),
    "maximum": ("sum and maximum", matmul_field("maximum", 0)),
    "hold": ("sum and maximum", matmul_field("hold", 0)),
    "blank": ("sum and maximum", matmul_field("blank", 0)),
    "chunk_pitch": ("sum and maximum", matmul_field("chunk_pitch", 0)),
    "lead": ("depthwise", changed("_multiply", lambda fields: {"lead": min(fields["lead"], 1)})),
    "depthwise": ("depthwise", depthwise_offset),
    "double rounding": ("requantiser", _single_rounding(Mode.TFL2)),
    "rounding away from zero": ("requantiser", _single_rounding(Mode.AWAY)),
    "multiplier": ("requantiser", lane_multiplier(28)),
    "zero point": ("requantiser", changed("_drain", lambda fields: {"zero_point": -3})),
    "clamp_min": ("requantiser", changed("_drain", lambda fields: {"clamp_min": -128})),
    "clamp_max": ("requantiser", changed("_drain", lambda fields: {"clamp_max": 127})),
    "one multiplier for all": ("requantiser", changed("_params", lambda fields: {
        "multiplier": 1 << 30})),
    "bias of channel 0": ("channel parameters", parameter_bit("bias", 0, 30, 1)),
    "bias of the last channel": ("channel parameters", parameter_bit("bias", -1, 3, 0)),
    "multiplier of channel 0": ("channel parameters", parameter_bit("multiplier", 0, 0, 1)),
    "multiplier of the last": ("channel parameters", parameter_bit("multiplier", -1, 30, 0)),
    "shift of channel 5": ("channel parameters", parameter_bit("shift", 5, 5, 1)),
    "shift of channel 1": ("channel parameters", parameter_bit("shift", 1, 0, 0)),
    "channel of PARAMS": ("channel parameters", changed("_params", lambda fields: {"channel": 0})),
    "table A": ("tables and MAP", table_bit(0, 0, 31, 1)),
    "table B": ("tables and MAP", table_bit(1, 255, 15, 0)),
    "MAP": ("tables and MAP", disabled("_map")),
    "MULTIPLY": ("tables and MAP", changed("_map", lambda fields: {"op": min(fields["op"], 1)})),
    "SOFTMAX": ("SOFTMAX", short_softmax),
    "CAP_ARRAY": ("identity", register_bit("CAP_ARRAY", 1)),
    "WATCHDOG": ("registers", register_bit("WATCHDOG", 1)),
    "no write to registers": ("registers", rejected_writes),
    "error code": ("error handling", wrong_error_code),
}
"""By name of the fault: the check that must fail, and a function that injects the fault."""
