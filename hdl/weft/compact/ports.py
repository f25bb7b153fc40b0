"""What connects the core of the serial engine with the units that carry out its operations."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .microinstruction import Operation

__all__ = ["OperationPort"]


class OperationPort(wiring.Signature):
    """The operation that the core is about to carry out.

    Members
    -------
    op : :py:`Out(Operation)`
        It holds until ``go``; ``NOP`` if there is none.
    go : :py:`Out(1)`
        It is done in this cycle: no unit stalls.
    step : :py:`Out(1)`
        It is one of those that C counts, C is not 0 and no unit stalls.
    count : :py:`Out(6)`
        C.
    a, r : :py:`Out(32)`
        A, and the register that it names.
    operand : :py:`Out(8)`
        Its small number.
    stall : :py:`In(1)`
        It cannot be carried out yet.
    """

    def __init__(self):
        super().__init__({
            "op": Out(Operation), "go": Out(1), "step": Out(1), "count": Out(6),
            "a": Out(32), "r": Out(32), "operand": Out(8), "stall": In(1),
        })
