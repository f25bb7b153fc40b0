"""Common interface of all devices: host memory, registers, commands and status."""

import abc
from types import TracebackType
from typing import ClassVar, Self

from weft.spec import isa, register_map
from weft.spec.config import Config
from weft.spec.isa import ErrorCode

from ..configuration import resolve_config
from ..errors import ClosedError, DeviceTimeout, ErrorRecord
from ..program import disasm
from ..program.file import Program
from ..register_words import pack, unpack

__all__ = ["DeviceControl"]

_CLEAR_POLLS = 1 << 20
_MEMORY_BYTES = 1 << 24


class DeviceControl(abc.ABC):
    """Host memory, registers, commands and status of a Weft device.

    Addresses are byte addresses of host memory; registers are accessed by name. A device is a
    context manager: it is closed at the end of the ``with`` block.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config` or :class:`str`
        Configuration of the device, or the name of its preset or of its board.
    memory_base, memory_bytes : :class:`int`
        Address and size of the host memory that is available to programs. By default 16 MiB from
        address 0, or less if there are fewer addresses.

    Attributes
    ----------
    config : :class:`weft.spec.config.Config`
    memory_base, memory_bytes : :class:`int`
    """

    counter_names: ClassVar[tuple[str, ...]] = tuple(name for name, _ in register_map.COUNTERS)
    """Performance counters that the device supports."""

    config: Config
    memory_base: int
    memory_bytes: int
    _closed: bool = False
    _loaded: Program | None = None      # the program whose instructions are in host memory

    def __init__(self, config: Config | str, *, memory_base: int = 0,
                 memory_bytes: int | None = None) -> None:
        config = resolve_config(config)
        if memory_base % 4096:
            raise ValueError(f"memory_base must be a multiple of 4096, not {memory_base:#x}")
        if memory_bytes is None:
            memory_bytes = min(_MEMORY_BYTES, (1 << config.addr_width) - memory_base)
        if memory_bytes < 1 or memory_base + memory_bytes > 1 << config.addr_width:
            raise ValueError(
                f"{memory_bytes} bytes of memory from address {memory_base:#x} do not fit the "
                f"{config.addr_width} address bits of configuration {config.name!r}")
        self.config = config
        self.memory_base = memory_base
        self.memory_bytes = memory_bytes

    def __repr__(self) -> str:
        return (f"<{type(self).__name__}: {self._location()}configuration {self.config.name!r}, "
                f"{self.memory_bytes:,} bytes of host memory, "
                f"{'closed' if self._closed else 'open'}>")

    def _location(self) -> str:
        """Return the location of the device for :func:`repr`: empty, or ending with a comma."""
        return ""

    @property
    def closed(self) -> bool:
        """True if the device has been closed."""
        return self._closed

    def close(self) -> None:
        """Release everything that the device uses. Closing a closed device does nothing."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError(f"this {type(self).__name__} is closed; create another one")

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.close()

    @abc.abstractmethod
    def _read(self, addr: int, size: int) -> bytes:
        """Read ``size`` bytes of host memory."""

    @abc.abstractmethod
    def _write(self, addr: int, data: bytes) -> None:
        """Write bytes to host memory."""

    @abc.abstractmethod
    def read_register(self, name: str) -> int:
        """Return the word in register ``name``.

        Raises
        ------
        RegisterError
            If there is no such register, or the device rejects the read.
        """

    @abc.abstractmethod
    def write_register(self, name: str, value: int) -> None:
        """Write a word to register ``name``.

        Raises
        ------
        RegisterError
            If there is no such register, or the device rejects the write.
        ValueError
            If ``value`` is not a word of 32 bits.
        """

    @abc.abstractmethod
    def wait(self, limit: int | None = None) -> None:
        """Wait until the device is idle.

        Raises
        ------
        DeviceTimeout
            After ``limit`` cycles.
        """

    def read_memory(self, addr: int, size: int) -> bytes:
        """Read ``size`` bytes of host memory from ``addr``."""
        return self._read(addr, size)

    def write_memory(self, addr: int, data: bytes | bytearray | memoryview) -> None:
        """Write ``data`` to host memory at ``addr``."""
        self._loaded = None         # the write may have changed the loaded program
        self._write(addr, bytes(memoryview(data)))      # bytes(4) would be four zeros

    def soft_reset(self) -> None:
        """Stop the device. It keeps its registers and memories and accepts a new program.

        The memories are those that :meth:`clear` zeroes, without the ring, which becomes empty.
        """
        self.write_register("CONTROL", pack("CONTROL", SOFT_RESET=1))
        self._await_clear("RESETTING")

    def clear(self) -> None:
        """Zero everything in an idle device that a program can read.

        This includes scratchpad, weight buffer, accumulators, parameters, tables and step
        registers, but not the host memory.
        """
        self.write_register("CONTROL", pack("CONTROL", CLEAR=1))
        self._await_clear("CLEARING")

    def _await_clear(self, state: str) -> None:
        for _ in range(_CLEAR_POLLS):
            if not unpack("STATUS", self.read_register("STATUS"))[state]:
                return
        raise DeviceTimeout(f"the device does not leave the state {state}", self.waits())

    def start(self) -> None:
        """Start the program that is in memory and described by the registers."""
        self.write_register("CONTROL", pack("CONTROL", START=1))

    def waits(self) -> tuple[str, ...]:
        """Return one sentence for each unit that is waiting, with the reason."""
        fields = unpack("WAITS", self.read_register("WAITS"))
        sentences: list[str] = []
        for unit in isa.UNITS:
            lacking = disasm.units(fields[f"{unit}_TOKENS"])
            if fields[f"{unit}_QUEUED"] and lacking:
                sentences.append(f"{unit} waits for a token of {' and '.join(lacking)}")
            if fields[f"{unit}_MEMORY"]:
                sentences.append(f"{unit} waits for host memory")
        return tuple(sentences)

    def error(self, program: Program | None = None) -> ErrorRecord | None:
        """Return the error record of the device, or ``None`` if there is no error.

        Parameters
        ----------
        program : :class:`weft_host.program.file.Program`, optional
            The program that ran. Its failed instruction becomes part of the record.
        """
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

    def counters(self) -> dict[str, int]:
        """Return the supported performance counters, all of the same cycle."""
        self.write_register("CONTROL", pack("CONTROL", SNAPSHOT=1))
        return {name: self.read_register(f"COUNTER_{name}") for name in self.counter_names}
