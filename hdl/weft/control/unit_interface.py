"""Interface between the sequencer and a unit."""

from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec import isa

__all__ = ["INSTRUCTION_SHAPE", "UnitSignature"]

INSTRUCTION_SHAPE = 8 * isa.INSTRUCTION_BYTES

ERROR_LAYOUT = data.StructLayout({"code": 8, "addr": 32})


class UnitSignature(wiring.Signature):
    """Interface of a unit, from the sequencer's side.

    An instruction is issued when its tokens are available. It has been validated, and its
    ``host_addr`` is absolute: MEM_BASE has been added. Instructions finish in order. Each iteration
    of an instruction with ``each`` is issued as an instruction, with a count of 1.

    Members
    -------
    cmd : :py:`Out(stream.Signature(256))`
        The instruction; :func:`weft.control.instruction_layout.instruction_layout` defines its
        fields.
    done : :py:`In(1)`
        High for one cycle per completed instruction, in order. Every byte that the instruction
        wrote is visible to accesses that are accepted from the next cycle on. Never high together
        with ``error`` for the same instruction.
    error : :py:`In(1)`, ``error_info`` : :py:`In(ERROR_LAYOUT)`
        High for one cycle when the oldest instruction in progress has failed. By then the unit
        has stopped issuing requests for it; it completes its outstanding bus transfers and accepts
        no further instruction until it is reset.
    busy : :py:`In(1)`
        At least one instruction is in progress.
    wait_memory : :py:`In(1)`
        The unit is stalled by host memory.
    conflict : :py:`In(1)`
        An on-chip memory stalled an access in this cycle or the previous one.
    halt : :py:`Out(1)`
        Start no further instruction and no further bus burst; complete outstanding transfers.
    """

    def __init__(self):
        super().__init__({
            "cmd": Out(stream.Signature(INSTRUCTION_SHAPE)),
            "done": In(1),
            "error": In(1),
            "error_info": In(ERROR_LAYOUT),
            "busy": In(1),
            "wait_memory": In(1),
            "conflict": In(1),
            "halt": Out(1),
        })
