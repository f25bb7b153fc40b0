"""Byte-addressed memory of several banks with a configurable set of ports."""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..bus.register_slice import RegisterSlice
from ..one_hot_mux import one_hot_mux
from .arbiter import BankArbiter
from .bank_access import align_read, align_write, begin_access, connect_request, request_layout
from .lanes import LaneBank
from .ports import AlignedWrite, ReadPort, WritePort

__all__ = ["BankedMemory"]


class BankedMemory(wiring.Component):
    """Memory of ``banks`` contiguous parts that each serve one read and one write per cycle.

    An access starts at any byte address. Byte lane ``l`` of a bank accesses the row of the address,
    or the next row if ``l`` is below the offset of the address in its row. A rotation then puts the
    bytes in order. An access that reaches from one bank into the next uses both banks. Ports that
    need different banks are granted in the same cycle. Ports that need the same bank are granted
    one after another (:class:`BankArbiter`), so that a port waits at most one cycle for every other
    port of its direction.

    If there are several ports of one direction, the requests of each port wait in a
    :class:`RegisterSlice`, with a record of the banks that they need. The ``ready`` of a port
    therefore does not depend on requests of other ports in the same cycle. The only port of a
    direction has no slice, and is ready unless the memory is being cleared.

    With ``group`` 2 (see :class:`LaneBank`), all reads are at even addresses, and a write that is
    as wide as the memory takes two cycles at an odd address: its last byte is written in the second
    cycle. In the first cycle the port is not ready, even without a request, and ``conflict``
    reports the stall of a request.

    The data of a read arrives ``read_latency`` cycles after the read was accepted, plus the cycles
    for which it was stalled. A read returns the result of all writes that were made in cycles
    before the one in which it is granted; the value of a byte that is written in the same cycle is
    undefined. Addresses wrap at the end of the memory.

    Parameters
    ----------
    size : :class:`int`
        Size in bytes.
    width : :class:`int`
        Byte lanes of each bank; no port is wider.
    banks : :class:`int`
        Number of banks.
    group : :class:`int`
        Byte lanes that share one memory, 1 or 2.
    aligned : :class:`str` or :class:`None`
        Name of a write port with a second source of data, which is not rotated. The port must be
        the only one of its direction.
    reads, writes : mapping from :class:`str` to :class:`PortShape`
        The ports. All numbers are powers of two.

    Attributes
    ----------
    read_latency : :class:`int`
        Cycles from an accepted read to its data if the read is not stalled: ``DATA_LATENCY`` plus
        one, plus one more if there is a slice.

    Members
    -------
    (name of a read) : :py:`In(ReadPort(...))`
        Stalled while another port uses the bank, or while the memory is being cleared.
    (name of a write) : :py:`In(WritePort(...))`
        Stalled under the same conditions.
    (name of a write)_aligned : :py:`In(AlignedWrite(...))`
        For the port ``aligned`` only.
    i_flush : :py:`In(1)`
        Discard all requests that have not been granted.
    i_clear : :py:`In(1)`
        Set all bytes to zero, from the next cycle on, one row of all banks per cycle. The clear
        follows all earlier writes; waiting requests are granted after it.
    o_clearing : :py:`Out(1)`
        A clear is in progress.

    Raises
    ------
    ValueError
        If a number is not a power of two, a port is wider than the memory, the memory is too small,
        or a port reads at addresses that are not multiples of ``group``.
    """

    DATA_LATENCY = 4        # from ``granted`` to data, in cycles

    def __init__(self, *, size, width, banks, reads, writes, group=1, aligned=None):
        numbers = {"size": size, "width": width, "banks": banks}
        for name, shape in {**reads, **writes}.items():
            numbers[f"width of port {name}"] = shape.width
            numbers[f"step of port {name}"] = shape.step
        for name, value in numbers.items():
            if value < 1 or value & (value - 1):
                raise ValueError(f"{name} must be a power of two, not {value}")
        for name, shape in {**reads, **writes}.items():
            if not 2 <= shape.width <= width:
                raise ValueError(f"width of port {name} must be from 2 to the {width} lanes of a "
                                 f"bank, not {shape.width}")
        if size < 2 * banks * width:
            raise ValueError(f"size of {size} bytes gives each of {banks} banks fewer than 2 rows "
                             f"of {width} bytes")
        if group not in (1, 2):
            raise ValueError(f"group must be 1 or 2, not {group}")
        for name, shape in reads.items():
            if shape.step % group:
                raise ValueError(f"step of port {name} must be a multiple of the {group} lanes of "
                                 f"a group, not {shape.step}")
        self.size = size
        self.width = width
        self.banks = banks
        self.group = group
        self.reads = dict(reads)
        self.writes = dict(writes)
        self.aligned = aligned
        super().__init__({
            **{name: In(kind(exact_log2(size // shape.step), shape.width))
               for kind, shapes in ((ReadPort, reads), (WritePort, writes))
               for name, shape in shapes.items()},
            **({f"{aligned}_aligned": In(AlignedWrite(writes[aligned].width))} if aligned else {}),
            "i_flush": In(1),
            "i_clear": In(1),
            "o_clearing": Out(1),
        })

    @property
    def depth(self):
        """Number of rows of one bank."""
        return self.size // (self.width * self.banks)

    @property
    def read_latency(self):
        """Cycles from an accepted read to its data, without a stall."""
        return self.DATA_LATENCY + 1 + (RegisterSlice.LATENCY if len(self.reads) > 1 else 0)

    def elaborate(self, platform):
        m = Module()
        # the complement of o_clearing, for logic that depends on it in the same cycle
        self._open = Signal(init=1)
        banks = []
        for b in range(self.banks):
            m.submodules[f"bank_{b}"] = bank = LaneBank(
                width=self.width, depth=self.depth, group=self.group)
            banks.append(bank)
        s1_clear, s1_clear_row = self._clear(m)
        reads, _ = self._accept_all(m, "read_arbiter", self.reads)
        writes, payloads = self._accept_all(m, "write_arbiter", self.writes)
        aligned = [align_write(m, name, payloads[name], access, width=self.width,
                               aligned=getattr(self, f"{name}_aligned", None))
                   for name, access in writes.items()]
        for name, access in writes.items():
            s1_last = Signal(name=f"{name}_s1_last")
            m.d.sync += s1_last.eq(payloads[name].last)
            m.d.comb += getattr(self, name).done.eq(access.en & s1_last)

        for b, bank in enumerate(banks):
            for address, accesses, rows in (
                (bank.i_read, reads, []),
                (bank.i_write, writes, [(s1_clear, s1_clear_row)]),
            ):
                users = [(access.uses[b], access) for access in accesses.values()]
                m.d.sync += [
                    address.offset.eq(one_hot_mux((uses, one.offset) for uses, one in users)),
                    address.next_row.eq(one_hot_mux((uses, one.next_row) for uses, one in users)),
                    address.row.eq(one_hot_mux([*((uses, one.row) for uses, one in users), *rows])),
                ]
            self._write(m, b, bank, writes, aligned, s1_clear)
        for name, access in reads.items():
            m.d.comb += getattr(self, name).granted.eq(access.en)
            align_read(m, name, getattr(self, name), access, banks)
        return m

    def _clear(self, m):
        """Add the clear sequence. Return the clear enable and the row to clear, in stage 1."""
        row = Signal(range(self.depth), name="clear_row")
        with m.If(self.o_clearing):
            m.d.sync += [row.eq(row + 1), self.o_clearing.eq(~row.all()),
                         self._open.eq(row.all())]
        with m.Elif(self.i_clear):
            m.d.sync += [self.o_clearing.eq(1), self._open.eq(0)]
        # the clear passes through the stages of a write, so that it follows all earlier writes
        s1_clear = Signal()
        s1_clear_row = Signal.like(row)
        m.d.sync += [s1_clear.eq(self.o_clearing), s1_clear_row.eq(row)]
        return s1_clear, s1_clear_row

    def _accept_all(self, m, arbiter_name, shapes):
        """Arbitrate between the ports of one direction.

        Return two dictionaries by port: the access in stage 1, and the payload of its request in
        stage 0.
        """
        arbiter = BankArbiter(ports=len(shapes), banks=self.banks)
        m.submodules[arbiter_name] = arbiter
        m.d.comb += arbiter.i_stop.eq(~self._open)
        accesses, payloads = {}, {}
        for index, (name, shape) in enumerate(shapes.items()):
            port = getattr(self, name)
            payload = port.req.payload
            layout = request_layout(payload, size=self.size, banks=self.banks)
            if len(shapes) > 1:
                slice_ = RegisterSlice(layout)
                m.submodules[f"{name}_slice"] = ResetInserter(self.i_flush)(slice_)
                incoming, request = slice_.i.payload, slice_.o.payload
                valid, ready = slice_.o.valid, slice_.o.ready
                m.d.comb += [slice_.i.valid.eq(port.req.valid),
                             port.req.ready.eq(slice_.i.ready)]
            else:
                incoming = request = Signal(layout, name=f"{name}_request")
                valid, ready = port.req.valid, port.req.ready
            connect_request(m, name, shape, incoming, payload=payload,
                            addr=payload.addr if shapes is self.writes else payload)
            grant = Signal(name=f"{name}_grant")
            m.d.comb += [
                arbiter.i_valid[index].eq(valid),
                arbiter.i_need[index].eq(request.need),
                grant.eq(valid & arbiter.o_ready[index]),
                ready.eq(arbiter.o_ready[index]),
            ]
            m.d.sync += port.conflict.eq(valid & ~ready)
            accesses[name] = begin_access(
                m, name, request, grant, width=self.width, depth=self.depth)
            payloads[name] = request.payload
            if self.group > 1 and shapes is self.writes and shape.width == self.width:
                payloads[name] = self._split_write(m, name, request, grant, ready)
        return accesses, payloads

    def _split_write(self, m, name, request, grant, ready):
        """Return the part of a write that is made in this cycle, for a write of all lanes.

        At an odd address, the first and the last byte are in the same group of lanes but in
        different rows. The last byte is therefore written in a second cycle.
        """
        odd = request.addr[0]
        second = Signal(name=f"{name}_second")
        part = Signal.like(request.payload, name=f"{name}_part")
        m.d.comb += part.eq(request.payload)
        with m.If(odd):
            with m.If(second):
                m.d.comb += part.mask[:-1].eq(0)
            with m.Else():
                m.d.comb += [part.mask[-1].eq(0), part.last.eq(0), ready.eq(0)]
        # after a clear, which overwrites the first part, the whole write is made again
        with m.If(self.i_flush | ~self._open):
            m.d.sync += second.eq(0)
        with m.Elif(grant):
            m.d.sync += second.eq(odd & ~second)
        return part

    def _write(self, m, b, bank, writes, aligned, s1_clear):
        """Drive the write data and the write enables of a bank."""
        s2_clear = Signal(name=f"s2_clear_{b}")
        m.d.sync += s2_clear.eq(s1_clear)
        selects = []
        for name, access in writes.items():
            selects.append(Signal(name=f"{name}_s2_uses_{b}"))
            m.d.sync += selects[-1].eq(access.uses[b])
        for lane in range(self.width):
            enables = [enables[b][lane] for _, enables in aligned]
            m.d.comb += [
                # no port uses a bank that is being cleared, so the data of a clear is 0
                bank.i_write_data[lane].eq(one_hot_mux(
                    (select, items[lane]) for select, (items, _) in zip(selects, aligned))),
                bank.i_write_en[lane].eq(one_hot_mux(
                    (enable, 1) for enable in (*enables, s2_clear))),
            ]
