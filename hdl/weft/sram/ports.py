"""Port signatures of the on-chip memories, from the side of their users."""

import dataclasses

from amaranth.hdl import signed
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["AccOp", "AccReadPort", "AccUpdatePort", "PortShape", "ReadPort", "WritePort"]


@dataclasses.dataclass(frozen=True)
class PortShape:
    """Size of a port: bytes per access (``width``) and bytes per unit of its address (``step``)."""

    width: int
    step: int = 1


class AccOp(enum.Enum, shape=2):
    """Operation that combines an update's operand with the accumulator, as int32 modulo 2^32."""

    WRITE = 0
    ADD = 1
    MAX = 2


class ReadPort(wiring.Signature):
    """Port that reads ``width`` bytes from any byte address.

    A request is accepted in a cycle in which ``req`` is valid and ready. It is granted when no
    other port has priority, and stalled until then. Its data arrives ``READ_LATENCY`` cycles of
    the memory after it was accepted, plus the cycles of the stall, with ``valid`` high; the data
    itself cannot be stalled. A read returns the result of every write that was ``done`` before the
    read was accepted. Bytes past the end of the memory are undefined.

    Members
    -------
    req : :py:`Out(stream.Signature(addr_width))`
        Byte address of the first byte.
    granted : :py:`In(1)`
        The oldest waiting request was granted in the previous cycle: its data arrives the memory's
        ``DATA_LATENCY`` cycles later.
    conflict : :py:`In(1)`
        A request was stalled in the previous cycle.
    valid : :py:`In(1)`
        ``data`` belongs to the oldest outstanding request.
    data : :py:`In(ArrayLayout(8, width))`
        Byte ``i`` is the byte at address + ``i``.
    """

    def __init__(self, addr_width, width):
        super().__init__({
            "req": Out(stream.Signature(addr_width)),
            "granted": In(1),
            "conflict": In(1),
            "valid": In(1),
            "data": In(data.ArrayLayout(8, width)),
        })


class WritePort(wiring.Signature):
    """Port that writes up to ``width`` bytes at any byte address, in order.

    An accepted request is granted when no other port has priority, and the write is made in that
    cycle. A memory may take two cycles to accept a request (:class:`BankedMemory`), which must not
    change meanwhile.

    Members
    -------
    req : :py:`Out(stream.Signature(StructLayout({addr, data, mask, last})))`
        ``addr`` is the byte address of byte 0 of ``data``, modulo the memory's size; it may lie
        before the first byte that is written. Byte ``i`` goes to address + ``i`` if bit ``i`` of
        ``mask`` is set. ``last`` requests ``done``.
    done : :py:`In(1)`
        High for one cycle for each request with ``last``, in order: this request and all earlier
        ones were made, and every access that is accepted in this cycle or later sees them.
    conflict : :py:`In(1)`
        A request was stalled in the previous cycle.
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
    """Port that updates one accumulator row a cycle by a read-modify-write, without back-pressure.

    Two updates of one row are at least four cycles apart.

    Members
    -------
    en : :py:`Out(1)`
        Update a row in this cycle.
    row : :py:`Out(row_width)`
        Index of the row.
    op : :py:`Out(AccOp)`
        Operation.
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
    """Port that reads whole accumulator rows.

    Data arrives the memory's ``READ_LATENCY`` cycles after the request was accepted. A request is
    stalled while MATMUL updates the same half of the memory. A read sees every update that was made
    at least ``UPDATE_LATENCY`` cycles before the read was accepted.
    """

    def __init__(self, *, row_width, cols):
        super().__init__({
            "req": Out(stream.Signature(row_width)),
            "valid": In(1),
            "data": In(data.ArrayLayout(signed(32), cols)),
        })
