"""Signatures of the ports of the on-chip memories, from the side of the unit that uses them."""

import dataclasses

from amaranth.hdl import signed
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["AccOp", "AccReadPort", "AccUpdatePort", "AlignedWrite", "PortShape", "ReadPort",
           "UpperWrite", "WritePort"]


@dataclasses.dataclass(frozen=True)
class PortShape:
    """Size of a port: bytes per access (``width``) and bytes per unit of its address (``step``)."""

    width: int
    step: int = 1


class AccOp(enum.Enum, shape=2):
    """Operation of an update on the accumulator and the operand, as int32 modulo 2^32."""

    WRITE = 0
    ADD = 1
    MAX = 2


class ReadPort(wiring.Signature):
    """Port that reads ``width`` bytes from any byte address.

    A request is accepted in a cycle in which ``req`` is valid and ready. It is granted when no
    other port has priority, and stalled until then. The number of cycles from the acceptance to the
    data, with ``valid`` high, is the read latency of the memory plus the cycles of the stall. The
    data itself cannot be stalled. A read returns the result of every write that was ``done`` before
    the read was accepted. Bytes beyond the end of the memory are undefined.

    Members
    -------
    req : :py:`Out(stream.Signature(addr_width))`
        Byte address of the first byte.
    granted : :py:`In(1)`
        The oldest waiting request was granted in the previous cycle. Its data arrives
        ``DATA_LATENCY`` cycles of the memory after this cycle.
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


class AlignedWrite(wiring.Signature):
    """Second source of the data of a write port.

    Members
    -------
    en : :py:`Out(1)`
        The bytes of a request that is accepted in this cycle are those of ``data``. Its address is
        a multiple of the width of the port.
    data : :py:`Out(ArrayLayout(8, width))`
        The bytes.
    """

    def __init__(self, width):
        super().__init__({"en": Out(1), "data": Out(data.ArrayLayout(8, width))})


class UpperWrite(wiring.Signature):
    """Second half of the requests of a write port of the weight buffer with two tile lines.

    Members
    -------
    en : :py:`Out(1)`
        The request also writes ``data``, with the same mask, at the same offset in the upper half
        of the tile. Its bytes then are all in the lower half, and its address is a multiple of the
        width of the port.
    data : :py:`Out(ArrayLayout(8, width))`
        Bytes for the upper half.
    """

    def __init__(self, width):
        super().__init__({"en": Out(1), "data": Out(data.ArrayLayout(8, width))})


class AccUpdatePort(wiring.Signature):
    """Port that updates one accumulator row per cycle, without back-pressure.

    Two updates of the same row must be at least four cycles apart.

    Members
    -------
    en : :py:`Out(1)`
        Update a row in this cycle.
    row : :py:`Out(row_width)`
        Index of the row.
    op : :py:`Out(AccOp)`
        Operation.
    data : :py:`Out(ArrayLayout(signed(sum_width), cols))`
        Operand of each column.
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

    The data arrives ``READ_LATENCY`` cycles of the memory after the request is accepted. A request
    is stalled while MATMUL updates the same half of the memory. A read returns the result of every
    update that was made at least ``UPDATE_LATENCY`` cycles before the read was accepted.

    Members
    -------
    req : :py:`Out(stream.Signature(row_width))`
        Index of the row.
    valid : :py:`In(1)`
        ``data`` belongs to the oldest outstanding request.
    data : :py:`In(ArrayLayout(signed(32), cols))`
        Contents of the row.
    """

    def __init__(self, *, row_width, cols):
        super().__init__({
            "req": Out(stream.Signature(row_width)),
            "valid": In(1),
            "data": In(data.ArrayLayout(signed(32), cols)),
        })
