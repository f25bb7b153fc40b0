"""Decoder of microinstructions in the core of the serial engine."""

from amaranth.hdl import Cat, Mux, Signal

from .microinstruction import IMMEDIATE_BITS, Condition, Function, Operation

__all__ = ["Decoder"]

_COUNTED = (Operation.MULTIPLY, Operation.MULTIPLY_UNSIGNED, Operation.SHIFT,
            Operation.SHIFT_LONG, Operation.ROTATE, Operation.LOAD_WEIGHTS)
_STEPS = _COUNTED[:4]
_ROUNDS = (Function.ROUND, Function.ROUND_AWAY)
_SUMS = (Function.ADD, Function.SUB, Function.INC, Function.DEC)


def _one_of(signal, kinds):
    return Cat(signal == kind for kind in kinds).any()


class Decoder:
    """Registers with the decoded fields of the microinstruction in execution.

    The constructor adds the logic to the module of the core. All registers are 0 while no
    microinstruction is in execution.

    Parameters
    ----------
    m : :class:`amaranth.hdl.Module`
    word : value
        The microinstruction to execute next, 16 bits.
    load, clear : value
        ``load``: load the registers with the fields of ``word``. ``clear``, if ``load`` is low:
        clear them.

    Attributes
    ----------
    is_branch, is_function : :class:`Signal`
        Kind of the microinstruction.
    condition, function, operation : :class:`Signal`
        The condition, function or operation. For a microinstruction of another kind, ``function``
        is ``LOAD`` and ``operation`` is ``NOP``.
    immediate : :class:`Signal`
        The operand of the function is a number.
    counted : :class:`Signal`
        The operation repeats C times.
    stepping, multiplies, signed_step : :class:`Signal`
        The operation is a multiplication or a shift of {A, M}; it is a multiplication; it is signed
        (valid only with ``stepping``).
    inverts, from_zero, from_ones : :class:`Signal`
        The adder inverts the operand (SUB), or adds it to 0 (INC) or to all ones (DEC) instead of
        A.
    rounds, sums, reads_source : :class:`Signal`
        The function is ROUND or ROUND_AWAY; its result comes from the adder; it is READ_SOURCE.
    """

    def __init__(self, m, word, *, load, clear):
        self._m, self._load, self._clear = m, load, clear
        is_function = Signal()
        function = Signal(Function)
        operation = Signal(Operation)
        m.d.comb += [
            is_function.eq(~word[15] & (~word[14] | word[13])),
            function.eq(Mux(~is_function, Function.LOAD,
                            Mux(word[14], word[IMMEDIATE_BITS:13], word[10:14]))),
            operation.eq(Mux(word[13:16] == 0b010, word[8:13], Operation.NOP)),
        ]
        self.is_branch = self._register("is_branch", 1, word[15])
        self.is_function = self._register("is_function", 1, is_function)
        self.immediate = self._register("immediate", 1, is_function & word[14])
        self.condition = self._register("condition", Condition, word[11:15])
        self.function = self._register("function", Function, function)
        self.operation = self._register("operation", Operation, operation)
        self.counted = self._register("counted", 1, _one_of(operation, _COUNTED))
        self.stepping = self._register("stepping", 1, _one_of(operation, _STEPS))
        self.multiplies = self._register("multiplies", 1, _one_of(operation, _STEPS[:2]))
        self.signed_step = self._register("signed_step", 1,
                                          operation != Operation.MULTIPLY_UNSIGNED)
        self.inverts = self._register("inverts", 1, function == Function.SUB)
        self.from_zero = self._register("from_zero", 1, function == Function.INC)
        self.from_ones = self._register("from_ones", 1, function == Function.DEC)
        self.rounds = self._register("rounds", 1, _one_of(function, _ROUNDS))
        self.sums = self._register("sums", 1, _one_of(function, (*_SUMS, *_ROUNDS)))
        self.reads_source = self._register("reads_source", 1,
                                           is_function & (function == Function.READ_SOURCE))

    def _register(self, name, shape, value):
        register = Signal(shape, name=name)
        with self._m.If(self._load):
            self._m.d.sync += register.eq(value)
        with self._m.Elif(self._clear):
            self._m.d.sync += register.eq(0)
        return register
