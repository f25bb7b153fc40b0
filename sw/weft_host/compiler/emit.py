"""Last compiler stage: turn a stream of instructions and the constants into a program."""

import collections
from collections.abc import Sequence
from typing import Any

from weft.spec import isa
from weft.spec.integers import round_up

from ..program import validate
from ..program.file import Program
from ..program.tensor import HostStep, Window
from ..progress import Progress, silent
from .plan.tensor_layout import TensorLayout
from .schedule.merge import ScheduledInstruction, merge
from .schedule.scheduler import add_tokens, find_dependencies, schedule
from .steps.instruction_stream import HostSection, InstructionStream, UnscheduledInstruction
from .verdict import CapacityError

__all__ = ["emit"]

SECTION_ALIGN = 4096
"""Alignment of the sections of host memory, so that no burst crosses from one to the next."""


def emit(stream: InstructionStream, constants: bytes, layout: TensorLayout, *,
         host_steps: Sequence[HostStep] = (), source: str = "", macs: int = 0,
         layers: Sequence[dict[str, Any]] = (), progress: Progress = silent) -> Program:
    """Schedule a stream of instructions, resolve their host addresses, and return the program.

    Parameters
    ----------
    stream : :class:`InstructionStream`
        Instructions of all steps.
    constants : :class:`bytes`
        Section of constants.
    layout : :class:`TensorLayout`
        Section of tensors.
    host_steps : sequence of :class:`HostStep`
        Operators that the host executes.
    source, macs
        Metadata of the program.
    layers : sequence of dict
        Metadata of each step. The number of its instructions is added to a copy of it.
    progress : callable
        Receives a sentence for each stage of the work.

    Raises
    ------
    CapacityError
        If the program exceeds the address range of host memory.
    """
    config = stream.config
    if not stream.instructions:     # a model that only reshapes: a program needs an instruction
        stream.no_operation()
    progress(f"compiling: ordering {len(stream.instructions):,} instructions")
    program = _scheduled(stream, layout.size)
    # each section starts at a multiple of 4 KiB; the tensors have a window of their own
    base = {HostSection.CONSTANTS: round_up(len(program) * isa.INSTRUCTION_BYTES, SECTION_ALIGN)}
    base[HostSection.TENSORS] = base[HostSection.CONSTANTS] + round_up(
        len(constants), SECTION_ALIGN)
    total = base[HostSection.TENSORS] + layout.size
    if total > 1 << config.addr_width:
        raise CapacityError(f"the program needs {total} bytes of host memory, but the "
                            f"{config.addr_width} address bits of {config.name} reach only "
                            f"{1 << config.addr_width}")
    windows = [Window(0, base[HostSection.TENSORS])]
    if layout.size:
        windows.append(Window(base[HostSection.TENSORS], layout.size, read=True, write=True))
    tensors = layout.relocated(base[HostSection.TENSORS])
    instruction_layers = [stream.instructions[instruction.members[0]].layer
                          for instruction in program]
    counts = collections.Counter(instruction_layers)
    result = Program(
        config=config, instructions=_encoded(program, stream.instructions, base),
        memory_bytes=total,
        image=((base[HostSection.CONSTANTS], constants),) if constants else (),
        inputs=tensors.inputs, outputs=tensors.outputs, tensors=tensors.tensors,
        windows=tuple(windows), host_steps=tuple(host_steps),
        meta={"source": source, "macs": macs, "all_tensors": tensors.complete,
              "layers": [{**layer, "instructions": counts[layer["index"]]}
                         for layer in layers],
              "instruction_layers": instruction_layers})
    progress(f"compiling: checking {len(program):,} instructions")
    violations = validate.check_program(result)
    if violations:
        index, violation = violations[0]
        raise AssertionError(f"the compiler emitted an illegal program: instruction {index}, "
                             f"{violation.reason}")
    return result


def _scheduled(stream: InstructionStream, tensor_bytes: int) -> list[ScheduledInstruction]:
    """Return the instructions of a stream in the order of the program, with tokens and merged."""
    config, instructions = stream.config, stream.instructions
    dependencies = find_dependencies(instructions, {
        "spad": config.spad_bytes, "wgt": config.wgt_bytes, "acc": config.acc_rows,
        "host": tensor_bytes})
    order = schedule(instructions, dependencies)
    tokens = add_tokens(order, instructions, dependencies, config.queue_depth)
    return merge(order, tokens, instructions, config)


def _encoded(program: Sequence[ScheduledInstruction],
             instructions: Sequence[UnscheduledInstruction],
             base: dict[HostSection, int]) -> bytes:
    """Return the instructions of the program as bytes, with final host addresses."""
    words = []
    for instruction in program:
        fields = {**instruction.fields, "wait": instruction.wait, "signal": instruction.signal}
        section = instructions[instruction.members[0]].section
        if section is not None:
            fields["host_addr"] += base[section]
        words.append(isa.encode(instruction.name, **fields))
    return b"".join(words)
