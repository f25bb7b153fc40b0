"""Folder of the third-party networks, which are not part of the repository."""

import os
from pathlib import Path

import pytest

__all__ = ["NAMES", "model_folder"]

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("cfu_micro_speech", "mlperf_dscnn_kws_int8", "mlperf_resnet8_ic_int8")


def model_folder(name):
    """Return the folder of a network, or skip the test if it does not exist."""
    folder = Path(os.environ.get("WEFT_MODELS", ROOT.parent / "shared" / "models")) / name
    if not (folder / "model.tflite").is_file():
        pytest.skip(f"the network {name} is neither in $WEFT_MODELS nor in ../shared/models")
    return folder
