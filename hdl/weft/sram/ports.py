"""The ports of the on-chip memories, as their users see them."""

from amaranth.hdl import signed
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ReadPort", "WritePort", "AccOp", "AccUpdatePort", "AccReadPort"]


class AccOp(enum.Enum, shape=2):
    """How an update combines its operand with the accumulator, as int32 modulo 2^32."""

    WRITE = 0
    ADD = 1
    MAX = 2


class ReadPort(wiring.Signature):
    """Reads ``width`` bytes from any byte address.

    A request is accepted in a cycle in which ``req`` is valid and ready, and made when no other
    port is in its way. Its data comes the memory's ``READ_LATENCY`` cycles after it was accepted,
    and as many more as it was put off, with ``valid`` high; data itself cannot be put off. A read
    sees every write that was ``done`` before it was accepted. Bytes past the end of the memory
    read as anything.

    Members
    -------
    req : :py:`Out(stream.Signature(addr_width))`
        Byte address of the first byte.
    going : :py:`In(1)`
        The oldest request that was not made yet was made in the cycle before: its data comes the
        memory's ``ANSWER_LATENCY`` cycles later.
    conflict : :py:`In(1)`
        A request was put off in the cycle before.
    valid : :py:`In(1)`
        ``data`` belongs to the oldest request that is not answered yet.
    data : :py:`In(ArrayLayout(8, width))`
        Byte ``i`` is the byte at address + ``i``.
    """

    def __init__(self, addr_width, width):
        super().__init__({
            "req": Out(stream.Signature(addr_width)),
            "going": In(1),
            "conflict": In(1),
            "valid": In(1),
            "data": In(data.ArrayLayout(8, width)),
        })


class WritePort(wiring.Signature):
    """Writes up to ``width`` bytes at any byte address, in order.

    A request that was accepted is made when no other port is in its way. A memory may take two
    cycles to accept one (:class:`BankedMemory`), in which it does not change.

    Members
    -------
    req : :py:`Out(stream.Signature(StructLayout({addr, data, mask, last})))`
        ``addr`` is the byte address of byte 0 of ``data``, modulo the memory's size (it may lie
        before the first byte that is written); byte ``i`` goes to address + ``i`` where bit
        ``i`` of ``mask`` is set. ``last`` asks for ``done``.
    done : :py:`In(1)`
        High for one cycle for each request with ``last``, in order: it and all before it were made,
        and every access that is accepted in this cycle or later sees them.
    conflict : :py:`In(1)`
        A request was put off in the cycle before.
    """

    def __init__(self, addr_width, width):
        super().__init__({
            "req": Out(stream.Signature(data.StructLayout({
                "addr": addr_width,
                "data": data.ArrayLayout(8, width),
                "mask": width,
                "last": 1,
            }))),
            "done": In(1),
            "conflict": In(1),
        })


class AccUpdatePort(wiring.Signature):
    """One read-modify-write of an accumulator row a cycle; it cannot be put off.

    Two updates of one row are at least four cycles apart.

    Members
    -------
    en : :py:`Out(1)`
        Update a row in this cycle.
    row : :py:`Out(row_width)`
        Which.
    op : :py:`Out(AccOp)`
        How.
    data : :py:`Out(ArrayLayout(signed(sum_width), cols))`
        The operand of each column.
    """

    def __init__(self, *, row_width, sum_width, cols):
        super().__init__({
            "en": Out(1),
            "row": Out(row_width),
            "op": Out(AccOp),
            "data": Out(data.ArrayLayout(signed(sum_width), cols)),
        })


class AccReadPort(wiring.Signature):
    """Reads whole accumulator rows.

    Data comes the memory's ``READ_LATENCY`` cycles after its request was accepted. A request waits
    while MATMUL updates the same half of the memory. A read sees every update that was made at
    least ``UPDATE_LATENCY`` cycles before it was accepted.
    """

    def __init__(self, *, row_width, cols):
        super().__init__({
            "req": Out(stream.Signature(row_width)),
            "valid": In(1),
            "data": In(data.ArrayLayout(signed(32), cols)),
        })
