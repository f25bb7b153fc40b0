"""Interface between the core of the serial engine and the units that execute operations."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .microinstruction import Operation

__all__ = ["OperationPort"]


class OperationPort(wiring.Signature):
    """Port through which the core issues operations to the byte, array and beat units.

    Members
    -------
    op : :py:`Out(Operation)`
        The operation in execution, stable until ``go``; ``NOP`` if there is none.
    go : :py:`Out(1)`
        The operation completes in this cycle: no unit stalls it.
    step : :py:`Out(1)`
        A counted operation executes one repetition in this cycle: C is not 0, and no unit stalls
        it.
    count : :py:`Out(6)`
        The repeat count C.
    a, r : :py:`Out(32)`
        The accumulator A, and the contents of the register that the operand selects.
    operand : :py:`Out(8)`
        The operand as a number.
    stall : :py:`In(1)`
        The unit cannot execute the operation yet.
    """

    def __init__(self):
        super().__init__({
            "op": Out(Operation), "go": Out(1), "step": Out(1), "count": Out(6),
            "a": Out(32), "r": Out(32), "operand": Out(8), "stall": In(1),
        })
