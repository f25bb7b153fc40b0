"""The compiled program and its file format.

A program consists of instructions, constants and descriptions of the tensors that it reads and
writes. All offsets are bytes relative to MEM_BASE. The instructions are at offset 0, followed by
the constants in a read-only window, then by inputs, outputs and intermediate tensors.
"""

import dataclasses
import json
import os
import pathlib
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Self

from weft.spec import isa, register_map
from weft.spec.config import Config

from ..atomic_file import write_atomically
from ..configuration import resolve_config
from ..errors import ProgramError
from .file_parts import parts_of_file
from .tensor import HostStep, Tensor, Window

__all__ = ["FORMAT_VERSION", "LANGUAGE_MODEL", "MAGIC", "Tensor", "Window", "HostStep", "Program",
           "is_program"]

MAGIC = b"WEFTPROG"
FORMAT_VERSION = 2
"""Newest version of the format. A program without attachments is written as version 1."""
LANGUAGE_MODEL = "language_model"
"""Name of the attachment with the data of a language model."""

_PREFIX = struct.Struct("<8sIIQ")       # magic, version, bytes of header, bytes of sections
_CRC = struct.Struct("<I")


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Program:
    """A compiled program: everything that a device needs for a run.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration that the program was compiled for. The name of its preset or of its board is
        accepted and replaced by the configuration.
    instructions : :class:`bytes`
        Instructions of 32 bytes each, at offset 0.
    memory_bytes : :class:`int`
        Size of the host memory that the program needs, from offset 0.
    image : :class:`tuple` of (:class:`int`, :class:`bytes`)
        Constants, each with its offset.
    inputs, outputs : :class:`tuple` of :class:`Tensor`
        Inputs and outputs in the order of the model.
    tensors : :class:`tuple` of :class:`Tensor`
        Intermediate tensors that can be read after a run, and tensors of host operators.
    windows : :class:`tuple` of :class:`Window`
        Ranges that the device may access, at most four.
    host_steps : :class:`tuple` of :class:`HostStep`
        Operators that the host computes, in order.
    meta : :class:`dict`
        Data for reports only, such as ``source``, ``macs`` and ``layers``; must be valid JSON.
        ``all_tensors`` is false if some intermediate tensors stay on chip.
    attachments : :class:`dict` of :class:`bytes`
        Data for the host beside the program, by name, which no device uses. :data:`LANGUAGE_MODEL`
        is that of :class:`weft_host.compiler.language_model.step_data.StepData`.

    Raises
    ------
    ProgramError
        If the parts contradict each other.
    ConfigurationError, TypeError
        See :func:`weft_host.configuration.resolve_config`.
    """

    config: Config
    instructions: bytes
    memory_bytes: int
    image: tuple[tuple[int, bytes], ...] = ()
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    tensors: tuple[Tensor, ...] = ()
    windows: tuple[Window, ...] = ()
    host_steps: tuple[HostStep, ...] = ()
    meta: dict[str, Any] = dataclasses.field(default_factory=dict)
    attachments: dict[str, bytes] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "config", resolve_config(self.config))
        for name in ("inputs", "outputs", "tensors", "windows", "host_steps"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "instructions", bytes(self.instructions))
        object.__setattr__(self, "image", tuple((int(at), bytes(raw)) for at, raw in self.image))
        if len(self.instructions) % isa.INSTRUCTION_BYTES:
            raise ProgramError(f"{len(self.instructions)} bytes of instructions are not a multiple "
                               f"of {isa.INSTRUCTION_BYTES}")
        if len(self.windows) > register_map.WINDOWS:
            raise ProgramError(f"{len(self.windows)} windows are more than the "
                               f"{register_map.WINDOWS} of the hardware")
        for what, offset, size in self._ranges():
            if offset < 0 or size < 0 or offset + size > self.memory_bytes:
                raise ProgramError(f"{what} at bytes {offset} to {offset + size - 1} is outside "
                                   f"the {self.memory_bytes} bytes of the program")
        self._check_names()

    def _ranges(self) -> Iterator[tuple[str, int, int]]:
        """Yield description, offset and size of everything in host memory."""
        yield "instructions", 0, len(self.instructions)
        for at, raw in self.image:
            yield "constants", at, len(raw)
        for window in self.windows:
            yield "a window", window.offset, window.size
        for tensor in self.all_tensors:
            if tensor.offset is not None:
                yield f"tensor {tensor.name!r}", tensor.offset, tensor.span

    def _check_names(self) -> None:
        names: set[str] = set()
        for tensor in self.all_tensors:
            if tensor.name in names:
                raise ProgramError(f"two tensors are named {tensor.name!r}")
            names.add(tensor.name)
        for step in self.host_steps:
            for name in step.inputs + step.outputs:
                if name not in names:
                    raise ProgramError(f"host step {step.kind} uses tensor {name!r}, "
                                       "which does not exist")

    def __repr__(self) -> str:
        def listed(tensors: tuple[Tensor, ...]) -> str:
            return ", ".join(f"{tensor.name} {tensor.dtype}{list(tensor.shape)}"
                             for tensor in tensors) or "none"

        return (f"<Program for {self.config.name}: {self.instruction_count:,} instructions, "
                f"{self.memory_bytes:,} bytes of host memory; inputs: {listed(self.inputs)}; "
                f"outputs: {listed(self.outputs)}>")

    @property
    def all_tensors(self) -> tuple[Tensor, ...]:
        """Inputs, outputs and intermediate tensors."""
        return self.inputs + self.outputs + self.tensors

    @property
    def instruction_count(self) -> int:
        """Number of instructions."""
        return len(self.instructions) // isa.INSTRUCTION_BYTES

    @property
    def is_language_model(self) -> bool:
        """True if the program evaluates a step of a language model."""
        return LANGUAGE_MODEL in self.attachments

    def instruction(self, index: int) -> bytes:
        """Return the 32 bytes of one instruction."""
        start = index * isa.INSTRUCTION_BYTES
        return self.instructions[start:start + isa.INSTRUCTION_BYTES]

    def tensor(self, name: str) -> Tensor:
        """Return the tensor named ``name``.

        Raises
        ------
        KeyError
            If there is none.
        """
        for tensor in self.all_tensors:
            if tensor.name == name:
                return tensor
        raise KeyError(f"the program has no tensor {name!r}")

    def to_bytes(self) -> bytes:
        """Return the content of the program's file."""
        header = {
            "config": self.config.as_dict(),
            "fingerprint": self.config.fingerprint,
            "memory_bytes": self.memory_bytes,
            "instructions": len(self.instructions),
            "image": [[at, len(raw)] for at, raw in self.image],
            **{name: [dataclasses.asdict(item) for item in getattr(self, name)]
               for name in ("inputs", "outputs", "tensors", "windows", "host_steps")},
            "meta": self.meta,
        }
        if self.attachments:
            header["isa_version"] = isa.ISA_VERSION
            header["attachments"] = [[name, len(raw)] for name, raw in self.attachments.items()]
        text = json.dumps(header, separators=(",", ":")).encode()
        sections = [self.instructions, *(raw for _, raw in self.image), *self.attachments.values()]
        prefix = _PREFIX.pack(MAGIC, FORMAT_VERSION if self.attachments else 1, len(text),
                              sum(map(len, sections)))
        body = b"".join([prefix, text, *sections])
        return body + _CRC.pack(zlib.crc32(body))

    @classmethod
    def from_bytes(cls, raw: bytes, source: str = "program") -> Self:
        """Return the program in the content of a file; error messages name it ``source``.

        Raises
        ------
        ProgramError
            If ``raw`` is not a complete, undamaged program of this version.
        """
        if raw[:len(MAGIC)] != MAGIC[:len(raw)] or not raw:
            raise ProgramError(f"{source} is not a Weft program: it does not start with "
                               f"{MAGIC.decode()}; make one with 'weft compile'")
        if len(raw) < _PREFIX.size:
            raise ProgramError(f"{source} is truncated: it has {len(raw)} bytes, fewer "
                               f"than the {_PREFIX.size} of the prefix")
        _, version, text_bytes, section_bytes = _PREFIX.unpack_from(raw)
        if not 1 <= version <= FORMAT_VERSION:
            raise ProgramError(f"{source} has format version {version}; this release reads "
                               f"1 to {FORMAT_VERSION}; compile the model again")
        total = _PREFIX.size + text_bytes + section_bytes + _CRC.size
        if len(raw) != total:
            what = "is truncated" if len(raw) < total else "has bytes after its end"
            raise ProgramError(f"{source} {what}: {len(raw)} bytes instead of {total}")
        stored, = _CRC.unpack_from(raw, total - _CRC.size)
        body = memoryview(raw)[:-_CRC.size]         # without a copy of the constants
        actual = zlib.crc32(body)
        if stored != actual:
            raise ProgramError(f"{source} is damaged: CRC-32 {actual:08x} instead of {stored:08x}")
        try:
            header = json.loads(bytes(body[_PREFIX.size:_PREFIX.size + text_bytes]))
            instructions = header.get("isa_version", isa.ISA_VERSION)   # version 1 has none
            if instructions != isa.ISA_VERSION:
                raise ProgramError(
                    f"{source} has instructions of version {str(instructions)[:40]}; this release "
                    f"executes version {isa.ISA_VERSION}; compile the model again")
            return cls(**parts_of_file(header, body[_PREFIX.size + text_bytes:]))
        except RecursionError:
            raise ProgramError(f"{source} has an invalid header: it is nested too deep") from None
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise ProgramError(f"{source} has an invalid header: "
                               f"{error}") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the program to ``path``, completely or not at all.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        write_atomically(path, self.to_bytes())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the program in the file ``path``.

        Raises
        ------
        ProgramError
            If the file cannot be read or is not a complete, undamaged program of this version.
        """
        try:
            raw = pathlib.Path(path).read_bytes()
        except OSError as error:
            raise ProgramError(f"{path} cannot be read: {error.strerror}") from error
        return cls.from_bytes(raw, source=str(path))


def is_program(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is that of a program file; ``False`` for a folder.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    if os.path.isdir(path):
        return False
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC
