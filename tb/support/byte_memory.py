"""Random traffic on every port of a byte-addressed memory, checked against a plain byte array."""

import collections
import random

import numpy as np
from amaranth.sim import Simulator

from support.streams import Stalls

__all__ = ["Traffic"]


class Traffic:
    """Drives all ports of a :class:`weft.sram.banked.BankedMemory` at once.

    Each read is compared with what a byte array held before the cycle in which it was made; bytes
    written in that very cycle are left out, because the contract leaves them open. All writes ask
    for ``done``. Where lanes are in groups, a wide write at an odd address is taken apart as the
    contract says.

    Parameters
    ----------
    dut : the memory.
    seed : names the run; it is in every failure.
    stalls : pattern of :class:`support.streams.Stalls` for each port by name; others ``"none"``.
    pick : function of the port's name and the random generator that gives an address in steps.
    mask : function of the port's width and the generator that gives a write's mask.
    """

    def __init__(self, dut, seed, stalls=None, pick=None, mask=None):
        self.dut = dut
        self.seed = seed
        self.random = random.Random(seed)
        self.model = np.zeros(dut.size, np.uint8)
        self.pick = pick or self.anywhere
        self.mask = mask or (lambda width, rng: rng.getrandbits(width))
        self.shapes = {**dut.reads, **dut.writes}
        self.stalls = {name: Stalls((stalls or {}).get(name, "none"), f"{seed}/{name}")
                       for name in self.shapes}
        self.made = collections.Counter()        # by port
        self.longest_wait = collections.Counter()
        self.together = collections.Counter()    # cycles by the number of requests that were made

    def anywhere(self, name, rng):
        """Any address, with a preference for the ends of banks."""
        steps = self.dut.size // self.shapes[name].step
        if rng.random() < 0.3:
            edge = rng.randrange(self.dut.banks + 1) * steps // self.dut.banks
            return (edge + rng.randint(-self.dut.width, self.dut.width)) % steps
        return rng.randrange(steps)

    def run(self, cycles, *, clear_at=()):
        """Simulates so many cycles, with ``i_clear`` high in those listed, and then the answers
        that are still due."""
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
        waiting = {name: collections.deque() for name in names}      # accepted, not made
        refused = set()
        in_two = {name for name in dut.writes
                  if dut.group == 2 and self.shapes[name].width == dut.width}
        shown = dict.fromkeys(names)                                 # at the port, asked for or not
        begun = {}                                                   # the first of two cycles
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
            answers = iter(values[3 * len(names):])
            assert is_clearing == (clearing > 0), (self.seed, cycle, clearing)

            # what the cycle before made
            made = {name: waiting[name].popleft()[1] for name in names if pulse[name]}
            assert not (was_clearing and made), (self.seed, cycle, made)
            for name in names:
                late = (bool(waiting[name]) and waiting[name][0][0] <= cycle - 2 if sliced[name]
                        else name in refused)
                assert conflict[name] == (late and name not in made), (self.seed, cycle, name)
                waited[name] = waited[name] + 1 if conflict[name] and not was_clearing else 0
                self.longest_wait[name] = max(self.longest_wait[name], waited[name])
                self.made[name] += name in made
            self.together[len(made)] += 1
            self._check(cycle, due, answers)
            written = {name: part for name, part in (made | begun).items() if name in dut.writes}
            self._note_reads(cycle + dut.DATA_LATENCY, made, written, due)
            self._write(written)
            if clear_now:
                self.model[:] = 0

            refused, second = set(), begun
            begun = {}
            for name in names:
                open_ = len(waiting[name]) < 2 if sliced[name] else not clearing
                first = (name in in_two and shown[name] is not None and shown[name]["addr"] % 2
                         and name not in second)
                assert ready[name] == (open_ and not first), (self.seed, cycle, name)
                if request[name] is not None and open_ and name in in_two:
                    # byte by byte what this cycle writes
                    last = 1 << dut.width - 1
                    if first:
                        begun[name] = request[name] | {"mask": request[name]["mask"] & ~last}
                    elif name in second:
                        request[name] = request[name] | {"mask": request[name]["mask"] & last}
                if request[name] is not None and ready[name]:
                    waiting[name].append((cycle, request[name]))
                    request[name], idle[name] = None, next(self.stalls[name])
                elif request[name] is not None:
                    refused.add(name)
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

    def _places(self, name, addr):
        shape = self.shapes[name]
        return (addr * shape.step + np.arange(shape.width)) % self.dut.size

    def _write_places(self, name, request):
        mask = np.array([request["mask"] >> i & 1 for i in range(self.shapes[name].width)], bool)
        return self._places(name, request["addr"])[mask], np.array(request["data"])[mask]

    def _note_reads(self, cycle, made, writes, due):
        written = {int(place) for name, request in writes.items()
                   for place in self._write_places(name, request)[0]}
        for name in made:
            if name in self.dut.reads:
                places = self._places(name, made[name])
                due[name].append((cycle, made[name], self.model[places],
                                  np.array([int(place) in written for place in places])))

    def _write(self, writes):
        # two writes of one byte in one cycle would need one bank twice
        for name, request in writes.items():
            places, values = self._write_places(name, request)
            self.model[places] = values

    def _check(self, cycle, due, answers):
        for name, queue in due.items():
            valid, got = next(answers), next(answers)
            expected_valid = bool(queue) and queue[0][0] == cycle
            assert valid == expected_valid, (self.seed, name, cycle, "valid", valid)
            if valid:
                _, addr, expected, skip = queue.popleft()
                got = np.array(list(got), np.uint8)
                wrong = np.flatnonzero((got != expected) & ~skip)
                assert not len(wrong), (
                    f"seed {self.seed}, cycle {cycle}: {name} at {addr:#x}: byte {wrong[0]} is "
                    f"{got[wrong[0]]}, expected {expected[wrong[0]]}")
