"""AXI4 manager for Amaranth's simulator: random bursts, and a model of their effect."""

import random

from weft.bus.axi4 import BURST_INCR

__all__ = ["AxiManager", "Burst", "apply", "expected", "random_write"]


class Burst:
    """One burst of a read or a write.

    Attributes
    ----------
    address, size, burst : :class:`int`
        Fields of the address channel.
    words : list or :class:`int`
        ``(data, strobes)`` of each beat of a write; number of beats of a read.
    responses : list
        ``(data, resp, last)`` of each beat of a read; ``(resp,)`` of a write.
    """

    def __init__(self, address, words, *, size, burst=BURST_INCR):
        self.address = address
        self.words = words
        self.size = size
        self.burst = burst
        self.responses = []

    @property
    def beats(self):
        return self.words if isinstance(self.words, int) else len(self.words)


class AxiManager:
    """Manager that issues bursts on the read and the write half of ``port`` independently.

    Addresses, data and readiness stall with the probability ``stall`` in each cycle. Payload is
    stable while it waits. Responses are assigned to the bursts in order; an unexpected response
    fails.
    """

    def __init__(self, port, *, reads=(), writes=(), stall=0.0, seed=0):
        self.port = port
        self.reads = list(reads)
        self.writes = list(writes)
        self.stall = stall
        self.seed = seed
        self.random = random.Random(f"manager/{seed}")
        self._inputs = {}           # signals that run() has set, with their values
        self.read_beats = []        # cycle of each accepted beat
        self.write_beats = []
        self.read_issued = []       # cycle of each accepted address

    def _proceeds(self):
        return self.random.random() >= self.stall

    def _set(self, ctx, **values):
        # the simulator evaluates the design after each call of set
        for name, value in values.items():
            signal, previous = self._inputs.get(name) or (getattr(self.port, name), None)
            if value != previous:
                ctx.set(signal, value)
                self._inputs[name] = signal, value

    def _drive(self, ctx, prefix, burst):
        self._set(ctx, **{prefix + "addr": burst.address, prefix + "len": burst.beats - 1,
                          prefix + "size": burst.size, prefix + "burst": burst.burst})

    async def run(self, ctx, limit=20_000):
        """Issue all bursts; return ten cycles after the last response."""
        port = self.port
        outputs = (port.arready, port.awready, port.wready, port.rvalid, port.rdata, port.rresp,
                   port.rlast, port.bvalid, port.bresp)
        self._inputs.clear()
        to_read, to_write = list(self.reads), list(self.writes)
        pending_reads, pending_writes = list(self.reads), list(self.writes)
        words = [(*word, index == len(burst.words) - 1)
                 for burst in self.writes for index, word in enumerate(burst.words)]
        ar = aw = w = r = b = False
        cycle = after = 0
        while after < 10:
            _, _, arready, awready, wready, rvalid, rdata, rresp, rlast, bvalid, bresp = (
                await ctx.tick().sample(*outputs))
            cycle += 1
            assert cycle < limit, f"no response after {limit} cycles, seed {self.seed}"
            if ar and arready:
                to_read.pop(0)
                self.read_issued.append(cycle)
            if aw and awready:
                to_write.pop(0)
            if w and wready:
                words.pop(0)
                self.write_beats.append(cycle)
            if r and rvalid:
                pending_reads[0].responses.append((rdata, rresp, rlast))
                self.read_beats.append(cycle)
                if len(pending_reads[0].responses) == pending_reads[0].beats:
                    pending_reads.pop(0)
            if b and bvalid:
                pending_writes.pop(0).responses.append((bresp,))
            if not pending_reads and not pending_writes:
                after += 1
            # an offer stays valid until it is accepted
            ar = bool(to_read) and (ar and not arready or self._proceeds())
            aw = bool(to_write) and (aw and not awready or self._proceeds())
            w = bool(words) and (w and not wready or self._proceeds())
            r, b = self._proceeds(), self._proceeds()
            if ar:
                self._drive(ctx, "ar", to_read[0])
            if aw:
                self._drive(ctx, "aw", to_write[0])
            if w:
                self._set(ctx, **dict(zip(("wdata", "wstrb", "wlast"), words[0])))
            self._set(ctx, arvalid=ar, awvalid=aw, wvalid=w, rready=r, bready=b)
        self._set(ctx, rready=0, bready=0)


def random_write(draw, address, beats, width):
    """Return a write of ``beats`` random words with all strobes set, or with random strobes."""
    full = (1 << width // 8) - 1
    some = draw.random() < 0.5
    return Burst(address, [(draw.getrandbits(width),
                            draw.getrandbits(width // 8) if some else full)
                           for _ in range(beats)], size=(width // 8).bit_length() - 1)


def apply(burst, data, base):
    """Apply a write to ``data``, the bytes of the memory from the address ``base`` on."""
    count = 1 << burst.size
    for index, (word, strobes) in enumerate(burst.words):
        for byte in range(count):
            if strobes >> byte & 1:
                data[burst.address - base + index * count + byte] = word >> 8 * byte & 0xFF


def expected(burst, data, base, resp=0):
    """Return the responses of a read, ``(data, resp, last)`` of each beat."""
    count = 1 << burst.size
    start = burst.address - base
    return [(int.from_bytes(data[start + index * count:start + (index + 1) * count], "little"),
             resp, int(index == burst.beats - 1)) for index in range(burst.beats)]
