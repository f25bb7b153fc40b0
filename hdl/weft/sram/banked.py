"""Byte-addressed memory of several banks with a table of ports."""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..bus.slice import RegisterSlice
from ..logic import choose
from .access import answer, arrange, request_layout, requested, start
from .arbiter import BankArbiter
from .lanes import LaneBank
from .ports import ReadPort, WritePort

__all__ = ["BankedMemory"]


class BankedMemory(wiring.Component):
    """Bytes in ``banks`` contiguous parts, each able to serve one read and one write a cycle.

    An access starts at any byte address: byte lane ``l`` of a bank looks in the row of the
    address, or in the row after it if ``l`` lies below the address's offset in its row, and a
    rotation brings the bytes in order. An access that reaches from one bank into the next
    needs both. Ports that need different banks go ahead together; others take turns
    (:class:`BankArbiter`), so that none waits longer than one cycle for each other port of its
    direction.

    Requests of ports that share a direction wait in a :class:`RegisterSlice` each, beside what
    banks they need: what the other ports want does not reach a port's ``ready`` in the same
    cycle. A port that is alone in its direction has none, and is ready unless the memory is being
    cleared.

    With ``group`` 2 (see :class:`LaneBank`) all reads are at even addresses, and a write that is as
    wide as the memory takes two cycles at an odd address: its last byte comes in the second. Until
    then the port is not ready, also while there is no request, and ``conflict`` tells of it.

    A read is answered ``read_latency`` cycles after it was accepted, and later by as many as it is
    put off. It sees all writes that were made in cycles before it is made; what it sees of a
    write in the same cycle is undefined. After the last byte comes the first.

    Parameters
    ----------
    size : :class:`int`
        Bytes.
    width : :class:`int`
        Byte lanes of each bank; no port is wider.
    banks : :class:`int`
        Parts.
    group : :class:`int`
        Byte lanes that share one memory, 1 or 2.
    reads, writes : mapping from :class:`str` to :class:`PortShape`
        The ports. All numbers are powers of two.

    Attributes
    ----------
    read_latency : :class:`int`
        Cycles from an accepted read to its data, if nothing is in its way: ``ANSWER_LATENCY`` and
        one, and one more in a slice.

    Members
    -------
    (name of a read) : :py:`In(ReadPort(...))`
        Put off while another port uses the bank, or while the memory is being cleared.
    (name of a write) : :py:`In(WritePort(...))`
        Likewise.
    i_forget : :py:`In(1)`
        Drop all requests that have not been made.
    i_clear : :py:`In(1)`
        Set all bytes to zero, from the next cycle on, one row of all banks a cycle. Comes after
        all writes that were made before it; those that wait come after it.
    o_clearing : :py:`Out(1)`
        That is going on.

    Raises
    ------
    ValueError
        If a number is not a power of two, a port is wider than the memory, the memory too small,
        or a port reads at addresses that are no multiples of ``group``.
    """

    ANSWER_LATENCY = 4      # from ``going`` to data, in cycles

    def __init__(self, *, size, width, banks, reads, writes, group=1):
        numbers = {"size": size, "width": width, "banks": banks}
        for name, shape in {**reads, **writes}.items():
            numbers[f"width of port {name}"] = shape.width
            numbers[f"step of port {name}"] = shape.step
        for name, value in numbers.items():
            if value < 1 or value & (value - 1):
                raise ValueError(f"{name} must be a power of two, not {value}")
        for name, shape in {**reads, **writes}.items():
            if not 2 <= shape.width <= width:
                raise ValueError(f"Port {name} moves {shape.width} bytes a cycle; with {width} "
                                 f"lanes it can be 2 to {width}")
        if size < 2 * banks * width:
            raise ValueError(f"A size of {size} bytes gives each of {banks} banks fewer than 2 "
                             f"rows of {width} bytes")
        if group not in (1, 2):
            raise ValueError(f"group must be 1 or 2, not {group}")
        for name, shape in reads.items():
            if shape.step % group:
                raise ValueError(f"Port {name} reads at every address; lanes in groups of {group} "
                                 f"are read at its multiples")
        self.size = size
        self.width = width
        self.banks = banks
        self.group = group
        self.reads = dict(reads)
        self.writes = dict(writes)
        super().__init__({
            **{name: In(kind(exact_log2(size // shape.step), shape.width))
               for kind, shapes in ((ReadPort, reads), (WritePort, writes))
               for name, shape in shapes.items()},
            "i_forget": In(1),
            "i_clear": In(1),
            "o_clearing": Out(1),
        })

    @property
    def depth(self):
        """Rows of one bank."""
        return self.size // (self.width * self.banks)

    @property
    def read_latency(self):
        """Cycles from an accepted read to its data at the earliest."""
        return self.ANSWER_LATENCY + 1 + (RegisterSlice.LATENCY if len(self.reads) > 1 else 0)

    def elaborate(self, platform):
        m = Module()
        # the opposite of o_clearing, for what depends on it at once
        self._open = Signal(init=1)
        banks = []
        for b in range(self.banks):
            m.submodules[f"bank_{b}"] = bank = LaneBank(
                width=self.width, depth=self.depth, group=self.group)
            banks.append(bank)
        s1_clear, s1_clear_row = self._clear(m)
        reads, _ = self._accept_all(m, "read_arbiter", self.reads)
        writes, payloads = self._accept_all(m, "write_arbiter", self.writes)
        arranged = [arrange(m, name, payloads[name], access, width=self.width)
                    for name, access in writes.items()]
        for name, access in writes.items():
            s1_last = Signal(name=f"{name}_s1_last")
            m.d.sync += s1_last.eq(payloads[name].last)
            m.d.comb += getattr(self, name).done.eq(access.go & s1_last)

        for b, bank in enumerate(banks):
            for address, accesses, rows in (
                (bank.i_read, reads, []),
                (bank.i_write, writes, [(s1_clear, s1_clear_row)]),
            ):
                taken = [(access.take[b], access) for access in accesses.values()]
                m.d.sync += [
                    address.offset.eq(choose((take, one.offset) for take, one in taken)),
                    address.next.eq(choose((take, one.next) for take, one in taken)),
                    address.row.eq(choose([*((take, one.row) for take, one in taken), *rows])),
                ]
            self._write(m, b, bank, writes, arranged, s1_clear)
        for name, access in reads.items():
            m.d.comb += getattr(self, name).going.eq(access.go)
            answer(m, name, getattr(self, name), access, banks)
        return m

    def _clear(self, m):
        row = Signal(range(self.depth), name="clear_row")
        with m.If(self.o_clearing):
            m.d.sync += [row.eq(row + 1), self.o_clearing.eq(~row.all()),
                         self._open.eq(row.all())]
        with m.Elif(self.i_clear):
            m.d.sync += [self.o_clearing.eq(1), self._open.eq(0)]
        # from here on like any write, so that it comes after those made before it
        s1_clear = Signal()
        s1_clear_row = Signal.like(row)
        m.d.sync += [s1_clear.eq(self.o_clearing), s1_clear_row.eq(row)]
        return s1_clear, s1_clear_row

    def _accept_all(self, m, arbiter_name, shapes):
        """For each port its access in stage 1, and the payload of its request in stage 0."""
        arbiter = BankArbiter(ports=len(shapes), banks=self.banks)
        m.submodules[arbiter_name] = arbiter
        m.d.comb += arbiter.i_stop.eq(~self._open)
        accesses, payloads = {}, {}
        for index, (name, shape) in enumerate(shapes.items()):
            port = getattr(self, name)
            payload = port.req.payload
            layout = request_layout(payload, size=self.size, banks=self.banks)
            if len(shapes) > 1:
                waiting = RegisterSlice(layout)
                m.submodules[f"{name}_slice"] = ResetInserter(self.i_forget)(waiting)
                asked, request = waiting.i.payload, waiting.o.payload
                valid, ready = waiting.o.valid, waiting.o.ready
                m.d.comb += [waiting.i.valid.eq(port.req.valid),
                             port.req.ready.eq(waiting.i.ready)]
            else:
                asked = request = Signal(layout, name=f"{name}_request")
                valid, ready = port.req.valid, port.req.ready
            requested(m, name, shape, asked, payload=payload,
                      addr=payload.addr if shapes is self.writes else payload)
            go = Signal(name=f"{name}_go")
            m.d.comb += [
                arbiter.i_valid[index].eq(valid),
                arbiter.i_need[index].eq(request.need),
                go.eq(valid & arbiter.o_ready[index]),
                ready.eq(arbiter.o_ready[index]),
            ]
            m.d.sync += port.conflict.eq(valid & ~ready)
            accesses[name] = start(m, name, request, go, width=self.width, depth=self.depth)
            payloads[name] = request.payload
            if self.group > 1 and shapes is self.writes and shape.width == self.width:
                payloads[name] = self._in_two(m, name, request, go, ready)
        return accesses, payloads

    def _in_two(self, m, name, request, go, ready):
        """What is written in this cycle of a write as wide as the memory: at an odd address its
        first and its last byte are two rows of one group, and the last comes in a second cycle."""
        odd = request.addr[0]
        second = Signal(name=f"{name}_second")
        part = Signal.like(request.payload, name=f"{name}_part")
        m.d.comb += part.eq(request.payload)
        with m.If(odd):
            with m.If(second):
                m.d.comb += part.mask[:-1].eq(0)
            with m.Else():
                m.d.comb += [part.mask[-1].eq(0), part.last.eq(0), ready.eq(0)]
        # what comes after a clearing comes whole
        with m.If(self.i_forget | ~self._open):
            m.d.sync += second.eq(0)
        with m.Elif(go):
            m.d.sync += second.eq(odd & ~second)
        return part

    def _write(self, m, b, bank, writes, arranged, s1_clear):
        s2_clear = Signal(name=f"s2_clear_{b}")
        m.d.sync += s2_clear.eq(s1_clear)
        takes = []
        for name, access in writes.items():
            takes.append(Signal(name=f"{name}_s2_take_{b}"))
            m.d.sync += takes[-1].eq(access.take[b])
        for lane in range(self.width):
            enables = [enables[b][lane] for _, enables in arranged]
            m.d.comb += [
                # no port takes a bank that is being cleared, which makes the data zero
                bank.i_write_data[lane].eq(choose(
                    (take, items[lane]) for take, (items, _) in zip(takes, arranged))),
                bank.i_write_en[lane].eq(choose((enable, 1) for enable in (*enables, s2_clear))),
            ]
