"""A host memory for Amaranth's simulator that checks the AXI4 rules while it answers."""

import random

from weft.bus.axi4 import BURST_INCR, RESP_OKAY

__all__ = ["AxiMemory"]

ADDRESS_FIELDS = ("addr", "len", "size", "burst", "id")


class Channel:
    """One channel in the direction towards the memory: payload must hold while it waits."""

    def __init__(self, port, prefix, fields):
        self.name = prefix.upper()
        self.fields = fields
        self.signals = [getattr(port, prefix + name) for name in ("valid", "ready", *fields)]
        self.ready = getattr(port, prefix + "ready")
        self.waiting = None

    def accept(self, values):
        """What the memory takes in this cycle as a dictionary, or ``None``."""
        valid, ready, *payload = values
        if self.waiting is not None:
            assert valid, f"{self.name}VALID fell before {self.name}READY"
            assert payload == self.waiting, (
                f"{self.name} changed while it waited: {self.waiting} to {payload}")
        self.waiting = payload if valid and not ready else None
        return dict(zip(self.fields, payload)) if valid and ready else None


class AxiMemory:
    """Bytes behind an AXI4 port, with settable latency, stalls and errors.

    Without stalls every channel moves one item a cycle, and the first data of a read, or the
    answer to a write, is valid ``latency`` cycles after its address, or its last data, was
    accepted. It asserts that managers keep their payload while they wait, cross no 4 KiB line,
    place WLAST right, and have at most ``outstanding`` bursts in flight.

    Parameters
    ----------
    size : :class:`int`
        Bytes; bursts outside are an error of the test.
    bus_bytes : :class:`int`
        Bytes of a beat.
    base : :class:`int`
        Address of the first byte.
    latency : :class:`int`
        Cycles, at least 1.
    stall : :class:`float`
        Chance, for each channel and cycle, that the memory does nothing on it.
    outstanding : :class:`int`
        Bursts allowed in flight in one direction; unlimited if ``None``.
    seed : :class:`int`
        For the stalls.

    Attributes
    ----------
    data : :class:`bytearray`
        The bytes.
    errors : :class:`dict`
        Response by bus-aligned address; writes answer with the first one that a burst touches.
    read_bursts, write_bursts : :class:`list`
        ``(address, beats)`` of all bursts that were accepted.
    """

    def __init__(self, *, size, bus_bytes, base=0, latency=20, stall=0.0, outstanding=None, seed=0):
        self.data = bytearray(size)
        self.bus_bytes = bus_bytes
        self.base = base
        self.latency = latency
        self.stall = stall
        self.outstanding = outstanding
        self.random = random.Random(seed)
        self.errors = {}
        self.read_bursts = []
        self.write_bursts = []
        self.beats_read = 0
        self.beats_written = 0

    def _go(self):
        return not self.stall or self.random.random() >= self.stall

    def _burst(self, taken):
        """The beat addresses of an accepted address, after checking it."""
        address, beats = taken["addr"], taken["len"] + 1
        assert taken["burst"] == BURST_INCR and 1 << taken["size"] == self.bus_bytes, taken
        assert taken["id"] == 0, taken
        assert address % self.bus_bytes == 0, f"{address:#x} is not on a beat"
        last = address + beats * self.bus_bytes - 1
        assert address >> 12 == last >> 12, f"{address:#x} + {beats} beats crosses 4 KiB"
        assert 0 <= address - self.base and last - self.base < len(self.data), (
            f"{address:#x} to {last:#x} is outside the memory")
        return [address + index * self.bus_bytes for index in range(beats)]

    def _check_outstanding(self, count):
        assert self.outstanding is None or count <= self.outstanding, (
            f"{count} bursts in flight, {self.outstanding} allowed")

    def reader(self, port):
        """The process that serves the read half ``port``: ``sim.add_process(memory.reader(p))``."""
        async def process(ctx):
            channel = Channel(port, "ar", ADDRESS_FIELDS)
            cycle = 0
            beats = []                      # (cycle when due, address, last), oldest first
            in_flight = 0
            offered = None
            async for _, _, rready, *values in ctx.tick().sample(port.rready, *channel.signals):
                cycle += 1
                if offered is not None and rready:
                    self.beats_read += 1
                    in_flight -= offered[2]
                    offered = None
                taken = channel.accept(values)
                if taken is not None:
                    addresses = self._burst(taken)
                    self.read_bursts.append((addresses[0], len(addresses)))
                    in_flight += 1
                    self._check_outstanding(in_flight)
                    beats += [(cycle + self.latency - 1, address, address == addresses[-1])
                              for address in addresses]
                if offered is None and beats and beats[0][0] <= cycle and self._go():
                    offered = beats.pop(0)
                    _, address, last = offered
                    start = address - self.base
                    ctx.set(port.rdata, int.from_bytes(
                        self.data[start:start + self.bus_bytes], "little"))
                    ctx.set(port.rresp, self.errors.get(address, RESP_OKAY))
                    ctx.set(port.rlast, last)
                ctx.set(port.rvalid, offered is not None)
                ctx.set(channel.ready, self._go())
        return process

    def writer(self, port):
        """The process that serves the write half ``port``."""
        async def process(ctx):
            addresses = Channel(port, "aw", ADDRESS_FIELDS)
            words = Channel(port, "w", ("data", "strb", "last"))
            cycle = 0
            bursts, queued, answers = [], [], []
            burst_resp = RESP_OKAY
            in_flight = 0
            offered = False
            async for _, _, bready, *values in ctx.tick().sample(
                    port.bready, *addresses.signals, *words.signals):
                cycle += 1
                if offered and bready:
                    in_flight -= 1
                    offered = False
                taken = addresses.accept(values[:len(addresses.signals)])
                if taken is not None:
                    bursts.append(self._burst(taken))
                    self.write_bursts.append((bursts[-1][0], len(bursts[-1])))
                    in_flight += 1
                    self._check_outstanding(in_flight)
                taken = words.accept(values[len(addresses.signals):])
                if taken is not None:
                    queued.append(taken)
                while queued and bursts:        # data may come before its address
                    word, address = queued.pop(0), bursts[0].pop(0)
                    self.beats_written += 1
                    self._write(address, word)
                    burst_resp = burst_resp or self.errors.get(address, RESP_OKAY)
                    assert word["last"] == (not bursts[0]), f"WLAST is wrong at {address:#x}"
                    if not bursts[0]:
                        bursts.pop(0)
                        answers.append((cycle + self.latency - 1, burst_resp))
                        burst_resp = RESP_OKAY
                if not offered and answers and answers[0][0] <= cycle and self._go():
                    offered = True
                    ctx.set(port.bresp, answers.pop(0)[1])
                ctx.set(port.bvalid, offered)
                ctx.set(addresses.ready, self._go())
                ctx.set(words.ready, self._go())
        return process

    def _write(self, address, word):
        start = address - self.base
        for index in range(self.bus_bytes):
            if word["strb"] >> index & 1:
                self.data[start + index] = word["data"] >> 8 * index & 0xFF
