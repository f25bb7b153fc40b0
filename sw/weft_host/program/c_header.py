"""Compiled program as a C header for the driver ``weft.h``, with input and expected output."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from weft.spec import isa

from ..errors import ProgramError
from .file import Program
from .tensor import Tensor, Window

__all__ = ["c_header"]

_PERMISSIONS = (("read", "WEFT_WINDOW0_CTRL_READ_MASK"), ("write", "WEFT_WINDOW0_CTRL_WRITE_MASK"))

_Arrays = Mapping[str, npt.NDArray[Any]]
_Block = tuple[int, int, bytes | None]
"""Offset, size, and contents, which may be unknown."""


def _comment(text: object) -> str:
    """Return a text as one line of a C comment."""
    line = " ".join(str(text).split()).replace("*/", "* /").replace("/*", "/ *")
    return f"/* {line.removesuffix(chr(92))} */"


def _bytes(name: str, raw: bytes) -> Iterator[str]:
    """Yield ``raw`` as a C array, twenty bytes per line."""
    yield f"static const uint8_t {name}[{len(raw)}] = {{"
    for start in range(0, len(raw), 20):
        yield "    " + ", ".join(map(str, raw[start:start + 20])) + ","
    yield "};"


def _array(declaration: str, elements: Sequence[str]) -> Iterator[str]:
    """Yield an array of structures, of which C99 requires at least one."""
    yield f"{declaration}[{len(elements)}] = {{"
    for element in elements:
        yield f"    {{ {element} }},"
    yield "};"


def _blocks(name: str, blocks: Sequence[_Block]) -> Iterator[str]:
    """Yield an array of ``struct weft_block``; the bytes of unknown contents are ``NULL``."""
    for index, (_, _, raw) in enumerate(blocks):
        if raw is not None:
            yield from _bytes(f"{name}_{index}", raw)
    yield from _array(f"static const struct weft_block {name}", [
        f"{offset:#x}u, {size}u, {'NULL' if raw is None else f'{name}_{index}'}"
        for index, (offset, size, raw) in enumerate(blocks)] or ["0u, 0u, NULL"])


def _window(window: Window) -> str:
    allowed = " | ".join(mask for name, mask in _PERMISSIONS if getattr(window, name)) or "0u"
    return f"{window.offset:#x}u, {window.size}u, {allowed}"


def _tensors(tensors: Iterable[Tensor], arrays: _Arrays | None) -> list[_Block]:
    """Return tensors of a program as blocks, with the contents of ``arrays`` if there are any."""
    blocks: list[_Block] = []
    for tensor in tensors:
        size = int(np.prod(tensor.shape, dtype=np.int64)) * np.dtype(tensor.dtype).itemsize
        if size != tensor.span:
            raise ProgramError(f"tensor {tensor.name!r} has gaps: {size} bytes in {tensor.span}; "
                               "a C header supports tensors without gaps only")
        if tensor.offset is None:
            raise ProgramError(f"tensor {tensor.name!r} is not in the program's memory")
        raw = None if arrays is None else np.ascontiguousarray(arrays[tensor.name]).tobytes()
        if raw is not None and len(raw) != size:
            raise ProgramError(f"the array for tensor {tensor.name!r} has {len(raw)} bytes, not "
                               f"{size}")
        blocks.append((tensor.offset, size, raw))
    return blocks


def c_header(program: Program, inputs: _Arrays | None = None,
             outputs: _Arrays | None = None) -> str:
    """Return the text of a C99 header with a program.

    It defines ``weft_program``, and the arrays ``weft_inputs`` and ``weft_outputs`` of ``struct
    weft_block``: offset and size of each tensor in the program's memory, and its bytes.

    Parameters
    ----------
    program : :class:`weft_host.Program`
        Program without host steps.
    inputs, outputs : :class:`dict` of arrays, optional
        Input and expected output by tensor name. Without them, the bytes of the tensors are
        ``NULL``.

    Raises
    ------
    ProgramError
        If the program has host steps, a tensor has gaps, or an array has a wrong size.
    """
    if program.host_steps:
        kinds = ", ".join(step.kind for step in program.host_steps)
        raise ProgramError(f"the program has host steps ({kinds}); the C driver runs programs "
                           "without host steps only")
    image = [(offset, len(raw), raw) for offset, raw in ((0, program.instructions), *program.image)
             if raw]
    lines = [
        "/* A program for Weft, from weft header; do not edit. */",
        "#ifndef WEFT_PROGRAM_H", "#define WEFT_PROGRAM_H", "", '#include "weft.h"', "",
        _comment(f"model: {program.meta.get('source', '')}"),
        _comment(f"configuration: {program.config.name}"),
        f"#define WEFT_PROGRAM_MEMORY_BYTES {program.memory_bytes}u",
        f"#define WEFT_PROGRAM_INPUTS {len(program.inputs)}u",
        f"#define WEFT_PROGRAM_OUTPUTS {len(program.outputs)}u", "",
        f"#if WEFT_ISA_VERSION != {isa.ISA_VERSION}",
        "#error weft_regs.h has another version of the instruction set than this program",
        "#endif", "",
        *_blocks("weft_image", image), "",
        *_array("static const struct weft_window weft_windows",
                list(map(_window, program.windows)) or ["0u, 0u, 0u"]), "",
    ]
    return "\n".join([
        *lines,
        "static const struct weft_program weft_program = {",
        f"    {program.config.fingerprint:#010x}u, {program.instruction_count}u,",
        "    WEFT_PROGRAM_MEMORY_BYTES,",
        f"    weft_image, {len(image)}, weft_windows, {len(program.windows)}", "};", "",
        *_blocks("weft_inputs", _tensors(program.inputs, inputs)), "",
        *_blocks("weft_outputs", _tensors(program.outputs, outputs)), "", "#endif", ""])
