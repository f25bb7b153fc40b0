"""Work of the instructions of a step of a language model, from the program alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from weft.spec import isa
from weft.spec.config import Config
from weft.spec.four_bit import PACKET_BEATS
from weft.spec.step_instructions import count_of, resolve

from ..program.file import Program

__all__ = ["Work", "resolved_step", "step_work"]

@dataclasses.dataclass(frozen=True, kw_only=True)
class Work:
    """Work of one instruction, or of several. Bytes that are read are those of whole beats.

    Attributes
    ----------
    instructions, skipped : :class:`int`
        Instructions, and those of them whose count is 0, which only pass tokens.
    weight_bytes : :class:`int`
        Bytes of weights that are read, with the padding of tiles.
    cache_bytes : :class:`int`
        Bytes of keys, values and their scales that are read, with the padding of tiles.
    other_bytes : :class:`int`
        Other bytes that are read: parameters, tables, and 32 bytes for each instruction.
    written_bytes : :class:`int`
        Bytes that are written to host memory.
    array_cycles : :class:`int`
        Cycles of the array: a pass takes a cycle for each vector, and at least those in which a
        tile enters.
    elements : :class:`int`
        Results of vector instructions.
    """

    instructions: int = 0
    skipped: int = 0
    weight_bytes: int = 0
    cache_bytes: int = 0
    other_bytes: int = 0
    written_bytes: int = 0
    array_cycles: int = 0
    elements: int = 0

    @property
    def read_bytes(self) -> int:
        """Bytes that are read from host memory."""
        return self.weight_bytes + self.cache_bytes + self.other_bytes

    @classmethod
    def total(cls, parts: Iterable[Work]) -> Work:
        """Return the sum."""
        columns = zip(*map(dataclasses.astuple, parts))
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(**{name: sum(column) for name, column in zip(names, columns)})


def resolved_step(program: Program, values: Sequence[int]
                  ) -> list[tuple[isa.Instruction, dict[str, int]]]:
    """Return the instructions of a program with the counts and addresses of a step.

    Parameters
    ----------
    program : :class:`weft_host.Program`
    values : sequence of :class:`int`
        Contents of the step registers.

    Raises
    ------
    ValueError
        If an opcode is unknown, or a step register does not exist.
    """
    found = []
    for index in range(program.instruction_count):
        instruction, fields = isa.decode(program.instruction(index))
        if instruction is None:
            raise ValueError(f"instruction {index} has an unknown opcode")
        try:
            found.append(resolve(instruction, fields, values))
        except IndexError:
            raise ValueError(f"instruction {index} uses a step register that does not "
                             "exist") from None
    return found


def step_work(program: Program, values: Sequence[int]) -> list[Work]:
    """Return the work of each instruction of a step.

    Parameters
    ----------
    program : :class:`weft_host.Program`
        Program of a language model: its first window has the constants, the second one the cache.
    values : sequence of :class:`int`
        Contents of the step registers.
    """
    config, cache = program.config, program.windows[1].offset
    return [_work(config, instruction.name, fields, cache) if count_of(instruction, fields) else
            Work(instructions=1, skipped=1, other_bytes=isa.INSTRUCTION_BYTES)
            for instruction, fields in resolved_step(program, values)]


def _work(config: Config, name: str, v: Mapping[str, int], cache: int) -> Work:
    found: dict[str, int] = {"instructions": 1, "other_bytes": isa.INSTRUCTION_BYTES}
    if name == "LOAD_RING_4BIT":
        found["weight_bytes"] = v["count"] * PACKET_BEATS * config.cols
    elif "host_addr" in v:
        kind = "written_bytes" if name.startswith("STORE") else \
            "cache_bytes" if v["host_addr"] >= cache else \
            "weight_bytes" if name.startswith("LOAD_RING") else "other_bytes"
        moved = v["count"] * v["bytes"] if kind == "written_bytes" else _read_bytes(config, v)
        found[kind] = found.get(kind, 0) + moved
    elif name == "MATMUL_RING":
        found["array_cycles"] = v["row_count"] * v["chunk_count"] * max(
            v["x_count"], config.tile_cycles)
    elif name == "COMPUTE":
        found["elements"] = v["count"] * v["elements_count"]
    elif name == "DRAIN_PLANES":
        found["elements"] = v["y_count"] * v["x_count"] * v["channels"]
    elif name == "SOLVE":
        found["elements"] = v["count"]
    return Work(**found)


def _read_bytes(config: Config, v: Mapping[str, int]) -> int:
    """Return the bytes of a copy in whole beats."""
    beat = config.bus_bytes
    starts = v["host_addr"] + v["host_pitch"] * np.arange(v["count"], dtype=np.int64)
    return int((((starts + v["bytes"] - 1) // beat - starts // beat + 1) * beat).sum())

