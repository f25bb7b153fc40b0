"""A compiled program, what goes in and what has to come out, as a C header for ``weft.h``."""

import numpy as np

from weft.spec import isa
from weft_host.errors import ProgramError

__all__ = ["program_header"]

_PERMISSIONS = (("read", "WEFT_WINDOW0_CTRL_READ_MASK"), ("write", "WEFT_WINDOW0_CTRL_WRITE_MASK"))


def _bytes(name, raw):
    """``raw`` as an array, twenty bytes a line."""
    yield f"static const uint8_t {name}[{len(raw)}] = {{"
    for start in range(0, len(raw), 20):
        yield "    " + ", ".join(map(str, raw[start:start + 20])) + ","
    yield "};"


def _blocks(name, blocks):
    """Pairs of an offset and bytes as an array of ``struct weft_block``."""
    for index, (_, raw) in enumerate(blocks):
        yield from _bytes(f"{name}_{index}", raw)
    yield f"static const struct weft_block {name}[{len(blocks)}] = {{"
    for index, (offset, raw) in enumerate(blocks):
        yield f"    {{ {offset:#x}u, {len(raw)}u, {name}_{index} }},"
    yield "};"


def _tensors(tensors, arrays):
    """Tensors of a program as pairs of an offset and bytes."""
    blocks = []
    for tensor in tensors:
        array = np.ascontiguousarray(arrays[tensor.name])
        if array.nbytes != tensor.span:
            raise ProgramError(f"tensor {tensor.name!r} has gaps: {array.nbytes} bytes in "
                               f"{tensor.span}; a C header holds tensors without gaps only")
        blocks.append((tensor.offset, array.tobytes()))
    return blocks


def program_header(program, inputs, outputs):
    """The text of ``weft_program.h``.

    It defines ``weft_program``, and the arrays of blocks ``weft_inputs`` and ``weft_outputs``.

    Parameters
    ----------
    program : :class:`weft_host.Program`
        What is to run: all of it on Weft.
    inputs, outputs : :class:`dict` of arrays
        By name; outputs are those that the run has to give.

    Raises
    ------
    ProgramError
        If the host has to compute a part of it, or a tensor has gaps.
    """
    if program.host_steps:
        kinds = ", ".join(step.kind for step in program.host_steps)
        raise ProgramError(f"the host would have to compute {kinds}; the C driver runs programs "
                           "that are on Weft as a whole")
    image = [block for block in ((0, program.instructions), *program.image) if block[1]]
    lines = [
        "/* Made by examples/litex/program_header.py; do not edit. */",
        "#ifndef WEFT_PROGRAM_H", "#define WEFT_PROGRAM_H", "", '#include "weft.h"', "",
        f"/* {' '.join(str(program.meta.get('source', '')).split()).replace('*/', '')} */",
        f"#define WEFT_PROGRAM_MEMORY_BYTES {program.memory_bytes}u",
        f"#define WEFT_PROGRAM_INPUTS {len(program.inputs)}u",
        f"#define WEFT_PROGRAM_OUTPUTS {len(program.outputs)}u", "",
        f"#if WEFT_ISA_VERSION != {isa.ISA_VERSION}",
        "#error weft_regs.h is of another version of the instruction set than this program",
        "#endif", "",
        *_blocks("weft_image", image), "",
        f"static const struct weft_window weft_windows[{len(program.windows)}] = {{",
    ]
    for window in program.windows:
        allowed = " | ".join(mask for name, mask in _PERMISSIONS if getattr(window, name)) or "0"
        lines.append(f"    {{ {window.offset:#x}u, {window.size}u, {allowed} }},")
    return "\n".join([
        *lines, "};", "",
        "static const struct weft_program weft_program = {",
        f"    {program.config.fingerprint:#010x}u, {program.instruction_count}u,",
        "    WEFT_PROGRAM_MEMORY_BYTES,",
        f"    weft_image, {len(image)}, weft_windows, {len(program.windows)}", "};", "",
        *_blocks("weft_inputs", _tensors(program.inputs, inputs)), "",
        *_blocks("weft_outputs", _tensors(program.outputs, outputs)), "", "#endif", ""])
