"""Random traffic on every port of a byte-addressed memory, compared with a byte array."""

import collections
import random

import numpy as np
from amaranth.sim import Simulator

from support.seeds import seed
from support.streams import Stalls

__all__ = ["Traffic"]


class Traffic:
    """Random accesses on all ports of a :class:`weft.sram.banked.BankedMemory` at once.

    The data of each read is compared with the contents of a byte array before the cycle in which
    the read was granted; bytes written in that cycle are left out, because the contract does not
    define them. All writes request ``done``. If lanes are in groups, a wide write at an odd address
    is split in two, as the contract states.

    Parameters
    ----------
    dut : the memory.
    name : name of the run, part of its seed and of every failure message.
    stalls : pattern of :class:`support.streams.Stalls` for each port by name; others ``"none"``.
    pick : function of the port's name and the random generator that returns an address in steps.
    mask : function of the port's width and the generator that returns a write's mask.
    """

    def __init__(self, dut, name, stalls=None, pick=None, mask=None):
        self.dut = dut
        self.seed = f"{seed()}/{name}"
        self.random = random.Random(self.seed)
        self.model = np.zeros(dut.size, np.uint8)
        self.pick = pick or self.anywhere
        self.mask = mask or (lambda width, rng: rng.getrandbits(width))
        self.shapes = {**dut.reads, **dut.writes}
        self.stalls = {name: Stalls((stalls or {}).get(name, "none"), f"{self.seed}/{name}")
                       for name in self.shapes}
        self.granted = collections.Counter()     # requests by port
        self.longest_wait = collections.Counter()
        self.together = collections.Counter()    # cycles by the number of requests granted in them

    def anywhere(self, name, rng):
        """Return a random address, often one near the end of a bank."""
        steps = self.dut.size // self.shapes[name].step
        if rng.random() < 0.3:
            edge = rng.randrange(self.dut.banks + 1) * steps // self.dut.banks
            return (edge + rng.randint(-self.dut.width, self.dut.width)) % steps
        return rng.randrange(steps)

    def run(self, cycles, *, clear_at=()):
        """Simulate ``cycles`` cycles of traffic, and the cycles until all data has arrived.

        ``i_clear`` is high in the cycles ``clear_at``.
        """
        simulator = Simulator(self.dut)
        simulator.add_clock(1e-6)

        async def bench(ctx):
            await self._bench(ctx, cycles, clear_at)
        simulator.add_testbench(bench)
        simulator.run()

    async def _bench(self, ctx, cycles, clear_at):
        dut = self.dut
        names = list(self.shapes)
        sliced = {name: len(ports) > 1 for ports in (dut.reads, dut.writes) for name in ports}
        idle = {name: next(self.stalls[name]) for name in names}
        request = dict.fromkeys(names)
        waiting = {name: collections.deque() for name in names}      # accepted, not granted
        stalled = set()
        splits = {name for name in dut.writes
                  if dut.group == 2 and self.shapes[name].width == dut.width}
        shown = dict.fromkeys(names)                                 # payload at the port
        first_parts = {}                                             # of writes split in two
        waited = dict.fromkeys(names, 0)
        due = {name: collections.deque() for name in dut.reads}
        ports = [getattr(dut, name) for name in names]
        signals = [dut.o_clearing, *(port.req.ready for port in ports),
                   *(port.conflict for port in ports),
                   *(port.granted if name in dut.reads else port.done
                     for name, port in zip(names, ports))]
        for name in dut.reads:
            signals += [getattr(dut, name).valid, getattr(dut, name).data]

        clearing, was_clearing, clear_now = 0, False, False
        for cycle in range(cycles + dut.read_latency + dut.depth + 4 * len(names)):
            for name in names:
                if request[name] is None and idle[name] == 0 and cycle < cycles:
                    request[name] = self._request(name)
                    ctx.set(getattr(dut, name).req.payload, request[name])
                    shown[name] = request[name]
                elif request[name] is None:
                    idle[name] -= 1
                ctx.set(getattr(dut, name).req.valid, request[name] is not None)
            ctx.set(dut.i_clear, cycle in clear_at)
            _, _, is_clearing, *values = await ctx.tick().sample(*signals)
            ready, conflict, pulse = (
                dict(zip(names, values[part * len(names):])) for part in range(3))
            outputs = iter(values[3 * len(names):])
            assert is_clearing == (clearing > 0), (self.seed, cycle, clearing)

            # requests granted in the previous cycle
            granted = {name: waiting[name].popleft()[1] for name in names if pulse[name]}
            assert not (was_clearing and granted), (self.seed, cycle, granted)
            for name in names:
                overdue = (bool(waiting[name]) and waiting[name][0][0] <= cycle - 2 if sliced[name]
                           else name in stalled)
                assert conflict[name] == (overdue and name not in granted), (self.seed, cycle, name)
                waited[name] = waited[name] + 1 if conflict[name] and not was_clearing else 0
                self.longest_wait[name] = max(self.longest_wait[name], waited[name])
                self.granted[name] += name in granted
            self.together[len(granted)] += 1
            self._check(cycle, due, outputs)
            written = {name: part for name, part in (granted | first_parts).items()
                       if name in dut.writes}
            self._note_reads(cycle + dut.DATA_LATENCY, granted, written, due)
            self._write(written)
            if clear_now:
                self.model[:] = 0

            stalled, second = set(), first_parts
            first_parts = {}
            for name in names:
                open_ = len(waiting[name]) < 2 if sliced[name] else not clearing
                first = (name in splits and shown[name] is not None and shown[name]["addr"] % 2
                         and name not in second)
                assert ready[name] == (open_ and not first), (self.seed, cycle, name)
                if request[name] is not None and open_ and name in splits:
                    # the bytes that this cycle writes
                    last = 1 << dut.width - 1
                    if first:
                        first_parts[name] = request[name] | {"mask": request[name]["mask"] & ~last}
                    elif name in second:
                        request[name] = request[name] | {"mask": request[name]["mask"] & last}
                if request[name] is not None and ready[name]:
                    waiting[name].append((cycle, request[name]))
                    request[name], idle[name] = None, next(self.stalls[name])
                elif request[name] is not None:
                    stalled.add(name)
            clear_now, was_clearing = cycle in clear_at and not clearing, clearing > 0
            if clearing:
                clearing -= 1
            elif cycle in clear_at:
                clearing = dut.depth
        assert not any(due.values()) and not any(request.values()), self.seed
        assert not any(waiting.values()), self.seed

    def _request(self, name):
        addr = self.pick(name, self.random)
        if name in self.dut.reads:
            return addr
        width = self.shapes[name].width
        return {"addr": addr, "mask": self.mask(width, self.random),
                "data": [self.random.randrange(256) for _ in range(width)], "last": 1}

    def _addresses(self, name, addr):
        """Return the byte addresses of an access of port ``name`` at ``addr``."""
        shape = self.shapes[name]
        return (addr * shape.step + np.arange(shape.width)) % self.dut.size

    def _written_bytes(self, name, request):
        """Return the addresses and the values of the bytes that a write changes."""
        mask = np.array([request["mask"] >> i & 1 for i in range(self.shapes[name].width)], bool)
        return self._addresses(name, request["addr"])[mask], np.array(request["data"])[mask]

    def _note_reads(self, cycle, granted, writes, due):
        """Record the expected data of the granted reads, due in ``cycle``."""
        written = {int(address) for name, request in writes.items()
                   for address in self._written_bytes(name, request)[0]}
        for name in granted:
            if name in self.dut.reads:
                addresses = self._addresses(name, granted[name])
                due[name].append((cycle, granted[name], self.model[addresses],
                                  np.array([int(address) in written for address in addresses])))

    def _write(self, writes):
        # Two writes of one byte in one cycle cannot occur: both would need the same bank.
        for name, request in writes.items():
            addresses, values = self._written_bytes(name, request)
            self.model[addresses] = values

    def _check(self, cycle, due, outputs):
        for name, queue in due.items():
            valid, actual = next(outputs), next(outputs)
            expected_valid = bool(queue) and queue[0][0] == cycle
            assert valid == expected_valid, (self.seed, name, cycle, "valid", valid)
            if valid:
                _, addr, expected, skip = queue.popleft()
                actual = np.array(list(actual), np.uint8)
                wrong = np.flatnonzero((actual != expected) & ~skip)
                assert not len(wrong), (
                    f"seed {self.seed}, cycle {cycle}: {name} at {addr:#x}: byte {wrong[0]} is "
                    f"{actual[wrong[0]]}, expected {expected[wrong[0]]}")
