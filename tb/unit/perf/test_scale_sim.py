"""SCALE-Sim's closed forms, and the layers of a network that they count."""

import pytest

from support.mlperf_like import anomaly_detection, visual_wake_words
from support.shared_models import model_folder
from weft_host.compiler.frontend.tflite import read_model
from weft_host.perf.scale_sim import Product, output_stationary, products, weight_stationary


@pytest.mark.parametrize("rows, cols, tiles, blocks", [
    (16, 16, 5 * 2, 3 * 2), (8, 8, 9 * 3, 5 * 3), (4, 16, 18 * 2, 9 * 2), (16, 4, 5 * 6, 3 * 6)])
def test_cycles_are_those_of_the_closed_forms(rows, cols, tiles, blocks):
    product = Product(operator="FULLY_CONNECTED", m=33, k=70, n=21)
    assert weight_stationary(product, rows, cols) == (2 * rows + cols + 33 - 2) * tiles - 1
    assert output_stationary(product, rows, cols) == (rows + cols + 70 - 2) * blocks - 1


def test_one_tile_takes_its_load_and_its_wavefront():
    """The last sum leaves the far corner after the load, all inputs and the whole diagonal."""
    rows, cols, m = 8, 4, 5
    last_input = rows + m - 1
    last_sum = last_input + (rows - 1) + (cols - 1)
    assert weight_stationary(Product(operator="CONV_2D", m=m, k=rows, n=cols), rows, cols) == \
        last_sum


def test_closed_forms_of_a_square_array():
    product, s = Product(operator="CONV_2D", m=100, k=50, n=20), 16
    assert weight_stationary(product, s, s) == (3 * s + 100 - 2) * 4 * 2 - 1
    assert output_stationary(product, s, s) == (2 * s + 50 - 2) * 7 * 2 - 1


def test_layers_of_networks_are_counted_as_products():
    words = products(read_model(visual_wake_words()))
    assert sum(layer.macs for layer in words) == 7_489_664
    assert words[0] == Product(operator="CONV_2D", m=48 * 48, k=27, n=8)
    # a depthwise layer counts as one convolution whose channels share their input
    assert words[1] == Product(operator="DEPTHWISE_CONV_2D", m=48 * 48, k=9, n=8)
    assert words[-1] == Product(operator="FULLY_CONNECTED", m=1, k=256, n=2)
    sound = products(read_model(anomaly_detection()))
    assert sum(layer.macs for layer in sound) == 264_192 and len(sound) == 10


def test_resnet8_reaches_the_documented_utilisation():
    layers = products(read_model(model_folder("mlperf_resnet8_ic_int8") / "model.tflite"))
    macs = sum(layer.macs for layer in layers)
    assert macs == 12_501_632 and len(layers) == 10
    for form, share in ((weight_stationary, 0.77), (output_stationary, 0.83)):
        assert round(macs / 256 / sum(form(layer, 16, 16) for layer in layers), 2) == share
