"""Pipeline of one port's accesses to the banks of a memory.

Stage n is the cycle n cycles after the access was granted. The addresses of the banks are registers
of stage 2, the data of the banks arrives in stage 4, and the read data of the port is in registers
of stage 5.
"""

import dataclasses

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from .lanes import rotate_down, rotate_up

__all__ = ["BankAccess", "align_read", "align_write", "begin_access", "connect_request",
           "request_layout"]


@dataclasses.dataclass
class BankAccess:
    """Location of an access in the banks, in stage 1.

    Attributes
    ----------
    en : 1 bit
        There is an access in this cycle.
    offset : unsigned
        Byte lane of the first byte.
    row, next_row : unsigned
        Row of the first byte in its bank, and the row that follows it.
    bank, next_bank : unsigned
        Banks of these two rows.
    uses : one bit per bank
        The access uses the bank.
    """

    en: Value
    offset: Value
    row: Value
    next_row: Value
    bank: Value
    next_bank: Value
    uses: Value


def request_layout(payload, *, size, banks):
    """Return the layout of a request before its grant.

    ``need`` has one bit for each bank that the access needs, and ``addr`` is a byte address.
    ``payload`` is that of the port's request stream.
    """
    return data.StructLayout({"need": banks, "addr": exact_log2(size), "payload": payload.shape()})


def connect_request(m: Module, name, shape, request, *, addr, payload):
    """Drive ``request``, a :func:`request_layout`, with an access of port ``name``.

    ``addr`` is in units of ``step`` bytes of the port's ``shape``, a
    :class:`~weft.sram.ports.PortShape`.
    """
    banks = len(request.need)
    narrow = exact_log2(shape.width)
    high = len(request.addr) - exact_log2(banks)
    full = Signal.like(request.addr, name=f"{name}_addr")
    crosses = Signal(name=f"{name}_crosses")
    m.d.comb += [
        full.eq(Cat(Const(0, exact_log2(shape.step)), addr)),
        # the access begins so close to the end of a bank that it continues in the next bank
        crosses.eq(full[narrow:high].all() & full[:narrow].any()),
        request.addr.eq(full),
        request.payload.eq(payload),
    ]
    for b in range(banks):
        m.d.comb += request.need[b].eq(
            (full[high:] == b) | (crosses & (full[high:] == (b - 1) % banks)))


def begin_access(m: Module, name, request, grant, *, width, depth):
    """Register a ``request`` that is granted in stage 0, and return its :class:`BankAccess`.

    ``grant`` is high if the request is granted in this cycle. ``width`` is the number of byte lanes
    of a bank, and ``depth`` the number of its rows.
    """
    low = exact_log2(width)
    high = low + exact_log2(depth)
    s1_en = Signal(name=f"{name}_s1_en")
    s1_addr = Signal.like(request.addr, name=f"{name}_s1_addr")
    s1_need = Signal.like(request.need, name=f"{name}_s1_need")
    m.d.sync += [s1_en.eq(grant), s1_addr.eq(request.addr), s1_need.eq(request.need)]

    following = Signal(len(s1_addr) - low, name=f"{name}_s1_following")
    uses = Signal(len(s1_need), name=f"{name}_s1_uses")
    m.d.comb += [following.eq(s1_addr[low:] + 1), uses.eq(Mux(s1_en, s1_need, 0))]
    return BankAccess(
        en=s1_en, offset=s1_addr[:low], row=s1_addr[low:high], bank=s1_addr[high:],
        next_row=following[:high - low], next_bank=following[high - low:], uses=uses)


def align_write(m: Module, name, write, access, *, width, aligned=None):
    """Rotate the bytes of ``write`` to their lanes.

    ``aligned``, if given, is the :class:`~weft.sram.ports.AlignedWrite` of the port. Return the
    byte of each lane, and for each bank the write enables of its lanes, in stage 2.
    """
    banks = len(access.uses)
    s1_mask = Signal(width, name=f"{name}_s1_mask")
    s1_data = [Signal(8, name=f"{name}_s1_data_{i}") for i in range(len(write.mask))]
    s2_data = [Signal(8, name=f"{name}_s2_data_{i}") for i in range(len(write.mask))]
    enables = [Signal(width, name=f"{name}_s2_enable_{b}") for b in range(banks)]
    m.d.sync += [s1_mask.eq(write.mask)]
    m.d.sync += [byte.eq(write.data[i]) for i, byte in enumerate(s1_data)]

    # the bytes of a narrow write are repeated across all lanes; the enables select the lanes
    rotated = rotate_up(m, f"{name}_data", s1_data, access.offset)
    m.d.sync += [byte.eq(other) for byte, other in zip(s2_data, rotated)]
    source: list[Value] = list(s2_data)
    if aligned is not None:
        # selected behind the registers, which memories with the same requests can share
        s1_aligned, s2_aligned = (Signal.like(aligned.data, name=f"{name}_s{stage}_aligned")
                                  for stage in (1, 2))
        s1_select, s2_select = (Signal(name=f"{name}_s{stage}_select") for stage in (1, 2))
        m.d.sync += [s1_aligned.eq(aligned.data), s2_aligned.eq(s1_aligned),
                     s1_select.eq(aligned.en), s2_select.eq(s1_select)]
        source = [Mux(s2_select, byte, other) for byte, other in zip(s2_aligned, s2_data)]
    mask = rotate_up(m, f"{name}_mask", list(s1_mask), access.offset)
    for lane in range(width):
        bank = Signal(range(banks), name=f"{name}_s1_bank_{lane}")
        m.d.comb += bank.eq(Mux(access.offset > lane, access.next_bank, access.bank))
        for b in range(banks):
            m.d.sync += enables[b][lane].eq(mask[lane] & access.uses[b] & (bank == b))
    return [source[lane % len(source)] for lane in range(width)], enables


def align_read(m: Module, name, port, access, banks):
    """Select and rotate the bytes that the banks read into the data of ``port``, in stage 5."""
    en, offset = access.en, access.offset
    bank, next_bank = access.bank, access.next_bank
    for stage in (2, 3):
        previous = (en, offset, bank, next_bank)
        en, offset, bank, next_bank = (
            Signal(len(value), name=f"{name}_s{stage}_{field}")
            for field, value in zip(("en", "offset", "bank", "next_bank"), previous))
        m.d.sync += [register.eq(value)
                     for register, value in zip((en, offset, bank, next_bank), previous)]

    width = banks[0].width
    s4_en = Signal(name=f"{name}_s4_en")
    s4_offset = Signal(len(offset), name=f"{name}_s4_offset")
    m.d.sync += [s4_en.eq(en), s4_offset.eq(offset), port.valid.eq(s4_en)]
    lanes = []
    for lane in range(width):
        s4_bank = Signal(range(len(banks)), name=f"{name}_s4_bank_{lane}")
        m.d.sync += s4_bank.eq(Mux(offset > lane, next_bank, bank))
        lanes.append(Signal(8, name=f"{name}_s4_lane_{lane}"))
        with m.Switch(s4_bank):
            for b, source in enumerate(banks):
                with m.Default() if b == len(banks) - 1 else m.Case(b):
                    m.d.comb += lanes[-1].eq(source.o_read[lane])
    rotated = rotate_down(m, f"{name}_data", lanes, s4_offset, len(port.data))
    m.d.sync += [port.data[i].eq(byte) for i, byte in enumerate(rotated)]
