"""Host memory for Amaranth's simulator that checks the rules of AXI4."""

import random

from weft.bus.axi4 import BURST_INCR, RESP_OKAY

__all__ = ["AxiMemory"]

ADDRESS_FIELDS = ("addr", "len", "size", "burst", "id")


class Channel:
    """Channel towards the memory, with a check that payload is stable while it waits."""

    def __init__(self, port, prefix, fields):
        self.name = prefix.upper()
        self.fields = fields
        self.signals = [getattr(port, prefix + name) for name in ("valid", "ready", *fields)]
        self.ready = getattr(port, prefix + "ready")
        self.waiting = None

    def accept(self, values):
        """Return the payload that the memory accepts in this cycle as a dictionary, or ``None``."""
        valid, ready, *payload = values
        if self.waiting is not None:
            assert valid, f"{self.name}VALID fell before {self.name}READY"
            assert payload == self.waiting, (
                f"{self.name} changed while it waited: {self.waiting} to {payload}")
        self.waiting = payload if valid and not ready else None
        return dict(zip(self.fields, payload)) if valid and ready else None


class AxiMemory:
    """Memory behind an AXI4 port, with settable latency, stalls and errors.

    Without stalls, every channel transfers one item per cycle. The first beat of a read is valid
    ``latency`` cycles after its address was accepted, the response of a write ``latency`` cycles
    after its last data. The memory asserts that managers keep their payload stable, cross no
    4 KiB boundary, set WLAST on the last beat only, and have at most ``outstanding`` bursts in
    flight.

    Parameters
    ----------
    size : :class:`int`
        Size in bytes. A burst outside of the memory fails the test.
    bus_bytes : :class:`int`
        Bytes per beat.
    base : :class:`int`
        Address of the first byte.
    latency : :class:`int`
        Cycles, at least 1.
    stall : :class:`float`
        Probability, for each channel and cycle, that the memory stalls it.
    outstanding : :class:`int`
        Limit of the bursts in flight in each direction; none if ``None``.
    seed : :class:`int`
        Seed of the stalls.

    Attributes
    ----------
    data : :class:`bytearray`
        Content of the memory.
    errors : :class:`dict`
        Responses by bus-aligned address. A write burst returns the first of its addresses.
    read_bursts, write_bursts : :class:`list`
        ``(address, beats)`` of all accepted bursts.
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

    def _proceeds(self):
        return not self.stall or self.random.random() >= self.stall

    def _burst(self, taken):
        """Check an accepted burst and return the address of each beat."""
        address, beats = taken["addr"], taken["len"] + 1
        assert taken["burst"] == BURST_INCR and 1 << taken["size"] == self.bus_bytes, taken
        assert taken["id"] == 0, taken
        assert address % self.bus_bytes == 0, f"{address:#x} is not aligned to a beat"
        last = address + beats * self.bus_bytes - 1
        assert address >> 12 == last >> 12, f"{address:#x} + {beats} beats crosses 4 KiB"
        assert 0 <= address - self.base and last - self.base < len(self.data), (
            f"{address:#x} to {last:#x} is outside the memory")
        return [address + index * self.bus_bytes for index in range(beats)]

    def _check_outstanding(self, count):
        assert self.outstanding is None or count <= self.outstanding, (
            f"{count} bursts in flight, {self.outstanding} allowed")

    def reader(self, port):
        """Return the process of the read half ``port``, for ``sim.add_process``."""
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
                if offered is None and beats and beats[0][0] <= cycle and self._proceeds():
                    offered = beats.pop(0)
                    _, address, last = offered
                    start = address - self.base
                    ctx.set(port.rdata, int.from_bytes(
                        self.data[start:start + self.bus_bytes], "little"))
                    ctx.set(port.rresp, self.errors.get(address, RESP_OKAY))
                    ctx.set(port.rlast, last)
                ctx.set(port.rvalid, offered is not None)
                ctx.set(channel.ready, self._proceeds())
        return process

    def writer(self, port):
        """Return the process of the write half ``port``, for ``sim.add_process``."""
        async def process(ctx):
            addresses = Channel(port, "aw", ADDRESS_FIELDS)
            words = Channel(port, "w", ("data", "strb", "last"))
            cycle = 0
            bursts, queued, responses = [], [], []
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
                while queued and bursts:        # data may arrive before its address
                    word, address = queued.pop(0), bursts[0].pop(0)
                    self.beats_written += 1
                    self._write(address, word)
                    burst_resp = burst_resp or self.errors.get(address, RESP_OKAY)
                    assert word["last"] == (not bursts[0]), f"WLAST is wrong at {address:#x}"
                    if not bursts[0]:
                        bursts.pop(0)
                        responses.append((cycle + self.latency - 1, burst_resp))
                        burst_resp = RESP_OKAY
                if not offered and responses and responses[0][0] <= cycle and self._proceeds():
                    offered = True
                    ctx.set(port.bresp, responses.pop(0)[1])
                ctx.set(port.bvalid, offered)
                ctx.set(addresses.ready, self._proceeds())
                ctx.set(words.ready, self._proceeds())
        return process

    def _write(self, address, word):
        start = address - self.base
        for index in range(self.bus_bytes):
            if word["strb"] >> index & 1:
                self.data[start + index] = word["data"] >> 8 * index & 0xFF
