"""What the sequencer and a unit say to each other."""

from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..spec import isa

__all__ = ["INSTRUCTION_SHAPE", "UnitSignature"]

INSTRUCTION_SHAPE = 8 * isa.INSTRUCTION_BYTES

ERROR_LAYOUT = data.StructLayout({"code": 8, "addr": 32})


class UnitSignature(wiring.Signature):
    """The sequencer's side of a unit.

    An instruction is issued when its tokens are there. It has been validated, and its
    ``host_addr`` is absolute: MEM_BASE has been added. Instructions finish in order. Of one with
    ``each``, every row is an instruction here, with a count of 1.

    Members
    -------
    cmd : :py:`Out(stream.Signature(256))`
        The instruction; view it with :func:`weft.control.instruction_layout.instruction_layout`.
    done : :py:`In(1)`
        High for one cycle for each instruction that is done, in order: every byte it writes is
        visible to any access that is accepted from the next cycle on. Never high together
        with ``error`` for the same instruction.
    error : :py:`In(1)`, ``error_info`` : :py:`In(ERROR_LAYOUT)`
        High for one cycle when the oldest instruction in work has met an error. The unit has by
        then stopped issuing for it, still finishes what the bus owes, and takes no further
        instruction until it is reset.
    busy : :py:`In(1)`
        An instruction is in work.
    wait_memory : :py:`In(1)`
        The unit could go on if host memory answered.
    conflict : :py:`In(1)`
        An on-chip memory refused an access, in this cycle or the one before.
    halt : :py:`Out(1)`
        Start no instruction and no bus burst any more; finish what the bus has been promised.
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
