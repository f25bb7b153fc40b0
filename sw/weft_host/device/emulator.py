"""Executable specification of the instruction set, in numpy."""

from collections.abc import Callable
from typing import ClassVar

from weft.spec import isa
from weft.spec.config import Config
from weft.spec.isa import ErrorCode
from weft.spec.step_instructions import count_of, resolve

from ..emulator.datapath import Datapath
from ..emulator.host_memory import BusFault, HostMemory
from ..emulator.queued import QueuedInstruction
from ..emulator.registers import RegisterFile
from ..emulator.units import IssuedInstruction, Units
from ..errors import DeviceTimeout
from ..program import validate
from ..register_words import find_register, pack, unpack
from .simulated import SimulatedDevice

__all__ = ["EmulatorDevice"]

_UNITS = range(len(isa.UNITS))
_MATMUL = isa.UNITS.index("MATMUL")


class _Stopped(Exception):
    """The error of an instruction ends the program at once."""


class EmulatorDevice(SimulatedDevice):
    """Numpy emulator of the hardware, without a notion of time.

    Units execute instructions alternately. A program that orders its units with tokens gives the
    same bytes in any order. A deadlocked program stops with the error WATCHDOG at once; if the
    register WATCHDOG is 0, the device stays BUSY instead. No cycles pass, so the argument
    ``limit`` of :meth:`run` and :meth:`wait` has no effect: every other program ends by itself.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config` or :class:`str`
        Configuration to emulate, or the name of its preset or of its board.
    memory_base, memory_bytes : :class:`int`
        Address range of the host memory; other addresses answer DECERR. By default 16 MiB, or
        less if there are fewer addresses.

    Attributes
    ----------
    memory : :class:`weft_host.emulator.host_memory.HostMemory`
    datapath : :class:`weft_host.emulator.datapath.Datapath`
    registers : :class:`weft_host.emulator.registers.RegisterFile`
    order : list of :class:`int`
        Order in which the units execute instructions. No correct program depends on it.
    on_done : callable, optional
        Function that is called with the index of each finished instruction.
    """

    counter_names: ClassVar[tuple[str, ...]] = ("MAC_BUSY", "BYTES_READ", "BYTES_WRITTEN",
                                                "INSTRUCTIONS")

    memory: HostMemory
    datapath: Datapath
    registers: RegisterFile
    order: list[int]
    on_done: Callable[[int], object] | None

    def __init__(self, config: Config | str, *, memory_base: int = 0,
                 memory_bytes: int | None = None) -> None:
        super().__init__(config, memory_base=memory_base, memory_bytes=memory_bytes)
        beat = self.config.bus_bytes
        self.memory = HostMemory(memory_base, self.memory_bytes, beat, beat * self.config.max_burst)
        self.datapath = Datapath(self.config, self.memory)
        self.registers = RegisterFile(self.config)
        self.order = list(_UNITS)
        self.on_done = None
        self._reset()

    @property
    def _host_memory(self) -> HostMemory:
        return self.memory

    def _read(self, addr: int, size: int) -> bytes:
        self._check_open()
        at = self.memory.offset(addr, size)
        return self.memory.data[at:at + size].tobytes()

    def _write(self, addr: int, data: bytes) -> None:
        self._check_open()
        at = self.memory.offset(addr, len(data))
        self.memory.data[at:at + len(data)] = memoryview(data)

    def read_register(self, name: str) -> int:
        """Return the word in register ``name``."""
        self._check_open()
        if name == "WAITS" and not self.registers.field("STATUS", "ERROR"):
            return self._waits()
        return self.registers.read(find_register(name).name)

    def write_register(self, name: str, value: int) -> None:
        """Write a word to register ``name``; a START runs the whole program.

        Raises
        ------
        RegisterError
            If the device rejects the write.
        """
        self._check_open()
        self.registers.check_write(name, value)
        if name != "CONTROL":
            self.registers.write(name, value)
            return
        command = unpack("CONTROL", value)
        if command["SOFT_RESET"]:
            self._reset()
        if command["CLEAR"]:
            self.datapath.clear()
            self.registers.clear_steps()
        if command["SNAPSHOT"]:
            for counter in self.counter_names:
                self.registers.set(f"COUNTER_{counter}", VALUE=self.datapath.counts[counter])
        if command["CLEAR_COUNTERS"]:
            self.datapath.counts.clear()
        if command["START"]:
            self._run()

    def wait(self, limit: int | None = None) -> None:
        """Return at once: the emulator is idle unless a program is deadlocked.

        Raises
        ------
        DeviceTimeout
            If a program is deadlocked.
        """
        self._check_open()
        if self.registers.field("STATUS", "BUSY"):
            raise DeviceTimeout("the program is deadlocked", self.waits())

    def _reset(self) -> None:
        self._units = Units(self.config)
        self.datapath.ring.clear()
        # the host cannot change them during a run
        self._steps, self._windows = self.registers.steps(), self.registers.windows()
        self._pc = 0
        self._pending: QueuedInstruction | None = None        # validated, but its queue is full
        for name in ("STATUS", "ERROR_CODE", "ERROR_INDEX", "ERROR_ADDR", "WAITS", "PC"):
            self.registers.values[name] = 0

    def _waits(self) -> int:
        """Return the word of the register WAITS."""
        return pack("WAITS", **self._units.waits())

    def _fail(self, code: ErrorCode, unit: int, index: int, addr: int) -> None:
        """Set the error registers, unless they contain an earlier error of this run."""
        if self.registers.field("STATUS", "ERROR"):
            return
        self.registers.values["WAITS"] = self._waits()
        self.registers.set("ERROR_CODE", CODE=code, UNIT=unit)
        self.registers.set("ERROR_INDEX", VALUE=index)
        self.registers.set("ERROR_ADDR", VALUE=addr)
        self.registers.set("STATUS", BUSY=1, ERROR=1)

    def _run(self) -> None:
        self._reset()
        self.registers.set("STATUS", BUSY=1)
        try:
            moved = True
            while moved:
                moved = self._fetch()
                for unit in self.order:
                    moved |= self._units.issue(unit)
                    if self._units.issued[unit]:
                        moved |= self._execute(unit, self._units.issued[unit][0])
        except _Stopped:
            self._finish()
            return
        stalled = self._units.stalled()
        if stalled is not None and not self.registers.field("STATUS", "ERROR"):
            if not self.registers.values["WATCHDOG"]:
                return
            self._fail(ErrorCode.WATCHDOG, *stalled, 0)
        self._finish()

    def _finish(self) -> None:
        failed = self.registers.field("STATUS", "ERROR")
        self.registers.set("STATUS", DONE=not failed, ERROR=failed)
        self.registers.values["IRQ_STATUS"] |= pack("IRQ_STATUS", DONE=not failed, ERROR=failed)

    def _fetch(self) -> bool:
        """Append instructions to the queues; return whether any was appended.

        This stops at a full queue, at an invalid instruction and at the end of the program.
        """
        count = self.registers.values["PROGRAM_COUNT"]
        moved = False
        while self._pc < count and not self.registers.field("STATUS", "ERROR"):
            if self._pending is None:
                self._pending = self._decode()
                if self._pending is None:
                    return moved
            unit = self._pending.instruction.unit
            if not self._units.has_space(unit):
                return moved
            self._units.queues[unit].append(self._pending)
            self._pending = None
            self._pc += 1
            self.registers.set("PC", VALUE=self._pc)
            moved = True
        return moved

    def _decode(self) -> QueuedInstruction | None:
        """Fetch and validate an instruction; return ``None`` after an error."""
        values = self.registers.values
        windows = self._windows
        address = values["MEM_BASE"] + values["PROGRAM_ADDR"] + isa.INSTRUCTION_BYTES * self._pc
        raw = b""
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
                self.config, raw, address=address, mem_base=values["MEM_BASE"], windows=windows,
                steps=self._steps)
        if violation is not None:
            self._fail(violation.code, violation.unit, self._pc, violation.addr)
            return None
        instruction, fields = isa.decode(raw)
        assert instruction is not None, "validation rejects unknown opcodes"
        instruction, resolved = resolve(instruction, fields, self._steps)
        if not count_of(instruction, resolved):
            instruction = isa.BY_NAME[f"SYNC_{isa.UNITS[instruction.unit]}"]    # only the tokens
            resolved["each"] = 0
        return QueuedInstruction.of(self.config, self._pc, instruction, resolved)

    def _execute(self, unit: int, issued: IssuedInstruction) -> bool:
        """Execute the oldest instruction in progress of a unit, as far as the ring permits.

        Return whether anything was executed.
        """
        entry, base = issued.entry, self.registers.values["MEM_BASE"]
        try:
            if entry.instruction.name in ("LOAD_RING", "LOAD_RING_4BIT"):
                before = issued.loaded
                issued.loaded = self.datapath.load_ring(entry.instruction.name, issued.values,
                                                        base, before, self._demand())
                if issued.rows_left:
                    return issued.loaded > before
            elif unit == _MATMUL and self.datapath.ring.size < self._demand():
                return False
            self.datapath.execute(entry.instruction, issued.values, base)
        except BusFault as fault:
            self._fail(fault.code, unit, entry.index, fault.addr)
            raise _Stopped from fault
        if not self._units.complete(unit):
            self._fail(ErrorCode.TOKEN_OVERFLOW, unit, entry.index, 0)
            raise _Stopped
        if self.on_done is not None and issued.ends:
            self.on_done(entry.index)
        return True

    def _demand(self) -> int:
        """Return the bytes that the MATMUL_RING in progress takes from the ring, or 0."""
        if not self._units.issued[_MATMUL]:
            return 0
        issued = self._units.issued[_MATMUL][0]
        return self.datapath.ring_bytes(issued.entry.instruction, issued.values)
