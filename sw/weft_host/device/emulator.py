"""The executable specification of the instruction set, in numpy."""

import collections
import dataclasses

from weft.spec import isa
from weft.spec.isa import ErrorCode
from weft.spec.iterations import OUTER_LOOPS, iterations

from ..emulator.datapath import Datapath
from ..emulator.host_memory import BusFault, HostMemory
from ..emulator.registers import RegisterFile, pack, unpack
from ..errors import DeviceTimeout
from ..program import validate
from .base import Device

__all__ = ["EmulatorDevice"]

_UNITS = range(len(isa.UNITS))
_MAX_TOKENS = 255


@dataclasses.dataclass
class _Queued:
    """An instruction, or with ``each`` what is left of its rows."""

    index: int
    instruction: isa.Instruction
    values: dict
    iterations: collections.abc.Iterator
    left: int

    @classmethod
    def of(cls, config, index, instruction, values):
        """The instruction ``index`` of a program."""
        left = values[OUTER_LOOPS[instruction.name].count] if values.get("each") else 1
        return cls(index, instruction, values, iterations(config, instruction.name, values), left)

    @property
    def wait(self):
        return [unit for unit in _UNITS if self.values["wait"] >> unit & 1]

    @property
    def signal(self):
        return [unit for unit in _UNITS if self.values["signal"] >> unit & 1]


