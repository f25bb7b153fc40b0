"""Execution of programs on a device."""

import dataclasses
from typing import Any

import numpy.typing as npt

from weft.spec import register_map

from .. import host_operators
from ..errors import DeviceError, ProgramError, WeftError
from ..program.file import Program
from ..register_words import pack, unpack
from .control import DeviceControl
from .tensors import Inputs, check_inputs, read_tensor, write_tensor

__all__ = ["WATCHDOG_CYCLES", "Device", "Result"]

WATCHDOG_CYCLES = 100_000
"""Cycles without progress after which a device stops a program, unless :meth:`Device.run` is given
another number."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """Result of a run.

    Attributes
    ----------
    outputs, tensors : :class:`dict` of arrays
        Arrays by name; ``tensors`` is empty unless it was requested.
    cycles : :class:`int` or :class:`None`
        Cycles of the run; ``None`` if the device has no clock. In simulation, they count from the
        write that starts the program to the interrupt. The counter ``CYCLES`` counts only while the
        device is busy, so it is lower: by 6, and by 208 on the serial engine. A board has no other
        count than that counter.
    counters : :class:`dict` of :class:`int`
        The performance counters that the device supports.
    """

    outputs: dict[str, npt.NDArray[Any]]
    tensors: dict[str, npt.NDArray[Any]]
    cycles: int | None
    counters: dict[str, int]


class Device(DeviceControl):
    """A Weft device that runs programs; see :class:`DeviceControl` for its other methods."""

    def check(self, program: Program) -> None:
        """Check that this device can run a program.

        Raises
        ------
        TypeError
            If ``program`` is not a program, but for example the name of its file.
        ProgramError
            If the program was compiled for another configuration or needs more memory.
        """
        if not isinstance(program, Program):
            raise TypeError("program must be a weft_host.Program, as weft_host.compile and "
                            f"Program.load return it, not {program!r}")
        found = self.read_register("CONFIG_HASH")
        if program.config.fingerprint != found:
            raise ProgramError(
                f"the program was compiled for configuration {program.config.name!r} "
                f"({program.config.fingerprint:08x}), but this device is {self.config.name!r} "
                f"({found:08x}); compile the model for {self.config.name!r}")
        if program.memory_bytes > self.memory_bytes:
            raise ProgramError(f"the program needs {program.memory_bytes} bytes of host memory, "
                               f"but this device has {self.memory_bytes}")

    def load(self, program: Program, watchdog: int = WATCHDOG_CYCLES) -> None:
        """Write a program's instructions and constants to memory and set the registers.

        Instructions and constants that are still in memory are not written again.

        Parameters
        ----------
        program : :class:`weft_host.program.file.Program`
        watchdog : :class:`int`
            See :meth:`run`.
        """
        self.check(program)
        status = unpack("STATUS", self.read_register("STATUS"))
        if status["BUSY"] or status["ERROR"]:
            self.soft_reset()
        # a reset of the board sets the count to 0, and may have erased the host memory
        kept = self.read_register("PROGRAM_COUNT") == program.instruction_count
        if self._loaded is not program or not kept:
            self._loaded = None
            for offset, raw in ((0, program.instructions), *program.image):
                self._write(self.memory_base + offset, raw)
            self._loaded = program
        for name, value in self._settings(program, watchdog).items():
            present = self.read_register(name)
            if name.endswith("_CTRL"):      # a window that is locked to the same value is fine
                present &= ~pack(name, LOCK=1)
            if present != value:
                self.write_register(name, value)

    def _settings(self, program: Program, watchdog: int) -> dict[str, int]:
        """Return the register words that a program needs."""
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
        return settings

    def run(self, program: Program, inputs: Inputs = None, *, all_tensors: bool = False,
            limit: int | None = None, watchdog: int = WATCHDOG_CYCLES) -> Result:
        """Run a program to its end.

        Parameters
        ----------
        program : :class:`weft_host.program.file.Program`
        inputs : :class:`dict` of arrays, or a sequence in the program's order
            One array for each input.
        all_tensors : :class:`bool`
            Also read the intermediate tensors that are in host memory.
        limit : :class:`int` or :class:`None`
            Cycles after which to give up. The emulator has no cycles and ignores it.
        watchdog : :class:`int`
            Cycles without progress after which the device stops; 0 means never.

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
        self._read_results(program, arrays, all_tensors)
        host_operators.run_steps(program, "after", arrays)
        return Result(
            outputs={tensor.name: arrays[tensor.name] for tensor in program.outputs},
            tensors=dict(arrays) if all_tensors else {},
            cycles=self._cycles(counters), counters=counters)

    def _read_results(self, program: Program, arrays: dict[str, npt.NDArray[Any]],
                      all_tensors: bool) -> None:
        """Read the outputs, and the inputs of the remaining host steps, into ``arrays``."""
        wanted = {tensor.name for tensor in program.outputs}
        wanted |= {name for step in program.host_steps if step.when == "after"
                   for name in step.inputs}
        if all_tensors:
            wanted |= {tensor.name for tensor in program.all_tensors}
        arrays.update({tensor.name: read_tensor(self, tensor) for tensor in program.all_tensors
                       if tensor.name in wanted and tensor.offset is not None
                       and tensor.name not in arrays})

    def _cycles(self, counters: dict[str, int]) -> int | None:
        """Return the cycles of the last run."""
        return counters.get("CYCLES")
