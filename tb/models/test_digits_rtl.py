"""Digits network on the RTL: output and every intermediate tensor of held-out images."""

import os
import zlib
from pathlib import Path

import numpy as np
import pytest

from weft.spec.presets import preset
from weft_host import compile
from weft_host.device import RtlDevice

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits"
# a short run; `make soak` runs all 360
COUNT = int(os.environ.get("WEFT_IMAGES", "20"))


@pytest.fixture(scope="module")
def stored():
    with np.load(DIGITS / "digits.npz") as file:
        return {key: file[key] for key in file.files}


def wrong_tensors(program, result, expected):
    """Return the numbers of the tensors that are missing or have another CRC-32."""
    arrays = {tensor.tensor_id: result.tensors[tensor.name] for tensor in program.all_tensors
              if tensor.name in result.tensors}
    return [number for number, crc in expected
            if number not in arrays or zlib.crc32(arrays[number].tobytes()) != crc]


def test_every_tensor_of_every_image_equals_the_reference(stored):
    config = preset("small")
    program = compile(DIGITS / "digits.tflite", config, keep_tensors=True)
    count = min(COUNT, len(stored["images"]))
    numbers = stored["tensors"].tolist()
    assert len(numbers) == 8, "the output of every operator has a stored CRC-32"
    with RtlDevice(config, memory_bytes=1 << 20) as device:
        for index in range(count):
            result = device.run(program, [stored["images"][index:index + 1]], all_tensors=True)
            expected = list(zip(numbers, stored["tensor_crc32"][index].tolist()))
            wrong = wrong_tensors(program, result, expected)
            assert not wrong, f"image {index}: tensors {wrong} differ from the reference"
            output, = result.outputs.values()
            assert np.array_equal(output.reshape(-1), stored["outputs"][index]), f"image {index}"
            if not index:
                flipped = [(number, crc ^ 1) for number, crc in expected]
                assert wrong_tensors(program, result, flipped) == numbers


def test_stalls_change_no_tensor(stored):
    config = preset("small")
    program = compile(DIGITS / "digits.tflite", config, keep_tensors=True)
    with RtlDevice(config, memory_bytes=1 << 20, stalls="both", seed=3) as device:
        for index in (0, 359):
            result = device.run(program, [stored["images"][index:index + 1]], all_tensors=True)
            assert not wrong_tensors(program, result, zip(
                stored["tensors"].tolist(), stored["tensor_crc32"][index].tolist()))
