"""Scheduled drafts and constants to a :class:`Program`."""

from weft.spec import isa

from ..program import validate
from ..program.file import Program
from ..program.tensor import Window
from .schedule.merge import merge
from .schedule.scheduler import add_tokens, schedule, wait_edges
from .verdict import CapacityError

__all__ = ["emit"]

PAGE = 4096


def emit(stream, constants, tensor_bytes, make_tensors, **parts):
    """Order the instructions of a stream, give them tokens and addresses.

    Parameters
    ----------
    stream : :class:`Stream`
        The drafts.
    constants : :class:`bytes`
        What ``"const"`` addresses point into.
    tensor_bytes : :class:`int`
        Size of what ``"tensor"`` addresses point into.
    make_tensors : function
        From the first byte of tensor memory to ``(inputs, outputs, tensors)``.
    parts
        Further parameters of :class:`Program`.
    """
    config = stream.config
    if not stream.drafts:                   # a model of reshapes alone: hardware needs something
        stream.nothing()
    drafts = stream.drafts
    needs = wait_edges(drafts, {"spad": config.spad_bytes, "wgt": config.wgt_bytes,
                                "acc": config.acc_rows, "host": tensor_bytes})
    order = schedule(drafts, needs)
    tokens = add_tokens(order, drafts, needs, config.queue_depth)
    merged = merge(order, tokens, drafts, config)
    code = len(merged) * isa.INSTRUCTION_BYTES
    # constants begin at a burst boundary, tensors at one of a window of their own
    base = {"const": -(-code // PAGE) * PAGE}
    base["tensor"] = base["const"] + -(-len(constants) // PAGE) * PAGE
    total = base["tensor"] + tensor_bytes
    if total > 1 << config.addr_width:
        raise CapacityError(f"the program needs {total} bytes of host memory; {config.name} has "
                            f"{config.addr_width} address bits, which reach "
                            f"{1 << config.addr_width}")
    words = []
    for instruction in merged:
        draft = drafts[instruction.drafts[0]]
        fields = dict(instruction.fields, wait=instruction.wait, signal=instruction.signal)
        if draft.host:
            fields["host_addr"] += base[draft.host]
        words.append(isa.encode(instruction.name, **fields))
    windows = [Window(0, base["tensor"])]
    if tensor_bytes:
        windows.append(Window(base["tensor"], tensor_bytes, read=True, write=True))
    inputs, outputs, tensors = make_tensors(base["tensor"])
    # which layer each instruction is for, in the order of the program
    of_layers = [drafts[instruction.drafts[0]].layer for instruction in merged]
    meta = parts.get("meta", {})
    for layer in meta.get("layers", ()):
        layer["instructions"] = of_layers.count(layer["index"])
    parts["meta"] = {**meta, "instruction_layers": of_layers}
    program = Program(
        config=config, instructions=b"".join(words), memory_bytes=total,
        image=((base["const"], constants),) if constants else (), inputs=inputs, outputs=outputs,
        tensors=tensors, windows=tuple(windows), **parts)
    violations = validate.check_program(program)
    if violations:
        index, violation = violations[0]
        raise AssertionError(f"the compiler made an illegal program: instruction {index}, "
                             f"{violation.reason}")
    return program
