"""The way of one port's access: into the banks of a memory and, for a read, back out.

Stages are numbered in cycles from the one in which the access is let through, 0: addresses of the
banks are registers of stage 2, their data of stage 4, the answer of stage 5.
"""

import dataclasses

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from .lanes import rotate_down, rotate_up

__all__ = ["Access", "PortShape", "answer", "arrange", "request_layout", "requested", "start"]


@dataclasses.dataclass(frozen=True)
class PortShape:
    """Bytes that a port moves in a cycle, and bytes that one step of its address stands for."""

    width: int
    step: int = 1


@dataclasses.dataclass
class Access:
    """An access in stage 1.

    ``go``: there is one. ``row`` and ``next`` are its row inside a bank and the one after it,
    ``bank`` and ``next_bank`` the banks they are in, ``take`` a bit for each bank that it uses.
    """

    go: Value
    offset: Value
    row: Value
    next: Value
    bank: Value
    next_bank: Value
    take: Value


def request_layout(payload, *, size, banks):
    """A request that waits for its banks: ``need`` has a bit for each, ``addr`` is in bytes."""
    return data.StructLayout({"need": banks, "addr": exact_log2(size), "payload": payload.shape()})


def requested(m: Module, name, shape, request, *, addr, payload):
    """Sets ``request``, of :func:`request_layout`, to what the port asks for at ``addr``."""
    banks = len(request.need)
    narrow = exact_log2(shape.width)
    high = len(request.addr) - exact_log2(banks)
    full = Signal.like(request.addr, name=f"{name}_addr")
    crosses = Signal(name=f"{name}_crosses")
    m.d.comb += [
        full.eq(Cat(Const(0, exact_log2(shape.step)), addr)),
        # so far right in the last row of a bank that the access does not end in it
        crosses.eq(full[narrow:high].all() & full[:narrow].any()),
        request.addr.eq(full),
        request.payload.eq(payload),
    ]
    for b in range(banks):
        m.d.comb += request.need[b].eq(
            (full[high:] == b) | (crosses & (full[high:] == (b - 1) % banks)))


def start(m: Module, name, request, go, *, width, depth):
    """The access in stage 1 of a ``request`` that is let through if ``go``."""
    low = exact_log2(width)
    high = low + exact_log2(depth)
    s1_go = Signal(name=f"{name}_s1_go")
    s1_addr = Signal.like(request.addr, name=f"{name}_s1_addr")
    s1_need = Signal.like(request.need, name=f"{name}_s1_need")
    m.d.sync += [s1_go.eq(go), s1_addr.eq(request.addr), s1_need.eq(request.need)]

    following = Signal(len(s1_addr) - low, name=f"{name}_s1_following")
    take = Signal(len(s1_need), name=f"{name}_s1_take")
    m.d.comb += [following.eq(s1_addr[low:] + 1), take.eq(Mux(s1_go, s1_need, 0))]
    return Access(go=s1_go, offset=s1_addr[:low], row=s1_addr[low:high], bank=s1_addr[high:],
                  next=following[:high - low], next_bank=following[high - low:], take=take)


def arrange(m: Module, name, write, access, *, width):
    """The bytes of ``write`` by lane, and for each bank its enables by lane, both in stage 2."""
    banks = len(access.take)
    s1_mask = Signal(width, name=f"{name}_s1_mask")
    s1_data = [Signal(8, name=f"{name}_s1_data_{i}") for i in range(len(write.mask))]
    s2_data = [Signal(8, name=f"{name}_s2_data_{i}") for i in range(len(write.mask))]
    enables = [Signal(width, name=f"{name}_s2_enable_{b}") for b in range(banks)]
    m.d.sync += [s1_mask.eq(write.mask)]
    m.d.sync += [byte.eq(write.data[i]) for i, byte in enumerate(s1_data)]

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
    going, offset = access.go, access.offset
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
