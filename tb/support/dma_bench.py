"""Test bench of LOAD and STORE in Amaranth's simulator, and a model of their copies."""

import dataclasses
import functools
import random

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring

from weft.bus.read_arbiter import ReadArbiter
from weft.dma.load import LoadUnit
from weft.dma.store import StoreUnit
from weft.spec import isa
from weft.spec.presets import preset

from .axi_memory import AxiMemory
from .copy_model import execute_copies
from .local_memory import LocalMemory
from .seeds import seed as common_seed
from .shared_simulator import SharedSimulator

__all__ = ["DmaBench", "Result", "bus_config", "check_memories", "expected", "random_copies",
           "run_and_check", "share_of_peak", "split_copy"]


def bus_config(width, **overrides):
    """Return a small configuration with a bus of ``width`` bits, which simulates quickly."""
    return preset("tiny", bus_width=width, **overrides)


@dataclasses.dataclass
class Result:
    """Measurements of a run."""

    cycles: int             # from the first instruction accepted to the last done, inclusive
    accepted: int           # instructions
    done: int               # strobes of done
    error: tuple | None     # (code, address)
    beats: int              # strobes of o_beat, or of o_bytes that are not 0
    bytes: int              # sum of o_bytes
    conflicts: int          # cycles with unit.conflict
    waits: int              # cycles with unit.wait_memory


class _Design:
    """One unit with a reset, and its simulator for all benches of a process.

    Attributes
    ----------
    unit : :class:`LoadUnit` or :class:`StoreUnit`
    arbiter : :class:`ReadArbiter`, optional
        Arbiter between LOAD and the bus.
    reset : 1 bit
    simulator : :class:`SharedSimulator`
    """

    def __init__(self, kind, config, read_latency):
        m = Module()
        self.reset = Signal()
        self.arbiter = None
        if kind == "load":
            self.unit = LoadUnit(config)
            m.submodules.arbiter = self.arbiter = ReadArbiter(config)
            wiring.connect(m, self.unit.axi, self.arbiter.second)
        else:
            self.unit = StoreUnit(config, read_latency=read_latency)
        m.submodules.dut = self.unit
        self.simulator = SharedSimulator(ResetInserter(self.reset)(m), processes=5)


_design = functools.cache(_Design)


class DmaBench:
    """One unit (LOAD behind its arbiter, or STORE) with model memories.

    Parameters
    ----------
    unit : :class:`str`
        ``"load"`` or ``"store"``.
    config : :class:`Config`
        Configuration of the unit.
    stall : :class:`float`
        Probability of a stall, for each stream and cycle.
    host_bytes : :class:`int`
        Size of the host memory, which begins at ``base``.
    seed : :class:`int`
        Number added to the common seed.

    Attributes
    ----------
    processes : list of async functions
        Processes of the simulation; a test may append up to two.
    """

    def __init__(self, unit, config, *, stall=0.0, latency=20, host_bytes=1 << 16, base=0,
                 read_latency=3, seed=0):
        self.kind = unit
        self.config = config
        self.seed = seed = common_seed(seed)
        self.random = random.Random(seed)
        self.stall = stall
        self.host = AxiMemory(
            size=host_bytes, bus_bytes=config.bus_bytes, base=base, latency=latency, stall=stall,
            outstanding=config.outstanding, seed=seed + 1)
        self.spad = LocalMemory(config.spad_bytes, stall=stall, read_latency=read_latency,
                               seed=seed + 2)
        self.wgt = self._make_weights()
        for memory in (self.host, self.spad, self.wgt):
            memory.data[:] = self.random.randbytes(len(memory.data))
        self.design = _design(unit, config, None if unit == "load" else read_latency)
        self.dut, self.arbiter, self.reset = (
            self.design.unit, self.design.arbiter, self.design.reset)
        if unit == "load":
            self.processes = [self.host.reader(self.arbiter.axi), self.spad.writer(self.dut.spad),
                              self.wgt.writer(self.dut.wgt)]
        else:
            self.processes = [self.host.writer(self.dut.axi), self.spad.reader(self.dut.spad)]

    def _make_weights(self):
        return LocalMemory(self.config.wgt_bytes, stall=self.stall, seed=self.seed + 3)

    def run(self, instructions, *, halt_after=None, before_second=None,
            limit=100_000):
        """Execute 32-byte ``instructions`` until all are done or one met an error.

        With ``halt_after``, the unit is halted after that many cycles and reset when no transfer is
        outstanding; then ``before_second`` is called and ``instructions`` are executed again.
        """
        results = []

        async def testbench(ctx):
            if halt_after is not None:
                await self._execute(ctx, instructions, halt_after, limit)
                ctx.set(self.reset, 1)
                self.spad.flush()
                self.wgt.flush()
                await ctx.tick()
                ctx.set(self.reset, 0)
                ctx.set(self.dut.unit.halt, 0)
                assert not ctx.get(self.dut.unit.busy), "busy after reset"
                if before_second is not None:
                    before_second()
            results.append(await self._execute(ctx, instructions, None, limit))
        try:
            self.design.simulator.run(processes=self.processes, testbenches=[testbench])
        except BaseException:
            _design.cache_clear()       # the state of the simulator is unknown
            raise
        return results[0]

    async def _execute(self, ctx, instructions, halt_after, limit):
        unit = self.dut.unit
        waiting = list(instructions)
        first = None
        last = None
        result = Result(0, 0, 0, None, 0, 0, 0, 0)
        sampled = (unit.cmd.ready, unit.done, unit.error, unit.error_info.as_value(), unit.busy,
                   unit.conflict, unit.wait_memory, self.dut.o_idle,
                   self.arbiter.o_beat if self.kind == "load" else self.dut.o_bytes)
        offered = False
        quiet = 0
        tick = ctx.tick().sample(*sampled)
        for cycle in range(limit):
            if not offered and waiting and not (
                    self.stall and self.random.random() < self.stall):
                ctx.set(unit.cmd.payload, int.from_bytes(waiting[0], "little"))
                offered = True
            ctx.set(unit.cmd.valid, offered)
            if halt_after is not None and cycle == halt_after:
                ctx.set(unit.halt, 1)
            _, _, ready, done, error, info, busy, conflict, wait, idle, moved = await tick
            if offered and ready:
                assert halt_after is None or cycle < halt_after, "accepted an instruction in halt"
                first = cycle if first is None else first
                offered = False
                waiting.pop(0)
                result.accepted += 1
            result.beats += bool(moved)
            result.bytes += moved
            result.conflicts += conflict
            result.waits += wait
            if done:
                assert not error and result.error is None, "done after an error"
                assert busy, "done without busy"
                result.done += 1
                last = cycle
            if error:
                assert result.error is None, "a second error"
                result.error = (info & 0xFF, info >> 8)
            if halt_after is not None and cycle >= halt_after and idle:
                ctx.set(unit.cmd.valid, 0)
                return None
            finished = result.done == len(instructions) or result.error is not None
            if finished and not busy:
                quiet += 1          # wait, so that spurious activity would be seen
                if quiet == 60:
                    assert idle, "not busy, but not idle"
                    result.cycles = (last or 0) - (first or 0) + 1
                    return result
            else:
                quiet = 0
        raise AssertionError(f"not done after {limit} cycles: {result}")


