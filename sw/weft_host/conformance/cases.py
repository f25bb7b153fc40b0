"""Models in a folder, and the files of their cases."""

import dataclasses
import pathlib
import re
import zipfile

import numpy as np

from ..errors import InputError

__all__ = ["Case", "find_models", "read_case"]

_ARRAY = re.compile(r"(in|out|t)(\d+)")


@dataclasses.dataclass(frozen=True)
class Case:
    """One file of inputs and expected tensors.

    Attributes
    ----------
    name : :class:`str`
        The file's, without ending.
    inputs : list of arrays
        In the model's order.
    expected : :class:`dict` of arrays
        By name in the file, ``t<i>`` and ``out<i>``.
    others : :class:`tuple` of :class:`str`
        Arrays that are neither inputs nor results.
    """

    name: str
    inputs: list
    expected: dict
    others: tuple


def find_models(folder):
    """``(name, path of the model, paths of its cases)`` of every model in a folder.

    Raises
    ------
    InputError
        If there is no model.
    """
    folder = pathlib.Path(folder)
    paths = [folder / "model.tflite", *sorted(folder.glob("*/model.tflite"))]
    found = [(path.parent.resolve().name, path, sorted(path.parent.glob("*.npz")))
             for path in paths if path.is_file()]
    if not found:
        raise InputError(f"{folder} has neither model.tflite nor folders with one")
    return found


def read_case(path):
    """The :class:`Case` in a file.

    Raises
    ------
    InputError
        If it cannot be read or has no input or no result.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (AttributeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not a readable .npz file: {error}") from None
    kinds = {name: _ARRAY.fullmatch(name) for name in arrays}
    inputs = [name for name, match in kinds.items() if match and match[1] == "in"]
    expected = {name: arrays[name] for name, match in kinds.items() if match and match[1] != "in"}
    if sorted(inputs) != sorted(f"in{index}" for index in range(len(inputs))) or not inputs:
        raise InputError(f"{path} needs inputs in0, in1, ...; it has "
                         f"{', '.join(sorted(inputs)) or 'none'}")
    if not expected:
        raise InputError(f"{path} has no results to compare with, neither t<i> nor out<i>")
    return Case(path.stem, [arrays[f"in{index}"] for index in range(len(inputs))], expected,
                tuple(name for name, match in kinds.items() if not match))
