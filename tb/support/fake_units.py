"""Fake execution units, random programs for them, and a check of the token order."""

from cocotb.triggers import RisingEdge

from weft.spec import isa
from weft.spec.step_instructions import STEP_REGISTERS, count_of, resolve

__all__ = ["FakeUnit", "Program", "check_order"]

_SYNCS = {isa.BY_NAME[f"SYNC_{unit}"].opcode for unit in isa.UNITS}
_RING_BYTES = 64        # whole tiles of the small presets
_COUNT_REGISTERS = 32       # the first step registers contain counts, the others addresses


class FakeUnit:
    """Replacement of a unit: it accepts instructions and ends each after a random time, in order.

    Attributes
    ----------
    started, ended : list of (cycle, word)
        Instructions that were accepted and done.
    latency : :class:`int`
        Maximum number of cycles of an instruction.
    readiness : :class:`float`
        Share of cycles with ``ready``.
    depth : :class:`int`
        Maximum number of instructions in flight.
    fail : dict of word to (code, addr)
        Instructions that end with an error.
    hang : set of words
        Instructions that never end.
    memory : :class:`bool`
        Drive ``wait_memory`` while an instruction hangs.
    """

    def __init__(self, bench, name, draw):
        self.bench = bench
        self.name = name
        self.draw = draw
        self.latency, self.readiness, self.depth = 12, 0.7, 4
        self.fail, self.hang, self.memory = {}, set(), False
        self.forget()

    def signal(self, name):
        return getattr(self.bench.dut, f"{self.name}_{name}")

    def forget(self):
        """Discard all recorded events."""
        self.started, self.ended, self.pending = [], [], []
        self.failed = False

    async def run(self):
        for name in ("done", "error", "error_info", "busy", "wait_memory", "conflict",
                     "cmd_ready"):
            self.signal(name).value = 0
        while True:
            await RisingEdge(self.bench.dut.clk)
            self.cycle(self.bench.cycle)

    def cycle(self, now):
        halted = int(self.signal("halt").value)
        clear = int(self.bench.dut.o_clear.value)
        if clear:
            self.pending, self.failed = [], False
        taken = int(self.signal("cmd_valid").value) and int(self.signal("cmd_ready").value)
        if taken and not clear:
            word = int(self.signal("cmd_payload").value)
            if word & 0xFF in _SYNCS:
                word &= 0xFFFF          # the other bits are undefined after a count of 0
            self.started.append((now, word))
            self.pending.append([word, self.draw.randint(1, self.latency)])
        if not clear and int(self.signal("done").value):
            self.ended.append((now, self.pending.pop(0)[0]))
        done = error = 0
        if self.pending and not self.failed:
            word, left = self.pending[0]
            self.pending[0][1] = left - 1
            if left <= 1 and word not in self.hang:
                if word in self.fail:
                    error, self.failed = 1, True
                    code, addr = self.fail[word]
                    self.signal("error_info").value = code | addr << 8
                else:
                    done = 1
        self.signal("done").value = done
        self.signal("error").value = error
        self.signal("busy").value = bool(self.pending)
        hangs = bool(self.pending) and self.pending[0][0] in self.hang
        self.signal("wait_memory").value = hangs and self.memory
        self.signal("cmd_ready").value = (
            not self.failed and not halted and len(self.pending) < self.depth
            and self.draw.random() < self.readiness)


