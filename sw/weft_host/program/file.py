"""A compiled program: instructions, constants and the tensors it reads and writes, in one file.

All offsets are bytes relative to MEM_BASE. Instructions lie at offset 0, constants behind them in
a window that is only read, inputs, outputs and intermediate tensors behind those.
"""

import dataclasses
import json
import os
import pathlib
import struct
import tempfile
import typing
import zlib

from weft.spec import isa, register_map
from weft.spec.config import Config

from ..errors import ProgramError
from .tensor import HostStep, Tensor, Window

__all__ = ["FORMAT_VERSION", "MAGIC", "Tensor", "Window", "HostStep", "Program"]

MAGIC = b"WEFTPROG"
FORMAT_VERSION = 1
_PREFIX = struct.Struct("<8sIIQ")       # magic, version, bytes of header, bytes of sections
_CRC = struct.Struct("<I")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Program:
    """Everything a device needs for a run.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        What it was built for.
    instructions : :class:`bytes`
        32 bytes each; they lie at offset 0.
    memory_bytes : :class:`int`
        Host memory it needs, from offset 0.
    image : :class:`tuple` of (:class:`int`, :class:`bytes`)
        Constants and where they lie.
    inputs, outputs : :class:`tuple` of :class:`Tensor`
        In the model's order.
    tensors : :class:`tuple` of :class:`Tensor`
        Intermediate tensors that can be read after a run, and those that only host steps see.
    windows : :class:`tuple` of :class:`Window`
        What the device may touch, at most four.
    host_steps : :class:`tuple` of :class:`HostStep`
        Operators that the host computes, in order.
    meta : :class:`dict`
        For reports only: ``source``, ``macs``, ``layers`` and the like, as JSON allows.

    Raises
    ------
    ProgramError
        If the parts contradict each other.
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
    meta: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
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
        parts = [("instructions", 0, len(self.instructions))]
        parts += [("constants", at, len(raw)) for at, raw in self.image]
        parts += [("a window", window.offset, window.size) for window in self.windows]
        parts += [(f"tensor {tensor.name!r}", tensor.offset, tensor.span)
                  for tensor in self.all_tensors if tensor.offset is not None]
        for what, offset, size in parts:
            if offset < 0 or size < 0 or offset + size > self.memory_bytes:
                raise ProgramError(f"{what} at bytes {offset} to {offset + size - 1} lies outside "
                                   f"the {self.memory_bytes} bytes of the program")
        names = [tensor.name for tensor in self.all_tensors]
        for name in names:
            if names.count(name) > 1:
                raise ProgramError(f"two tensors are called {name!r}")
        for step in self.host_steps:
            for name in step.inputs + step.outputs:
                if name not in names:
                    raise ProgramError(f"host step {step.kind} names a tensor {name!r} "
                                       "that does not exist")

    @property
    def all_tensors(self):
        """Inputs, outputs and intermediate tensors."""
        return self.inputs + self.outputs + self.tensors

    @property
    def instruction_count(self):
        """Number of instructions."""
        return len(self.instructions) // isa.INSTRUCTION_BYTES

    def instruction(self, index):
        """The 32 bytes of one instruction."""
        start = index * isa.INSTRUCTION_BYTES
        return self.instructions[start:start + isa.INSTRUCTION_BYTES]

    def tensor(self, name):
        """The tensor called ``name``."""
        for tensor in self.all_tensors:
            if tensor.name == name:
                return tensor
        raise KeyError(f"the program has no tensor {name!r}")

    def to_bytes(self):
        """The program as the content of a file."""
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
        text = json.dumps(header, separators=(",", ":")).encode()
        sections = self.instructions + b"".join(raw for _, raw in self.image)
        body = _PREFIX.pack(MAGIC, FORMAT_VERSION, len(text), len(sections)) + text + sections
        return body + _CRC.pack(zlib.crc32(body))

    @classmethod
    def from_bytes(cls, raw, source="program"):
        """The program in the content of a file; ``source`` names it in errors.

        Raises
        ------
        ProgramError
            If ``raw`` is not a whole, undamaged program of this version.
        """
        if raw[:len(MAGIC)] != MAGIC[:len(raw)] or not raw:
            raise ProgramError(f"{source} is not a Weft program: it does not start with "
                               f"{MAGIC.decode()}; make one with 'weft compile'")
        if len(raw) < _PREFIX.size:
            raise ProgramError(f"{source} is truncated: {len(raw)} bytes are fewer than the "
                               f"{_PREFIX.size} of the prefix")
        _, version, text_bytes, section_bytes = _PREFIX.unpack_from(raw)
        if version != FORMAT_VERSION:
            raise ProgramError(f"{source} has format version {version}; this release reads "
                               f"{FORMAT_VERSION}; compile the model again")
        total = _PREFIX.size + text_bytes + section_bytes + _CRC.size
        if len(raw) != total:
            what = "is truncated" if len(raw) < total else "has bytes behind its end"
            raise ProgramError(f"{source} {what}: {len(raw)} bytes instead of {total}")
        stored, = _CRC.unpack_from(raw, total - _CRC.size)
        actual = zlib.crc32(raw[:-_CRC.size])
        if stored != actual:
            raise ProgramError(f"{source} is damaged: CRC-32 {actual:08x} instead of {stored:08x}")
        try:
            header = json.loads(raw[_PREFIX.size:_PREFIX.size + text_bytes])
            return cls._from_header(header, raw[_PREFIX.size + text_bytes:-_CRC.size])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ProgramError(f"{source} has a header that does not make sense: "
                               f"{error}") from error

    @classmethod
    def _from_header(cls, header, sections):
        config = Config(**header["config"])
        if config.fingerprint != header["fingerprint"]:
            raise ValueError(f"fingerprint {header['fingerprint']:08x} does not belong to its "
                             f"configuration ({config.fingerprint:08x})")
        start = header["instructions"]
        image = []
        for at, size in header["image"]:
            image.append((at, sections[start:start + size]))
            start += size
        if start != len(sections):
            raise ValueError(f"sections of {len(sections)} bytes, of which {start} are used")
        kinds = (("inputs", Tensor), ("outputs", Tensor), ("tensors", Tensor),
                 ("windows", Window), ("host_steps", HostStep))
        parts: dict[str, typing.Any] = {
            name: tuple(kind(**item) for item in header[name]) for name, kind in kinds}
        return cls(config=config, instructions=sections[:header["instructions"]],
                   memory_bytes=header["memory_bytes"], image=tuple(image),
                   meta=header["meta"], **parts)

    def save(self, path):
        """Write the program to ``path``, wholly or not at all."""
        path = pathlib.Path(path)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self.to_bytes())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise

    @classmethod
    def load(cls, path):
        """The program in the file ``path``.

        Raises
        ------
        ProgramError
            If the file cannot be read or is not a whole, undamaged program of this version.
        """
        try:
            raw = pathlib.Path(path).read_bytes()
        except OSError as error:
            raise ProgramError(f"{path} cannot be read: {error.strerror}") from error
        return cls.from_bytes(raw, source=str(path))
