"""Search for models in a folder, and reader for the files of their cases."""

import dataclasses
import os
import pathlib
import re
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["Case", "find_models", "read_case"]

_ARRAY = re.compile(r"(in|out|t)(\d+)")


@dataclasses.dataclass(frozen=True)
class Case:
    """Inputs and expected results of one run.

    Attributes
    ----------
    name : :class:`str`
        Name of the file without its suffix.
    inputs : list of arrays
        Inputs in the model's order.
    expected : :class:`dict` of arrays
        Expected tensors by their names in the file, ``t<i>`` and ``out<i>``.
    others : :class:`tuple` of :class:`str`
        Names of other arrays in the file.
    """

    name: str
    inputs: list[npt.NDArray[Any]]
    expected: dict[str, npt.NDArray[Any]]
    others: tuple[str, ...]


def find_models(folder: str | os.PathLike[str]
                ) -> list[tuple[str, pathlib.Path, list[pathlib.Path]]]:
    """Return name, path of the model and paths of its cases for every model in a folder.

    Raises
    ------
    InputError
        If there is none.
    """
    folder = pathlib.Path(folder)
    paths = [folder / "model.tflite", *sorted(folder.glob("*/model.tflite"))]
    found = [(path.parent.resolve().name, path, sorted(path.parent.glob("*.npz")))
             for path in paths if path.is_file()]
    if not found:
        raise InputError(f"{folder} has neither model.tflite nor folders with that file")
    return found


def read_case(path: pathlib.Path) -> Case:
    """Read the case in a file.

    Raises
    ------
    InputError
        If the file cannot be read or has no inputs or no results.
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
        raise InputError(f"{path} has no results to compare: neither t<i> nor out<i>")
    return Case(path.stem, [arrays[f"in{index}"] for index in range(len(inputs))], expected,
                tuple(name for name, match in kinds.items() if not match))
