"""Core of the serial engine: fetches and executes microinstructions."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from .decoder import Decoder
from .microinstruction import (
    ADDRESS_BITS,
    IMMEDIATE_BITS,
    INDEXED_REGISTER,
    REGISTERS,
    Condition,
    Function,
    Operation,
    Source,
)
from .ports import OperationPort

__all__ = ["Core"]

_STACK = 4          # return addresses


class _Registers:
    """Registers of the core that microinstructions use, and signals that its methods share."""

    def __init__(self):
        self.a = Signal(32)
        self.low = Signal(32)               # M
        self.count = Signal(6)              # C
        self.x_index = Signal(8)            # X
        self.shifted_out = Signal()         # the bit that was shifted out last
        self.sticky = Signal()              # a bit that was shifted out earlier was 1
        self.carry = Signal()
        self.less = Signal()

        self.word = Signal(16)              # the microinstruction in execution
        self.address = Signal(8)            # the number of its register
        self.stall = Signal()
        self.host_read = Signal()           # the register file serves the host
        self.next_pc = Signal(ADDRESS_BITS)
        self.r = Signal(32)                 # operand R of a function
        self.total = Signal(33)             # output of the adder
        self.sign = Signal()                # sign of the sum as a signed number of 33 bits


class Core(wiring.Component):
    """Accumulator machine that executes one microinstruction per cycle, except for stalls.

    While one microinstruction executes, the register of the next one is read, and the one after
    that is fetched. The assembler avoids the hazards that result. The host reads a register in a
    cycle between two microinstructions.

    Parameters
    ----------
    words : list of :class:`int`
        The microprogram, 16 bits per word.
    registers : list of :class:`int`
        Contents of the register file at power-up; a reset does not restore them.

    Members
    -------
    port : :py:`Out(OperationPort())`
        The operation in execution, for the other units.
    i_shifter, i_accumulator, i_bus_data, i_bus_address : :py:`In(32)`
        The words of :class:`Source` that come from outside the core.
    i_shifter_busy, i_accumulator_busy : :py:`In(1)`
        ``i_shifter`` or ``i_accumulator`` is not valid yet; a READ_SOURCE of it is stalled.
    i_write_pending, i_read_valid, i_write_valid : :py:`In(1)`
        The branch conditions WRITE_PENDING, READ_VALID and WRITE_VALID.
    i_host_read, i_host_addr : :py:`In(1)`, :py:`In(8)`
        Request of the host for a register, and the number of the register; stable until
        ``o_host_read_done``.
    o_host_read_done, o_host_data : :py:`Out(1)`, :py:`Out(32)`
        High for one cycle when the request is done, and the contents of the register in that cycle.
    """

    def __init__(self, words, registers):
        self.words = words
        self.registers = registers
        outside = {f"i_{source.name.lower()}": In(32) for source in Source
                   if source not in (Source.LOW, Source.CLOCK)}
        super().__init__({
            "port": Out(OperationPort()), **outside,
            "i_shifter_busy": In(1), "i_accumulator_busy": In(1),
            "i_write_pending": In(1), "i_read_valid": In(1), "i_write_valid": In(1),
            "i_host_read": In(1), "i_host_addr": In(8),
            "o_host_read_done": Out(1), "o_host_data": Out(32),
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
        s = _Registers()
        pc, decoded = self._fetch(m, s, fetch, read)
        self._operands(m, s, decoded, read)
        self._sum(m, s, decoded)
        result = self._result(m, s, decoded)
        self._write_back(m, s, decoded, write, result)
        self._operations(m, s, decoded, read)
        self._branch(m, s, decoded, pc)
        return m

    def _fetch(self, m, s, fetch, read):
        """Fetch a microinstruction, read the register of the previous one and decode it."""
        fetched = Signal()                      # fetch.data is a microinstruction
        pc = Signal(ADDRESS_BITS)               # address of the microinstruction after that
        advance = Signal()
        address = Signal(8)
        m.d.comb += [
            advance.eq(~s.stall & ~s.host_read),
            fetch.addr.eq(s.next_pc),
            fetch.en.eq(advance),
            address.eq(Mux(fetch.data[:8] == INDEXED_REGISTER, s.x_index, fetch.data[:8])),
            read.addr.eq(Mux(s.host_read, self.i_host_addr, address)),
            read.en.eq(~s.stall),
            self.o_host_data.eq(read.data),
        ]
        m.d.sync += self.o_host_read_done.eq(s.host_read)
        with m.If(advance):
            m.d.sync += [pc.eq(s.next_pc + 1), fetched.eq(1)]
        with m.If(advance & fetched):
            m.d.sync += [s.word.eq(fetch.data), s.address.eq(address)]
        return pc, Decoder(m, fetch.data, load=advance & fetched, clear=~s.stall)

    def _operands(self, m, s, decoded, read):
        """Select the operand, grant the host's read, and issue the operation to the units."""
        port = self.port
        m.d.comb += [
            s.r.eq(Mux(decoded.immediate, s.word[:IMMEDIATE_BITS].as_signed(), read.data)),
            # no read of the host during a branch, whose target must be fetched without delay
            s.host_read.eq(self.i_host_read & ~self.o_host_read_done & ~s.stall
                           & ~decoded.is_branch),
        ]
        more = Signal()
        source = s.word[:3]
        m.d.comb += [
            more.eq(decoded.counted & (s.count != 0)),
            s.stall.eq(
                port.stall | more
                | (decoded.reads_source & (source == Source.SHIFTER) & self.i_shifter_busy)
                | (decoded.reads_source & (source == Source.ACCUMULATOR)
                   & self.i_accumulator_busy)),
            port.op.eq(decoded.operation),
            port.go.eq(~s.stall),
            port.step.eq(more & ~port.stall),
            port.count.eq(s.count),
            port.a.eq(s.a),
            port.r.eq(read.data),
            port.operand.eq(s.word[:8]),
        ]

    def _sum(self, m, s, decoded):
        """Add, subtract, or add one step of a multiplication, on a single carry chain."""
        augend = Signal(32)
        addend = Signal(32)
        carry_in = Signal()
        keeps = Signal()
        away = Signal()
        m.d.comb += [
            augend.eq((s.a & ~decoded.from_zero.replicate(32)) | decoded.from_ones.replicate(32)),
            keeps.eq(Mux(decoded.stepping, decoded.multiplies & s.low[0], ~decoded.rounds)),
            addend.eq((s.r ^ decoded.inverts.replicate(32)) & keeps.replicate(32)),
            away.eq((decoded.function == Function.ROUND) | s.sticky | ~s.a[31]),
            carry_in.eq(decoded.inverts | decoded.from_zero
                        | (decoded.rounds & s.shifted_out & away)),
        ]
        # the carry into bit 0 is generated by an additional bit below it
        chain = Signal(34)
        m.d.comb += [chain.eq(Cat(1, augend) + Cat(carry_in, addend)), s.total.eq(chain[1:])]
        m.d.comb += s.sign.eq(augend[31] ^ addend[31] ^ s.total[32])

    def _result(self, m, s, decoded):
        """Select the result of a function."""
        clock = Signal(32)
        m.d.sync += clock.eq(clock + 1)
        sources = [clock if source is Source.CLOCK else s.low if source is Source.LOW
                   else getattr(self, f"i_{source.name.lower()}") for source in Source]
        result = Signal(32)
        logic = Signal(32)      # results that do not come from the adder
        both = Cat(s.a, s.r)
        with m.Switch(decoded.function):
            for function, value in (
                (Function.LOAD, s.r), (Function.STORE, s.a),
                (Function.AND, s.a & s.r), (Function.OR, s.a | s.r), (Function.XOR, s.a ^ s.r),
                (Function.SHIFT_BYTES1, both[8:40]), (Function.SHIFT_BYTES2, both[16:48]),
                (Function.SHIFT_BYTES3, both[24:56]),
                (Function.READ_SOURCE, Array(sources)[s.word[:3]]),
                (Function.DOUBLE, s.a << 1),
            ):
                with m.Case(function):
                    m.d.comb += logic.eq(value)
        # the sum is the last signal to arrive, so it enters the last multiplexer
        m.d.comb += result.eq(Mux(decoded.sums, s.total, logic))
        return result

    def _write_back(self, m, s, decoded, write, result):
        with m.If(decoded.is_function & ~s.stall):
            with m.If(decoded.immediate | s.word[9]):
                m.d.sync += s.a.eq(result)
            with m.If(decoded.sums & ~decoded.rounds):
                m.d.sync += [s.carry.eq(s.total[32]), s.less.eq(s.sign)]
        m.d.comb += [
            write.addr.eq(s.address),
            write.data.eq(result),
            write.en.eq(decoded.is_function & ~decoded.immediate & s.word[8] & ~s.stall),
        ]

    def _operations(self, m, s, decoded, read):
        """Execute the operations that change registers of the core."""
        out = Mux(decoded.operation == Operation.SHIFT_LONG, s.low[0], s.total[0])
        with m.If(decoded.stepping & self.port.step):
            m.d.sync += [
                s.a.eq(Cat(s.total[1:32], Mux(decoded.signed_step, s.sign, s.total[32]))),
                s.low.eq(Cat(s.low[1:], s.total[0])),
                s.shifted_out.eq(out),
                s.sticky.eq(s.sticky | s.shifted_out),
            ]
        with m.If(self.port.step):
            m.d.sync += s.count.eq(s.count - 1)
        with m.If(self.port.go):
            with m.Switch(decoded.operation):
                with m.Case(Operation.SET_COUNT):
                    m.d.sync += s.count.eq(s.word[:6])
                with m.Case(Operation.SET_COUNT_FROM_REGISTER):
                    m.d.sync += s.count.eq(read.data[:6])
                with m.Case(Operation.SET_INDEX):
                    m.d.sync += s.x_index.eq(s.a[:8])
                with m.Case(Operation.NEXT_INDEX):
                    m.d.sync += s.x_index.eq(s.x_index + 1)
                with m.Case(Operation.SET_LOW):
                    m.d.sync += s.low.eq(s.a)
                with m.Case(Operation.CLEAR_ROUNDING):
                    m.d.sync += [s.shifted_out.eq(0), s.sticky.eq(0)]

    def _branch(self, m, s, decoded, pc):
        """Select the address of the next microinstruction."""
        zero = Signal()
        taken = Signal()
        m.d.comb += zero.eq(s.a == 0)
        with m.Switch(decoded.condition):
            for condition, value in (
                (Condition.ZERO, zero), (Condition.NONZERO, ~zero),
                (Condition.NEGATIVE, s.a[31]), (Condition.POSITIVE, ~s.a[31]),
                (Condition.CARRY, s.carry), (Condition.NO_CARRY, ~s.carry),
                (Condition.LESS, s.less), (Condition.NOT_LESS, ~s.less),
                (Condition.WRITE_PENDING, self.i_write_pending),
                (Condition.POLL, self.i_write_pending),
                (Condition.READ_VALID, self.i_read_valid),
                (Condition.WRITE_VALID, self.i_write_valid),
            ):
                with m.Case(condition):
                    m.d.comb += taken.eq(value)
            with m.Default():
                m.d.comb += taken.eq(1)
        stack = [Signal(ADDRESS_BITS, name=f"return{depth}") for depth in range(_STACK)]
        m.d.comb += s.next_pc.eq(pc)
        with m.If(decoded.is_branch & taken):
            m.d.comb += s.next_pc.eq(Mux(decoded.condition == Condition.RETURN, stack[0],
                                         s.word[:ADDRESS_BITS]))
            with m.If((decoded.condition == Condition.CALL)
                      | (decoded.condition == Condition.POLL)):
                m.d.sync += [stack[0].eq(pc),
                             *(lower.eq(upper) for upper, lower in zip(stack, stack[1:]))]
            with m.If(decoded.condition == Condition.RETURN):
                m.d.sync += [upper.eq(lower) for upper, lower in zip(stack, stack[1:])]