def expected(bench, instructions):
    """Return ``(host, spad, wgt)`` as bytes after the instructions, from the present contents."""
    host, spad, wgt = (bytearray(memory.data) for memory in (bench.host, bench.spad, bench.wgt))
    execute_copies(instructions, host=host, spad=spad, wgt=wgt, base=bench.host.base)
    return host, spad, wgt


def random_copies(bench, names, count):
    """Return ``count`` legal instructions drawn from ``names``, with many corner cases."""
    draw = bench.random
    instructions = []
    while len(instructions) < count:
        name = draw.choice(names)
        if name.startswith("SYNC"):
            instructions.append(isa.encode(name))
            continue
        space = bench.config.wgt_bytes if name == "LOAD_WGT" else bench.config.spad_bytes
        size = draw.choice([1, 2, bench.config.bus_bytes, draw.randint(1, 40),
                            draw.randint(1, min(space, 600))])
        rows = draw.choice([1, 1, 2, draw.randint(1, 12)])
        local_pitch = draw.choice([size, size + draw.randint(0, 30), draw.randint(0, 2 * size)])
        host_pitch = draw.choice([size, size + draw.randint(0, 300)])
        local_span = (rows - 1) * local_pitch + size
        host_span = (rows - 1) * host_pitch + size
        if local_span > space or host_span > len(bench.host.data):
            continue
        # both ends of the memories, and 4 KiB boundaries of host memory, are corner cases
        local = draw.choice([0, space - local_span, draw.randint(0, space - local_span)])
        room = len(bench.host.data) - host_span
        boundary = draw.randint(0, room) // 4096 * 4096 + 4096 - draw.randint(0, size)
        host = draw.choice([0, room, draw.randint(0, room), min(boundary, room)])
        fields = {"count": rows, "local_addr": local, "local_pitch": local_pitch, "bytes": size}
        if name == "FILL":
            fields["value"] = draw.randrange(256)
        else:
            fields |= {"host_addr": bench.host.base + host, "host_pitch": host_pitch}
        instructions.append(isa.encode(name, **fields))
    return instructions


def split_copy(bench, name, size, *, host, local):
    """Return a copy of ``size`` bytes as the fewest instructions that fit the scratchpad."""
    room = bench.config.spad_bytes - local
    return [isa.encode(name, count=1, bytes=min(room, size - start), local_addr=local,
                       host_addr=host + start) for start in range(0, size, room)]


def check_memories(bench, wanted):
    """Compare all memories with ``wanted``, a result of :func:`expected`."""
    for name, memory, contents in zip(
            ("host", "spad", "wgt"), (bench.host, bench.spad, bench.wgt), wanted):
        wrong = [index for index in range(len(contents)) if memory.data[index] != contents[index]]
        assert not wrong, (
            f"{name}[{wrong[0]:#x}] is {memory.data[wrong[0]]:#x}, not {contents[wrong[0]]:#x}; "
            f"{len(wrong)} bytes differ; seed {bench.seed}")


def run_and_check(bench, instructions, **kwargs):
    """Execute instructions that must succeed, and compare every byte of every memory."""
    wanted = expected(bench, instructions)
    result = bench.run(instructions, **kwargs)
    assert result.error is None and result.done == len(instructions), (
        f"{result}; seed {bench.seed}")
    check_memories(bench, wanted)
    return result


def share_of_peak(bench, instructions, size):
    """Execute and check copies of ``size`` bytes in all; return the share of one beat a cycle."""
    result = run_and_check(bench, instructions)
    share = size / bench.config.bus_bytes / result.cycles
    print(f"{bench.kind} {bench.config.name}: {size} bytes in {result.cycles} cycles, "
          f"{share:.1%} of the peak")
    return share