class EmulatorDevice(Device):
    """Executes programs exactly as the instruction set says, without a notion of time.

    Units take turns; a program whose units are ordered by tokens gives the same bytes in any
    order. A program that can never go on stops with WATCHDOG at once, or, with the register
    WATCHDOG at 0, stays BUSY.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        The hardware to be.
    memory_base, memory_bytes : :class:`int`
        The host memory to offer; outside it the bus answers DECERR.
    """

    counter_names = ("MAC_BUSY", "BYTES_READ", "BYTES_WRITTEN", "INSTRUCTIONS")

    def __init__(self, config, *, memory_base=0, memory_bytes=1 << 24):
        super().__init__(config, memory_base=memory_base, memory_bytes=memory_bytes)
        self.memory = HostMemory(memory_base, memory_bytes, config.bus_bytes,
                                 config.bus_bytes * config.max_burst)
        self.datapath = Datapath(config, self.memory)
        self.registers = RegisterFile(config)
        self.order = list(_UNITS)
        """In which order the units take turns; no right program depends on it."""
        self.on_done = None
        """Called after each instruction with its index, for tests and traces."""
        self._reset()

    def fault(self, addr, size, response, access):
        """See :meth:`HostMemory.fault`."""
        self.memory.fault(addr, size, response, access)

    def clear_faults(self):
        """See :meth:`HostMemory.clear_faults`."""
        self.memory.clear_faults()

    def _read(self, addr, size):
        at = self.memory.offset(addr, size)
        return self.memory.data[at:at + size].tobytes()

    def _write(self, addr, data):
        at = self.memory.offset(addr, len(data))
        self.memory.data[at:at + len(data)] = memoryview(data)

    def read_register(self, name):
        """The word in register ``name``."""
        if name == "WAITS" and not self.registers.field("STATUS", "ERROR"):
            return self._waits()
        return self.registers.values[name]

    def write_register(self, name, value):
        """Write a word to register ``name``; :class:`RegisterError` if that is refused."""
        self.registers.check_write(name, value)
        if name != "CONTROL":
            self.registers.write(name, value)
            return
        command = unpack("CONTROL", value)
        if command["SOFT_RESET"]:
            self._reset()
        if command["CLEAR"]:
            self.datapath.clear_memories()
        if command["SNAPSHOT"]:
            for counter in self.counter_names:
                self.registers.set(f"COUNTER_{counter}", VALUE=self.datapath.counts[counter])
        if command["CLEAR_COUNTERS"]:
            self.datapath.counts.clear()
        if command["START"]:
            self._run()

    def wait(self, limit=None):
        """Return if the device is idle; the emulator never is busy unless a program hangs."""
        if self.registers.field("STATUS", "BUSY"):
            raise DeviceTimeout("the program can never end", self.waits())

    def _reset(self):
        self._queues: list[collections.deque] = [collections.deque() for _ in _UNITS]
        self._tokens = [[0] * len(isa.UNITS) for _ in _UNITS]      # [from][to]
        self._pc = 0
        self._pending = None        # validated, its queue full
        for name in ("STATUS", "ERROR_CODE", "ERROR_INDEX", "ERROR_ADDR", "WAITS", "PC"):
            self.registers.values[name] = 0

    def _lacking(self, unit):
        """Units whose token the next instruction of a unit lacks."""
        return [other for other in self._queues[unit][0].wait if not self._tokens[other][unit]]

    def _waits(self):
        fields = {}
        for unit in _UNITS:
            if self._queues[unit]:
                fields[f"{isa.UNITS[unit]}_QUEUED"] = 1
                fields[f"{isa.UNITS[unit]}_TOKENS"] = sum(1 << other
                                                          for other in self._lacking(unit))
        return pack("WAITS", **fields)

    def _fail(self, code, unit, index, addr):
        """Keep the first error of a run."""
        if self.registers.field("STATUS", "ERROR"):
            return
        self.registers.values["WAITS"] = self._waits()
        self.registers.set("ERROR_CODE", CODE=code, UNIT=unit)
        self.registers.set("ERROR_INDEX", VALUE=index)
        self.registers.set("ERROR_ADDR", VALUE=addr)
        self.registers.set("STATUS", BUSY=1, ERROR=1)

    def _run(self):
        self._reset()
        self.registers.set("STATUS", BUSY=1)
        while True:
            moved = self._fetch()
            for unit in self.order:
                if self._queues[unit] and not self._lacking(unit):
                    moved = True
                    if not self._execute(unit):
                        self._finish()
                        return
            if not moved:
                break
        failed = self.registers.field("STATUS", "ERROR")
        if not failed and any(self._queues):
            if not self.registers.values["WATCHDOG"]:
                return
            # nothing is in work, so the first unit that lacks a token is to blame
            unit = next(unit for unit in _UNITS if self._queues[unit])
            self._fail(ErrorCode.WATCHDOG, unit, self._queues[unit][0].index, 0)
        self._finish()

    def _finish(self):
        failed = self.registers.field("STATUS", "ERROR")
        self.registers.set("STATUS", DONE=not failed, ERROR=failed)
        self.registers.values["IRQ_STATUS"] |= pack("IRQ_STATUS", DONE=not failed, ERROR=failed)

    def _fetch(self):
        """Pass instructions to the queues until one is full, refused or the program ends."""
        count = self.registers.values["PROGRAM_COUNT"]
        moved = False
        while self._pc < count and not self.registers.field("STATUS", "ERROR"):
            if self._pending is None:
                self._pending = self._decode()
                if self._pending is None:
                    return moved
            if self.config.compact and any(self._queues):   # one at a time, in order
                return moved
            queue = self._queues[self._pending.instruction.unit]
            if len(queue) > self.config.queue_depth:    # one more is next, before its unit
                return moved
            queue.append(self._pending)
            self._pending = None
            self._pc += 1
            self.registers.set("PC", VALUE=self._pc)
            moved = True
        return moved

    def _decode(self):
        """Fetch and validate an instruction; ``None`` after an error."""
        values = self.registers.values
        windows = self.registers.windows()
        address = values["MEM_BASE"] + values["PROGRAM_ADDR"] + isa.INSTRUCTION_BYTES * self._pc
        violation = validate.check_fetch(self.config, address, windows)
        if violation is None:
            try:
                self.memory.check(address, 0, 1, isa.INSTRUCTION_BYTES, "read")
            except BusFault as fault:
                self._fail(fault.code, isa.SEQUENCER, self._pc, fault.addr)
                return None
            self.datapath.counts["BYTES_READ"] += isa.INSTRUCTION_BYTES
            raw = self._read(address, isa.INSTRUCTION_BYTES)
            violation = validate.check_instruction(
                self.config, raw, address=address, mem_base=values["MEM_BASE"], windows=windows)
        if violation is not None:
            self._fail(violation.code, violation.unit, self._pc, violation.addr)
            return None
        return _Queued.of(self.config, self._pc, *isa.decode(raw))

    def _execute(self, unit):
        """Carry out the next instruction of a unit, or with ``each`` the next of its rows.

        Returns whether the program may go on.
        """
        entry = self._queues[unit][0]
        entry.left -= 1
        if not entry.left:
            self._queues[unit].popleft()
        for other in entry.wait:
            self._tokens[other][unit] -= 1
        try:
            self.datapath.execute(entry.instruction, next(entry.iterations),
                                  self.registers.values["MEM_BASE"])
        except BusFault as fault:
            self._fail(fault.code, unit, entry.index, fault.addr)
            return False
        for other in entry.signal:
            if self._tokens[unit][other] == _MAX_TOKENS:
                self._fail(ErrorCode.TOKEN_OVERFLOW, unit, entry.index, 0)
                return False
            self._tokens[unit][other] += 1
        if self.on_done is not None and not entry.left:
            self.on_done(entry.index)
        return True
