"""The core of the serial engine: fetches microinstructions, computes, branches."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from .microinstruction import (
    ADDRESS_BITS,
    AT_X,
    REGISTERS,
    SMALL_BITS,
    Condition,
    Function,
    Operation,
    Source,
)
from .ports import OperationPort

__all__ = ["Core"]

_STACK = 4
_COUNTED = (Operation.MULTIPLY, Operation.MULTIPLY_UNSIGNED, Operation.SHIFT,
            Operation.SHIFT_LONG, Operation.ROTATE, Operation.WEIGHTS)
_STEPS = _COUNTED[:4]
_ROUNDS = (Function.ROUND, Function.ROUND_AWAY)
_SUMS = (Function.ADD, Function.SUB, Function.INC, Function.DEC)


class Core(wiring.Component):
    """A machine with one accumulator: a microinstruction a cycle, but for waits.

    While one is executed, the next reads its register and the one behind that is fetched; the
    assembler knows what that asks for. A host reads the registers between two instructions.

    Parameters
    ----------
    words : list of :class:`int`
        The microprogram.
    registers : list of :class:`int`
        What the registers hold at power-on; a reset does not restore that.

    Members
    -------
    port : :py:`Out(OperationPort())`
        To the units.
    i_sources : :py:`In(32)` for each of :class:`Source` but ``LOW`` and ``CLOCK``
        What ``TAKE`` takes.
    i_shifter_busy, i_accumulator_busy : :py:`In(1)`
        These two cannot be taken yet.
    i_write_waits, i_read_valid, i_write_valid : :py:`In(1)`
        Conditions of branches.
    i_look : :py:`In(1)`, ``i_look_addr`` : :py:`In(8)`
        A host wants to read a register; holds until ``o_look_done``.
    o_look_done : :py:`Out(1)`, ``o_register`` : :py:`Out(32)`
        The register's content, for one cycle.
    """

    def __init__(self, words, registers):
        self.words = words
        self.registers = registers
        outside = {f"i_{source.name.lower()}": In(32) for source in Source
                   if source not in (Source.LOW, Source.CLOCK)}
        super().__init__({
            "port": Out(OperationPort()), **outside,
            "i_shifter_busy": In(1), "i_accumulator_busy": In(1),
            "i_write_waits": In(1), "i_read_valid": In(1), "i_write_valid": In(1),
            "i_look": In(1), "i_look_addr": In(8),
            "o_look_done": Out(1), "o_register": Out(32),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.program = program = memory.Memory(
            shape=16, depth=1 << ADDRESS_BITS, init=self.words)
        m.submodules.file = file = memory.Memory(shape=32, depth=REGISTERS, init=self.registers,
                                                 attrs={"no_rw_check": 1})
        fetch = program.read_port()
        read = file.read_port()
        write = file.write_port()
        port = self.port

        # -- fetch and read ----------------------------------------------------------------------
        fetched = Signal()                      # program.data is a microinstruction
        pc = Signal(ADDRESS_BITS)               # of the one behind it
        x_index = Signal(8)
        next_pc = Signal(ADDRESS_BITS)
        line = fetch.data
        stall = Signal()
        look = Signal()
        move = Signal()
        address = Signal(8)
        m.d.comb += [
            move.eq(~stall & ~look),
            fetch.addr.eq(next_pc),
            fetch.en.eq(move),
            address.eq(Mux(line[:8] == AT_X, x_index, line[:8])),
            read.addr.eq(Mux(look, self.i_look_addr, address)),
            read.en.eq(~stall),
            self.o_register.eq(read.data),
        ]
        m.d.sync += self.o_look_done.eq(look)
        with m.If(move):
            m.d.sync += [pc.eq(next_pc + 1), fetched.eq(1)]

        # -- the microinstruction in execution, decoded before that ------------------------------
        x_line = Signal(16)
        x_address = Signal(8)
        with m.If(move & fetched):
            m.d.sync += [x_line.eq(line), x_address.eq(address)]

        def decoded(name, shape, value):
            """A register that is 0 if nothing is in execution."""
            register = Signal(shape, name=name)
            with m.If(move & fetched):
                m.d.sync += register.eq(value)
            with m.Elif(~stall):
                m.d.sync += register.eq(0)
            return register

        def one_of(signal, kinds):
            return Cat(signal == kind for kind in kinds).any()

        d_is_function = Signal()
        d_function = Signal(Function)
        d_operation = Signal(Operation)
        m.d.comb += [
            d_is_function.eq(~line[15] & (~line[14] | line[13])),
            d_function.eq(Mux(~d_is_function, Function.LOAD,
                              Mux(line[14], line[SMALL_BITS:13], line[10:14]))),
            d_operation.eq(Mux(line[13:16] == 0b010, line[8:13], Operation.NOP)),
        ]
        is_branch = decoded("is_branch", 1, line[15])
        is_function = decoded("is_function", 1, d_is_function)
        immediate = decoded("immediate", 1, d_is_function & line[14])
        condition = decoded("condition", Condition, line[11:15])
        function = decoded("function", Function, d_function)
        operation = decoded("operation", Operation, d_operation)
        counted = decoded("counted", 1, one_of(d_operation, _COUNTED))
        stepping = decoded("stepping", 1, one_of(d_operation, _STEPS))
        multiplies = decoded("multiplies", 1, one_of(d_operation, _STEPS[:2]))
        signed_step = decoded("signed_step", 1, d_operation != Operation.MULTIPLY_UNSIGNED)
        inverts = decoded("inverts", 1, d_function == Function.SUB)
        from_zero = decoded("from_zero", 1, d_function == Function.INC)
        from_ones = decoded("from_ones", 1, d_function == Function.DEC)
        rounds = decoded("rounds", 1, one_of(d_function, _ROUNDS))
        sums = decoded("sums", 1, one_of(d_function, (*_SUMS, *_ROUNDS)))
        takes = decoded("takes", 1, d_is_function & (d_function == Function.TAKE))
        r = Signal(32)          # of a function
        m.d.comb += [
            r.eq(Mux(immediate, x_line[:SMALL_BITS].as_signed(), read.data)),
            # what a branch fetches must not wait
            look.eq(self.i_look & ~self.o_look_done & ~stall & ~is_branch),
        ]

        a = Signal(32)
        low = Signal(32)
        count = Signal(6)
        more = Signal()
        m.d.comb += [
            more.eq(counted & (count != 0)),
            stall.eq(port.stall | more
                     | (takes & (x_line[:3] == Source.SHIFTER) & self.i_shifter_busy)
                     | (takes & (x_line[:3] == Source.ACCUMULATOR) & self.i_accumulator_busy)),
            port.op.eq(operation),
            port.go.eq(~stall),
            port.step.eq(more & ~port.stall),
            port.count.eq(count),
            port.a.eq(a),
            port.r.eq(read.data),
            port.operand.eq(x_line[:8]),
        ]

        # -- sums ---------------------------------------------------------------------------------
        shifted_out = Signal()
        sticky = Signal()
        one = Signal(32)
        other = Signal(32)
        carry_in = Signal()
        total = Signal(33)
        keeps = Signal()
        away = Signal()
        m.d.comb += [
            one.eq((a & ~from_zero.replicate(32)) | from_ones.replicate(32)),
            keeps.eq(Mux(stepping, multiplies & low[0], ~rounds)),
            other.eq((r ^ inverts.replicate(32)) & keeps.replicate(32)),
            away.eq((function == Function.ROUND) | sticky | ~a[31]),
            carry_in.eq(inverts | from_zero | (rounds & shifted_out & away)),
        ]
        # one chain: a carry into the lowest bit comes from a bit below it
        chain = Signal(34)
        m.d.comb += [chain.eq(Cat(1, one) + Cat(carry_in, other)), total.eq(chain[1:])]
        carry = Signal()
        less = Signal()
        sign = Signal()
        m.d.comb += sign.eq(one[31] ^ other[31] ^ total[32])

        # -- results ------------------------------------------------------------------------------
        clock = Signal(32)
        m.d.sync += clock.eq(clock + 1)
        sources = [clock if source is Source.CLOCK else low if source is Source.LOW
                   else getattr(self, f"i_{source.name.lower()}") for source in Source]
        result = Signal(32)
        rest = Signal(32)       # what needs no sum
        both = Cat(a, r)
        with m.Switch(function):
            with m.Case(Function.LOAD):
                m.d.comb += rest.eq(r)
            with m.Case(Function.STORE):
                m.d.comb += rest.eq(a)
            with m.Case(Function.AND):
                m.d.comb += rest.eq(a & r)
            with m.Case(Function.OR):
                m.d.comb += rest.eq(a | r)
            with m.Case(Function.XOR):
                m.d.comb += rest.eq(a ^ r)
            with m.Case(Function.BYTES1):
                m.d.comb += rest.eq(both[8:40])
            with m.Case(Function.BYTES2):
                m.d.comb += rest.eq(both[16:48])
            with m.Case(Function.BYTES3):
                m.d.comb += rest.eq(both[24:56])
            with m.Case(Function.TAKE):
                m.d.comb += rest.eq(Array(sources)[x_line[:3]])
            with m.Case(Function.DOUBLE):
                m.d.comb += rest.eq(a << 1)
        # the sum comes last
        m.d.comb += result.eq(Mux(sums, total, rest))

        with m.If(is_function & ~stall):
            with m.If(immediate | x_line[9]):
                m.d.sync += a.eq(result)
            with m.If(sums & ~rounds):
                m.d.sync += [carry.eq(total[32]), less.eq(sign)]
        m.d.comb += [
            write.addr.eq(x_address),
            write.data.eq(result),
            write.en.eq(is_function & ~immediate & x_line[8] & ~stall),
        ]

        out = Mux(operation == Operation.SHIFT_LONG, low[0], total[0])
        with m.If(stepping & port.step):
            m.d.sync += [
                a.eq(Cat(total[1:32], Mux(signed_step, sign, total[32]))),
                low.eq(Cat(low[1:], total[0])),
                shifted_out.eq(out),
                sticky.eq(sticky | shifted_out),
            ]
        with m.If(port.step):
            m.d.sync += count.eq(count - 1)
        with m.If(port.go):
            with m.Switch(operation):
                with m.Case(Operation.COUNT):
                    m.d.sync += count.eq(x_line[:6])
                with m.Case(Operation.COUNT_REGISTER):
                    m.d.sync += count.eq(read.data[:6])
                with m.Case(Operation.INDEX):
                    m.d.sync += x_index.eq(a[:8])
                with m.Case(Operation.NEXT_INDEX):
                    m.d.sync += x_index.eq(x_index + 1)
                with m.Case(Operation.LOW):
                    m.d.sync += low.eq(a)
                with m.Case(Operation.FORGET):
                    m.d.sync += [shifted_out.eq(0), sticky.eq(0)]

        # -- branches -----------------------------------------------------------------------------
        zero = Signal()
        taken = Signal()
        m.d.comb += zero.eq(a == 0)
        with m.Switch(condition):
            for kind, holds in (
                (Condition.ZERO, zero), (Condition.NONZERO, ~zero),
                (Condition.NEGATIVE, a[31]), (Condition.POSITIVE, ~a[31]),
                (Condition.CARRY, carry), (Condition.NO_CARRY, ~carry),
                (Condition.LESS, less), (Condition.NOT_LESS, ~less),
                (Condition.WRITE_WAITS, self.i_write_waits),
                (Condition.POLL, self.i_write_waits),
                (Condition.READ_VALID, self.i_read_valid),
                (Condition.WRITE_VALID, self.i_write_valid),
            ):
                with m.Case(kind):
                    m.d.comb += taken.eq(holds)
            with m.Default():
                m.d.comb += taken.eq(1)
        stack = [Signal(ADDRESS_BITS, name=f"return{depth}") for depth in range(_STACK)]
        m.d.comb += next_pc.eq(pc)
        with m.If(is_branch & taken):
            m.d.comb += next_pc.eq(Mux(condition == Condition.RETURN, stack[0],
                                       x_line[:ADDRESS_BITS]))
            with m.If((condition == Condition.CALL) | (condition == Condition.POLL)):
                m.d.sync += [stack[0].eq(pc),
                             *(lower.eq(upper) for upper, lower in zip(stack, stack[1:]))]
            with m.If(condition == Condition.RETURN):
                m.d.sync += [upper.eq(lower) for upper, lower in zip(stack, stack[1:])]
        return m
