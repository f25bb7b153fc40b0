"""Digits network: its files, its accuracy, and its results in the golden model."""

import zlib
from pathlib import Path

import numpy as np
import pytest

from golden import graph as golden_graph
from support.litert import reference

DIGITS = Path(__file__).resolve().parents[3] / "examples" / "digits"
MODEL = DIGITS / "digits.tflite"


@pytest.fixture(scope="module")
def stored():
    with np.load(DIGITS / "digits.npz") as file:
        return {key: file[key] for key in file.files}


@pytest.fixture(scope="module")
def reference_tensors(stored):
    """Return all tensors of the installed reference kernels for each image."""
    model = MODEL.read_bytes()
    return [reference(model, [image[None]]) for image in stored["images"]]


def test_files_are_small():
    size = MODEL.stat().st_size + (DIGITS / "digits.npz").stat().st_size
    assert size <= 64 * 1024


def test_stored_arrays_match_the_readme(stored):
    assert stored["in0"].shape == (1, 8, 8, 1)
    assert stored["images"].shape == (360, 8, 8, 1)
    assert stored["images"].dtype == stored["outputs"].dtype == np.int8
    np.testing.assert_array_equal(stored["in0"], stored["images"][:1])
    # all ten classes, and no duplicate
    assert (np.bincount(stored["labels"], minlength=10) >= 30).all()
    assert len(np.unique(stored["images"], axis=0)) == 360


def test_operators_match_the_readme():
    names = [op.name for op in golden_graph.read(MODEL.read_bytes()).operators]
    assert names == [
        "CONV_2D",
        "CONV_2D",
        "MAX_POOL_2D",
        "CONV_2D",
        "AVERAGE_POOL_2D",
        "RESHAPE",
        "FULLY_CONNECTED",
        "SOFTMAX",
    ]


def test_accuracy_on_held_out_images_is_above_97_percent(stored, reference_tensors):
    output = golden_graph.read(MODEL.read_bytes()).outputs[0]
    predicted = np.array([tensors[output][0].argmax() for tensors in reference_tensors])
    assert np.mean(predicted == stored["labels"]) >= 0.97


def test_stored_results_equal_the_reference_kernels(stored, reference_tensors):
    output = golden_graph.read(MODEL.read_bytes()).outputs[0]
    for number, tensors in enumerate(reference_tensors):
        np.testing.assert_array_equal(
            stored["outputs"][number], tensors[output][0], err_msg=f"image {number}"
        )
        crcs = [zlib.crc32(tensors[i].tobytes()) for i in stored["tensors"]]
        assert crcs == stored["tensor_crc32"][number].tolist(), f"image {number}"


def test_golden_model_computes_every_tensor_of_every_image(stored, reference_tensors):
    graph = golden_graph.read(MODEL.read_bytes())
    assert sorted(op.outputs[0] for op in graph.operators) == stored["tensors"].tolist()
    for number, expected in enumerate(reference_tensors):
        actual = golden_graph.run(graph, [stored["images"][number][None]])
        for index in stored["tensors"]:
            np.testing.assert_array_equal(
                actual[index], expected[index], err_msg=f"image {number}, tensor {index}"
            )
