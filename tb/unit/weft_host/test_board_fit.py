"""Fit of programs on boards: memory, cycles and time."""

import dataclasses

import pytest

from support.mlperf_like import anomaly_detection
from support.serial_boards import DIGITS
from weft_boards import board, board_names
from weft_host import CapacityError, EmulatorDevice, ProgramError, compile
from weft_host.board_fit import BoardFit, compile_for_any_memory

MODEL = DIGITS / "digits.tflite"


def fit_of(name, *, memory_bytes=None, **figures):
    chosen = board(name)
    if memory_bytes:
        chosen = dataclasses.replace(chosen, memory_bytes=memory_bytes)
    return BoardFit(board=chosen, program=compile_for_any_memory(MODEL, chosen.config),
                    source="digits", **figures)


@pytest.mark.parametrize("name", board_names())
def test_the_parts_of_the_memory_add_up_to_what_a_device_requires(name):
    fit = fit_of(name)
    program = fit.program
    assert fit.fits and fit.needed == program.memory_bytes
    assert fit.needed == fit.instruction_bytes + fit.constant_bytes + fit.tensor_bytes
    assert fit.instruction_bytes == 32 * program.instruction_count
    assert fit.constant_bytes > 5_000 and fit.tensor_bytes >= 64 + 10
    assert fit.available == board(name).memory_bytes
    assert fit.transferred_bytes == 64 + 10
    EmulatorDevice(program.config, memory_bytes=fit.available).check(program)


def test_the_limit_is_that_of_the_device():
    """A program fits exactly if a device with the board's memory accepts it."""
    fits = []
    for size in (1 << 12, 1 << 13, 1 << 14, 1 << 15):
        fit = fit_of("ulx3s_25f", memory_bytes=size)
        device = EmulatorDevice(fit.program.config, memory_bytes=size)
        fits.append(fit.fits)
        if fit.fits:
            device.check(fit.program)
        else:
            with pytest.raises(ProgramError, match=f"needs {fit.needed} bytes of host memory, but "
                                                   f"this device has {size}"):
                device.check(fit.program)
    assert fits == [False, False, True, True]


def test_memory_beyond_the_addresses_does_not_count():
    fit = fit_of("ulx3s_85f")
    narrow = dataclasses.replace(fit.program.config, addr_width=16)
    narrow_fit = dataclasses.replace(fit, program=dataclasses.replace(fit.program, config=narrow))
    assert (fit.available, narrow_fit.available) == (1 << 18, 1 << 16)


@pytest.mark.parametrize("keep_tensors", [False, True])
def test_a_program_for_any_memory_is_the_compiled_one(keep_tensors):
    config = board("ulx3s_25f").config
    assert compile_for_any_memory(MODEL, config, keep_tensors=keep_tensors).to_bytes() == \
        compile(MODEL, config, keep_tensors=keep_tensors).to_bytes()


def test_a_program_beyond_the_addresses_has_a_size():
    model, config = anomaly_detection(), board("icebreaker").config
    with pytest.raises(CapacityError, match="16 address bits"):
        compile(model, config)
    program = compile_for_any_memory(model, config)
    assert program.memory_bytes > 264_192 and program.config == config


def test_the_time_is_that_of_the_clock():
    fit = fit_of("ulx3s_85f", cycles=2_500, origin="predicted")
    facts = fit.as_dict()
    assert facts["milliseconds"] == pytest.approx(0.025) and facts["clock_hz"] == 100_000_000
    assert facts["share_of_peak"] == pytest.approx(92_400 / (2_500 * 256))
    assert facts["measured_on_board"] is False and facts["origin"] == "predicted"
    # 10 bits per byte at 1 Mbaud
    assert facts["link_milliseconds"]["run"] == pytest.approx(74 * 10 / 1000)
    assert fit.summary() == (
        "digits on ulx3s_85f: 16,512 of 262,144 bytes of block RAM; 2,500 cycles = 0.025 ms at "
        "100.0 MHz (predicted); 92,400 MACs, 14.4 % of the peak of 256 MACs per cycle")
    assert fit.notes()[0] == (
        "Cycles are predicted, for host memory with latency 8 and bandwidth 1; the clock is that "
        "of the board's design. Nothing was measured on a board.")
    assert "latency 3 and bandwidth 0.5" in dataclasses.replace(
        fit, latency=3, bandwidth=0.5).notes()[0]


def test_without_cycles_the_time_is_a_lower_bound():
    fit = fit_of("icebreaker")
    facts = fit.as_dict()
    assert facts["cycles"] is facts["milliseconds"] is facts["share_of_peak"] is None
    assert facts["peak_macs_per_cycle"] == 4 and facts["least_cycles"] == 92_400 // 4
    assert fit.summary() == (
        "digits on icebreaker: 16,512 of 65,536 bytes of SPRAM; 92,400 MACs, at least 23,100 "
        "cycles = 0.963 ms at 24.0 MHz, at the peak of 4 MACs per cycle")
    assert "weft check --measure" in fit.notes()[0]


def test_a_refusal_has_numbers_and_advice():
    fit = fit_of("ulx3s_25f", memory_bytes=8192)
    assert fit.memory_text() == (
        "does not fit: 12,416 bytes are needed, and there are 8,192 bytes of block RAM")
    assert fit.summary() == f"digits on ulx3s_25f: {fit.memory_text()}"
    text = fit.refusal()
    assert text.startswith(
        "digits does not fit ulx3s_25f: the program needs 12,416 bytes of host memory "
        f"(4,064 of instructions, {fit.constant_bytes:,} of constants, {fit.tensor_bytes:,} of "
        "tensors and alignment), and the board has 8,192 bytes of block RAM. Boards with at least "
        "that much: colorlight_5a75b (32,768 bytes), tang_primer_20k (32,768 bytes), ")
    assert text.endswith("ulx3s_85f_sdram (33,554,432 bytes); weft check --board NAME shows what a "
                         "model needs there. To compile for a simulation or for a design with more "
                         "memory: --preset ulx3s_25f --set addr_width=32.")
    huge = dataclasses.replace(fit.program, memory_bytes=1 << 30)
    assert "No board has that much: make the model smaller, or add a board" in dataclasses.replace(
        fit, program=huge).refusal()