class Program:
    """Random program without deadlock, in which each instruction is different.

    Attributes
    ----------
    words : list of :class:`int`
        The instructions.
    steps : list of :class:`int`
        Contents of the step registers; empty without ``fixed_point``.
    """

    def __init__(self, draw, length, *, host=0, token_share=0.5, fixed_point=False):
        self.draw = draw
        self.steps = []
        if fixed_point:
            self.steps = [draw.choice((0, 1, 1, 0x50001)) if index < _COUNT_REGISTERS
                          else draw.randrange(-host, 0x400) & 0xFFFFFFFF
                          for index in range(STEP_REGISTERS)]
        self.words = []
        tokens = {}
        for index in range(length):
            unit = draw.randrange(4)
            waits = [sender for sender in range(4) if tokens.get((unit, sender))
                     and draw.random() < 0.7]
            signals = [receiver for receiver in range(4) if receiver != unit
                       and draw.random() < token_share]
            # waiting only for tokens of earlier instructions excludes a deadlock
            for sender in waits:
                tokens[unit, sender] -= 1
            for receiver in signals:
                tokens[receiver, unit] = tokens.get((receiver, unit), 0) + 1
            self.words.append(self.instruction(
                unit, index, host, sum(1 << w for w in waits), sum(1 << s for s in signals)))

    def instruction(self, unit, index, host, wait, signal):
        tokens = {"wait": wait, "signal": signal}
        if unit == 0:
            name, values = self.draw.choice((
                ("FILL", {"bytes": 1, "count": 1, "local_pitch": index}),
                ("LOAD", {"bytes": 1, "count": 1, "local_pitch": index, "host_addr": host}),
                ("LOAD_WGT", {"bytes": 1, "count": 1, "host_pitch": index, "host_addr": host})))
        elif unit == 1:
            name, values = "MATMUL", {"row_count": 1, "chunk_count": 1, "x_count": 1, "y_count": 1,
                                      "x_pitch": index, "hold": 1}
        elif unit == 2:
            name, values = self.draw.choice((
                ("PARAMS", {"channels": 1, "multiplier": index}),
                ("DRAIN", {"channels": 1, "x_count": 1, "y_count": 1, "y_pitch": index})))
        else:
            name, values = "STORE", {"bytes": 1, "count": 1, "host_addr": host,
                                     "host_pitch": index}
        if self.steps and self.draw.random() < 0.6:
            name, values = self.variant(name, values, index)
        return int.from_bytes(isa.encode(name, **values, **tokens), "little")

    def variant(self, name, values, index):
        """Return a fixed-point instruction of the same unit, or a variant with step registers."""
        draw, register = self.draw, self.draw.randrange(_COUNT_REGISTERS)
        if name == "LOAD_WGT":
            # a ring has no local address; rows of whole tiles
            name = "LOAD_RING"
            values |= {"bytes": _RING_BYTES}
        if "host_addr" in values:
            values |= {"host_step": draw.randrange(_COUNT_REGISTERS, STEP_REGISTERS)}
            if draw.random() < 0.5:
                values |= {"count": register, "count_step": 1}
            return f"{name}_STEP", values
        if name == "MATMUL":
            return "MATMUL_RING_STEP", {"row_count": register, "chunk_count": 1, "x_count": 1,
                                        "x_pitch": index}
        if name in ("PARAMS", "DRAIN"):
            return draw.choice((
                ("SOLVE", {"count": 1, "constant": index + 1, "b_pitch": 0xFFFF}),
                ("COMPUTE", {"count": 1, "elements_count": 1, "a_pitch": index,
                             "row_addr": 0xFFFFFF}),
                ("COMPUTE_STEP", {"count": 1, "elements_count": register, "a_pitch": index,
                                  "row_addr": 0xFFFFFF}),
                ("DRAIN_PLANES_STEP", {"channels": 1, "x_count": 1, "y_count": register,
                                       "y_pitch": index})))
        return name, values

    def image(self):
        return b"".join(word.to_bytes(32, "little") for word in self.words)

    def issued(self, mem_base, count=None):
        """Return the instructions that each unit receives, in order, of the first ``count``."""
        units = [[], [], [], []]
        for word in self.words[:count]:
            instruction, values = resolve(*isa.decode(word.to_bytes(32, "little")), self.steps)
            if isa.BY_OPCODE[word & 0xFF] is not instruction and not count_of(instruction, values):
                instruction = isa.BY_NAME[f"SYNC_{isa.UNITS[instruction.unit]}"]
                values = {name: values[name] for name in ("wait", "signal")}
            if "host_addr" in values:
                values["host_addr"] = values["host_addr"] + mem_base & 0xFFFFFFFF
            values.pop("opcode", None)
            units[instruction.unit].append(int.from_bytes(
                isa.encode(instruction.name, **values), "little"))
        return units


def check_order(units):
    """Assert that no unit took a token before it was sent.

    ``units`` are the four :class:`FakeUnit`. A token sent in one cycle may be taken in the next.
    """
    events = []
    for number, unit in enumerate(units):
        events += [(cycle, 0, number, word) for cycle, word in unit.started]
        events += [(cycle, 1, number, word) for cycle, word in unit.ended]
    tokens = {}
    for cycle, is_end, number, word in sorted(events, key=lambda event: event[:3]):
        for other in range(4):
            if is_end and word >> 12 + other & 1:
                tokens[other, number] = tokens.get((other, number), 0) + 1
            if not is_end and word >> 8 + other & 1:
                left = tokens.get((number, other), 0)
                assert left, (
                    f"cycle {cycle}: unit {number} took a token of {other} before it was sent")
                tokens[number, other] = left - 1
