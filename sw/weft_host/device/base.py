"""What every device offers: memory and registers, and on top of them the run of a program."""

import abc
import dataclasses

from weft.spec import isa, register_map
from weft.spec.isa import ErrorCode

from .. import host_operators
from ..emulator.registers import pack, unpack
from ..errors import DeviceError, DeviceTimeout, ErrorRecord, ProgramError, WeftError
from ..program import disasm
from .tensors import check_inputs, read_tensor, write_tensor

__all__ = ["Device", "Result"]

_WATCHDOG = 100_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """What a run gave.

    Attributes
    ----------
    outputs, tensors : :class:`dict` of arrays
        By name; ``tensors`` is filled on request only.
    cycles : :class:`int` or :class:`None`
        From start to done; ``None`` if the device has no clock.
    counters : :class:`dict` of :class:`int`
        The performance counters that the device keeps.
    """

    outputs: dict
    tensors: dict
    cycles: int | None
    counters: dict


class Device(abc.ABC):
    """A Weft device. Addresses are bytes of its host memory, registers go by name.

    Attributes
    ----------
    config : :class:`weft.spec.config.Config`
        What the device is.
    memory_base, memory_bytes : :class:`int`
        The host memory that it offers to programs.
    """

    counter_names = tuple(name for name, _ in register_map.COUNTERS)
    """Performance counters that the device keeps."""

    def __init__(self, config, *, memory_base=0, memory_bytes=1 << 24):
        if memory_base % 4096:
            raise ValueError(f"memory_base must be a multiple of 4096, not {memory_base:#x}")
        if memory_bytes < 1 or memory_base + memory_bytes > 1 << config.addr_width:
            raise ValueError(
                f"{memory_bytes} bytes of memory from {memory_base:#x} on do not fit the "
                f"{config.addr_width} address bits of configuration {config.name!r}")
        self.config = config
        self.memory_base = memory_base
        self.memory_bytes = memory_bytes
        self._loaded = None

    @abc.abstractmethod
    def _read(self, addr, size):
        """``size`` bytes of host memory as :class:`bytes`."""

    @abc.abstractmethod
    def _write(self, addr, data):
        """Put :class:`bytes` into host memory."""

    @abc.abstractmethod
    def read_register(self, name):
        """The word in register ``name``; :class:`RegisterError` if that is refused."""

    @abc.abstractmethod
    def write_register(self, name, value):
        """Write a word to register ``name``; :class:`RegisterError` if that is refused."""

    @abc.abstractmethod
    def wait(self, limit=None):
        """Return when the device is idle; :class:`DeviceTimeout` after ``limit`` cycles."""

    def read_memory(self, addr, size):
        """``size`` bytes of host memory from ``addr`` on."""
        return self._read(addr, size)

    def write_memory(self, addr, data):
        """Put ``data`` into host memory from ``addr`` on."""
        self._loaded = None         # it may have hit the constants of the loaded program
        self._write(addr, bytes(data))

    def soft_reset(self):
        """Stop the device; it keeps registers and memories and is ready for a program."""
        self.write_register("CONTROL", pack("CONTROL", SOFT_RESET=1))
        self._await_clear("RESETTING")

    def clear(self):
        """Zero scratchpad, weight buffer and accumulators of an idle device."""
        self.write_register("CONTROL", pack("CONTROL", CLEAR=1))
        self._await_clear("CLEARING")

    def _await_clear(self, state):
        for _ in range(1 << 20):
            if not unpack("STATUS", self.read_register("STATUS"))[state]:
                return
        raise DeviceTimeout(f"the device does not leave the state {state}", self.waits())

    def start(self):
        """Start the program that registers and memory hold."""
        self.write_register("CONTROL", pack("CONTROL", START=1))

    def waits(self):
        """Who waits for what, a sentence for each unit that does."""
        fields = unpack("WAITS", self.read_register("WAITS"))
        sentences = []
        for unit in isa.UNITS:
            lacking = disasm.units(fields[f"{unit}_TOKENS"])
            if fields[f"{unit}_QUEUED"] and lacking:
                sentences.append(f"{unit} waits for a token of {' and '.join(lacking)}")
            if fields[f"{unit}_MEMORY"]:
                sentences.append(f"{unit} waits for host memory")
        return tuple(sentences)

    def error(self, program=None):
        """The :class:`ErrorRecord` of the device, or ``None``; a program adds its instruction."""
        if not unpack("STATUS", self.read_register("STATUS"))["ERROR"]:
            return None
        fields = unpack("ERROR_CODE", self.read_register("ERROR_CODE"))
        index = self.read_register("ERROR_INDEX")
        code, unit = fields["CODE"], fields["UNIT"]
        names = {known.value: known.name for known in ErrorCode}
        stalled = code == ErrorCode.WATCHDOG
        text = ""
        if program is not None and index < program.instruction_count and not stalled:
            text = disasm.describe(program.instruction(index))
        return ErrorRecord(
            code=names.get(code, f"code {code}"),
            unit=isa.UNITS[unit] if unit < isa.SEQUENCER else "SEQUENCER",
            index=index, addr=self.read_register("ERROR_ADDR"), instruction=text,
            waits=self.waits() if stalled else ())

    def counters(self):
        """The performance counters that this device keeps, taken at once."""
        self.write_register("CONTROL", pack("CONTROL", SNAPSHOT=1))
        return {name: self.read_register(f"COUNTER_{name}") for name in self.counter_names}

    def check(self, program):
        """Refuse a program that this device cannot run.

        Raises
        ------
        ProgramError
            If it was built for another configuration or needs more memory.
        """
        found = self.read_register("CONFIG_HASH")
        if program.config.fingerprint != found:
            raise ProgramError(
                f"the program was built for configuration {program.config.name!r} "
                f"({program.config.fingerprint:08x}), this device is {self.config.name!r} "
                f"({found:08x}); compile the model for {self.config.name!r}")
        if program.memory_bytes > self.memory_bytes:
            raise ProgramError(f"the program needs {program.memory_bytes} bytes of host memory, "
                               f"this device has {self.memory_bytes}")

    def load(self, program, watchdog=_WATCHDOG):
        """Put a program's instructions and constants into memory and set the registers."""
        self.check(program)
        status = unpack("STATUS", self.read_register("STATUS"))
        if status["BUSY"] or status["ERROR"]:
            self.soft_reset()
        # a device that was reset has lost the number, and maybe its memory
        kept = self.read_register("PROGRAM_COUNT") == program.instruction_count
        if self._loaded is not program or not kept:
            self._loaded = None
            for offset, raw in ((0, program.instructions), *program.image):
                self._write(self.memory_base + offset, raw)
            self._loaded = program
        settings = {"MEM_BASE": self.memory_base, "PROGRAM_ADDR": 0,
                    "PROGRAM_COUNT": program.instruction_count, "WATCHDOG": watchdog}
        for index in range(register_map.WINDOWS):
            name = f"WINDOW{index}"
            settings.update({f"{name}_BASE": 0, f"{name}_LAST": 0, f"{name}_CTRL": 0})
            if index < len(program.windows) and program.windows[index].size:
                window = program.windows[index]
                first = self.memory_base + window.offset
                settings.update({
                    f"{name}_BASE": first, f"{name}_LAST": first + window.size - 1,
                    f"{name}_CTRL": pack(f"{name}_CTRL", READ=window.read, WRITE=window.write)})
        for name, value in settings.items():
            present = self.read_register(name)
            if name.endswith("_CTRL"):      # a window that is locked to just this is fine
                present &= ~pack(name, LOCK=1)
            if present != value:
                self.write_register(name, value)

    def run(self, program, inputs=None, *, all_tensors=False, limit=None, watchdog=_WATCHDOG):
        """Run a program to its end.

        Parameters
        ----------
        program : :class:`weft_host.program.file.Program`
            What to run.
        inputs : :class:`dict` of arrays, or a sequence in the program's order
            One array for each input.
        all_tensors : :class:`bool`
            Also read the tensors that the program left in memory.
        limit : :class:`int` or :class:`None`
            Cycles after which to give up.
        watchdog : :class:`int`
            Cycles without progress after which the device stops; 0 is never.

        Returns
        -------
        :class:`Result`

        Raises
        ------
        ProgramError, InputError
            If the program or the inputs do not fit; nothing has run then.
        DeviceError
            If the program stopped with an error.
        DeviceTimeout
            If ``limit`` was reached.
        """
        self.check(program)
        arrays = check_inputs(program, inputs)
        host_operators.run_steps(program, "before", arrays)
        self.load(program, watchdog)
        for name, array in arrays.items():
            write_tensor(self, program.tensor(name), array)
        self.write_register("CONTROL", pack("CONTROL", CLEAR_COUNTERS=1))
        self.start()
        self.wait(limit)
        record = self.error(program)
        if record:
            raise DeviceError(record)
        if not unpack("STATUS", self.read_register("STATUS"))["DONE"]:
            raise WeftError("the device is idle but reports neither DONE nor ERROR")
        counters = self.counters()
        wanted = {tensor.name for tensor in program.outputs}
        wanted |= {name for step in program.host_steps if step.when == "after"
                   for name in step.inputs}
        if all_tensors:
            wanted |= {tensor.name for tensor in program.all_tensors}
        arrays.update({tensor.name: read_tensor(self, tensor) for tensor in program.all_tensors
                       if tensor.name in wanted and tensor.offset is not None
                       and tensor.name not in arrays})
        host_operators.run_steps(program, "after", arrays)
        return Result(
            outputs={tensor.name: arrays[tensor.name] for tensor in program.outputs},
            tensors={name: array for name, array in arrays.items()} if all_tensors else {},
            cycles=counters.get("CYCLES"),
            counters=counters)
