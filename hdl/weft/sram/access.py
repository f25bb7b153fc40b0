"""The way of one port's access: into the banks of a memory and, for a read, back out.

Stages are numbered in cycles from the one in which the access is accepted, 0: addresses of the
banks are registers of stage 2, their data of stage 4, the answer of stage 5.
"""

import dataclasses

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.utils import exact_log2

from .lanes import rotate_down, rotate_up

__all__ = ["Access", "PortShape", "accept", "answer", "arrange", "choose"]


@dataclasses.dataclass(frozen=True)
class PortShape:
    """Bytes that a port moves in a cycle, and bytes that one step of its address stands for."""

    width: int
    step: int = 1


@dataclasses.dataclass
class Access:
    """An access in stage 1.

    ``row`` and ``next`` are its row inside a bank and the one after it, ``bank`` and
    ``next_bank`` the banks they are in, ``take`` a bit for each bank that it uses.
    """

    offset: Value
    row: Value
    next: Value
    bank: Value
    next_bank: Value
    take: Value


def choose(choices):
    """The value whose condition holds, of ``(condition, value)`` with at most one that does;
    or else zero."""
    result = Const(0, 1)
    for condition, value in choices:
        result = result | Mux(condition, value, 0)
    return result


def accept(m: Module, name, shape, req, *, addr, ready, need, width, depth):
    """Connects the handshake of one port to its arbiter; its access in stage 1.

    ``ready`` and ``need`` are the arbiter's, for this port.
    """
    banks = len(need)
    low = exact_log2(width)
    high = low + exact_log2(depth)
    narrow = exact_log2(shape.width)
    full = Signal(high + exact_log2(banks), name=f"{name}_addr")
    crosses = Signal(name=f"{name}_crosses")
    m.d.comb += [
        full.eq(Cat(Const(0, exact_log2(shape.step)), addr)),
        # so far right in the last row of a bank that the access does not end in it
        crosses.eq(full[narrow:high].all() & full[:narrow].any()),
    ]
    for b in range(banks):
        m.d.comb += need[b].eq((full[high:] == b) | (crosses & (full[high:] == (b - 1) % banks)))
    m.d.comb += req.ready.eq(ready)

    go = Signal(name=f"{name}_s1_go")
    s1_addr = Signal.like(full, name=f"{name}_s1_addr")
    s1_need = Signal(banks, name=f"{name}_s1_need")
    m.d.sync += [go.eq(req.valid & ready), s1_addr.eq(full), s1_need.eq(need)]

    following = Signal(len(full) - low, name=f"{name}_s1_following")
    take = Signal(banks, name=f"{name}_s1_take")
    m.d.comb += [following.eq(s1_addr[low:] + 1), take.eq(Mux(go, s1_need, 0))]
    return Access(offset=s1_addr[:low], row=s1_addr[low:high], bank=s1_addr[high:],
                  next=following[:high - low], next_bank=following[high - low:], take=take)


def arrange(m: Module, name, payload, access, *, width):
    """A write's bytes by lane, and for each bank its enables by lane, both in stage 2."""
    banks = len(access.take)
    s1_mask = Signal(width, name=f"{name}_s1_mask")
    s1_data = [Signal(8, name=f"{name}_s1_data_{i}") for i in range(len(payload.mask))]
    s2_data = [Signal(8, name=f"{name}_s2_data_{i}") for i in range(len(payload.mask))]
    enables = [Signal(width, name=f"{name}_s2_enable_{b}") for b in range(banks)]
    m.d.sync += [s1_mask.eq(payload.mask)]
    m.d.sync += [byte.eq(payload.data[i]) for i, byte in enumerate(s1_data)]

    # a narrow write offers its bytes to every group of so many lanes: the enables choose
    turned = rotate_up(m, f"{name}_data", s1_data, access.offset)
    m.d.sync += [byte.eq(source) for byte, source in zip(s2_data, turned)]
    wanted = rotate_up(m, f"{name}_mask", list(s1_mask), access.offset)
    for lane in range(width):
        bank = Signal(range(banks), name=f"{name}_s1_bank_{lane}")
        m.d.comb += bank.eq(Mux(access.offset > lane, access.next_bank, access.bank))
        for b in range(banks):
            m.d.sync += enables[b][lane].eq(wanted[lane] & access.take[b] & (bank == b))
    return [s2_data[lane % len(s2_data)] for lane in range(width)], enables


def answer(m: Module, name, port, access, banks):
    """Registers as ``port``'s answer, in stage 5, the bytes that the lanes give for a read."""
    going, offset = access.take.any(), access.offset
    bank, next_bank = access.bank, access.next_bank
    for stage in (2, 3):
        old = (going, offset, bank, next_bank)
        going, offset, bank, next_bank = (
            Signal(len(value), name=f"{name}_s{stage}_{what}")
            for what, value in zip(("going", "offset", "bank", "next_bank"), old))
        m.d.sync += [new.eq(value)
                     for new, value in zip((going, offset, bank, next_bank), old)]

    width = banks[0].width
    s4_going = Signal(name=f"{name}_s4_going")
    s4_offset = Signal(len(offset), name=f"{name}_s4_offset")
    m.d.sync += [s4_going.eq(going), s4_offset.eq(offset), port.valid.eq(s4_going)]
    lanes = []
    for lane in range(width):
        s4_bank = Signal(range(len(banks)), name=f"{name}_s4_bank_{lane}")
        m.d.sync += s4_bank.eq(Mux(offset > lane, next_bank, bank))
        lanes.append(Signal(8, name=f"{name}_s4_lane_{lane}"))
        with m.Switch(s4_bank):
            for b, source in enumerate(banks):
                with m.Default() if b == len(banks) - 1 else m.Case(b):
                    m.d.comb += lanes[-1].eq(source.o_read[lane])
    turned = rotate_down(m, f"{name}_answer", lanes, s4_offset, len(port.data))
    m.d.sync += [port.data[i].eq(byte) for i, byte in enumerate(turned)]
