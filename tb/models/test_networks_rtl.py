"""Third-party networks on the RTL: every tensor of every case equals the reference."""

import os

import pytest

from support.shared_models import NAMES, model_folder
from weft.spec.presets import preset
from weft_host import compile
from weft_host.conformance import run_models
from weft_host.device import RtlDevice

# cases of each network: one in a short run, all in `make soak`
CASES = int(os.environ.get("WEFT_CASES", "1"))
STORED = {"cfu_micro_speech": (3, 5), "mlperf_dscnn_kws_int8": (15, 14),
          "mlperf_resnet8_ic_int8": (13, 17)}
"""Number of cases of each network, and of tensors of each case."""


@pytest.mark.parametrize("network", NAMES)
@pytest.mark.parametrize("name", ["small", "ulx3s", "tall"])
def test_every_tensor_equals_the_reference(name, network):
    config = preset(name)
    report, = run_models(
        model_folder(network), lambda path: compile(path, config, keep_tensors=True),
        lambda size: RtlDevice(config, memory_bytes=size), most=CASES)
    assert report.status == 0, report.mismatch or report.failure or report.refusal
    cases, tensors = STORED[network]
    assert report.cases == report.exact == min(CASES, cases)
    assert report.left_out == cases - report.cases
    assert report.tensors == report.cases * tensors, "the output of an operator was not compared"
    assert not report.not_compared and not report.not_stored
