"""Projections: storage as tiles, and the instructions that multiply by them."""

import dataclasses

import numpy as np

from weft.spec.config import Config
from weft.spec.fixed_point_instructions import Scale
from weft.spec.integers import ceil_div, round_up

from .builder import HostArea, ProgramBuilder, Scratchpad
from .quantize import Matrix

__all__ = ["Constants", "Exponent", "Planes", "ProjectionEmitter", "StoredMatrix"]

_PARAMETER_BYTES = 12       # bias, multiplier and shift of a channel
_ALIGN = 64


@dataclasses.dataclass(frozen=True)
class Planes:
    """16-bit activations of one position: two planes of int8, ``pitch`` bytes apart."""

    addr: int
    pitch: int


@dataclasses.dataclass(frozen=True)
class Exponent:
    """Address of an int32 that is subtracted from the shifts, and what is added to them."""

    addr: int
    added: int


@dataclasses.dataclass(frozen=True)
class _Block:
    """Groups of ``cols`` outputs that are computed together.

    ``parts`` are the number of chunks and the host address of the tiles of each pass over the
    inputs.
    """

    first: int
    groups: int
    parameters: int
    parts: tuple[tuple[int, int], ...]


@dataclasses.dataclass(frozen=True)
class StoredMatrix:
    """Projection in host memory."""

    blocks: tuple[_Block, ...]
    pre_shift: int


class Constants:
    """Section of constants in host memory."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def add(self, raw: bytes) -> int:
        """Append bytes at an aligned address, and return the address."""
        padding = -self.size % _ALIGN
        address = self.size + padding
        self._parts += [bytes(padding), raw]
        self.size = address + len(raw)
        return address

    def joined(self) -> bytes:
        """Return all bytes."""
        return b"".join(self._parts)


class ProjectionEmitter:
    """Storage and instructions of projections.

    Parameters
    ----------
    builder : :class:`ProgramBuilder`
    constants : :class:`Constants`
    scratchpad : :class:`Scratchpad`
    """

    def __init__(self, builder: ProgramBuilder, constants: Constants,
                 scratchpad: Scratchpad) -> None:
        self.builder, self.constants, self.config = builder, constants, builder.config
        config = self.config
        half = config.wgt_tiles // 2
        self._tiles = half
        self._most_groups = min(config.param_channels // config.cols, config.acc_rows // 4, half)
        size = _PARAMETER_BYTES * config.cols * self._most_groups
        self._parameters = scratchpad.take(size), scratchpad.take(size)
        self._turn = 0

    def store(self, matrix: Matrix) -> StoredMatrix:
        """Add a projection to the constants."""
        config: Config = self.config
        outputs, inputs = matrix.weight.shape
        chunks, groups = ceil_div(inputs, config.rows), ceil_div(outputs, config.cols)
        padded = np.zeros((groups * config.cols, chunks * config.rows), np.int8)
        padded[:outputs, :inputs] = matrix.weight
        # (group, chunk, line, column); memory holds the last array row of a tile first
        tiles = padded.reshape(groups, config.cols, chunks, config.rows).transpose(0, 2, 3, 1)
        tiles = tiles[:, :, ::-1]
        channels = np.zeros((3, groups * config.cols), np.int64)
        channels[:, :outputs] = matrix.bias, matrix.factors.multiplier, matrix.factors.shift
        at_once = max(1, min(self._most_groups, self._tiles // chunks))
        most_chunks = min(chunks, self._tiles)
        blocks = []
        for first in range(0, groups, at_once):
            count = min(at_once, groups - first)
            span = slice(first * config.cols, (first + count) * config.cols)
            bias, multiplier, shift = (part[span].astype("<i4") for part in channels)
            factors = np.stack([multiplier, shift], axis=1)
            address = self.constants.add(bias.tobytes() + factors.tobytes())
            parts = []
            for chunk in range(0, chunks, most_chunks):
                part = tiles[first:first + count, chunk:chunk + most_chunks]
                parts.append((part.shape[1], self.constants.add(part.tobytes())))
            blocks.append(_Block(first, count, address, tuple(parts)))
        return StoredMatrix(tuple(blocks), matrix.pre_shift)

    def block_bytes(self) -> int:
        """Return the bytes of the outputs of the largest block."""
        return 4 * self.config.cols * self._most_groups

    def output_bytes(self, outputs: int) -> int:
        """Return the bytes of a buffer for the outputs of a projection."""
        return 4 * round_up(outputs, self.config.cols)

    def input_pitch(self, inputs: int) -> int:
        """Return the bytes of a plane of activations."""
        return round_up(inputs, self.config.rows)

    def emit(self, stored: StoredMatrix, x: Planes, out: int, *, add: bool = False,
             exponent: Exponent | None = None) -> None:
        """Append the instructions of a projection.

        Parameters
        ----------
        stored : the projection.
        x : activations.
        out : address of the int32 outputs.
        add : add to the numbers there.
        exponent : exponent of the activations.
        """
        for block in stored.blocks:
            self.emit_block(stored, block, x, out + 4 * self.config.cols * block.first, add=add,
                            exponent=exponent)

    def emit_block(self, stored: StoredMatrix, block: _Block, x: Planes, out: int, *,
                   add: bool = False, exponent: Exponent | None = None) -> None:
        """Append the instructions of one block, whose outputs begin at ``out``."""
        config, builder = self.config, self.builder
        acc = builder.half("acc") * (config.acc_rows // 2)
        chunk = 0
        for number, (chunks, address) in enumerate(block.parts):
            tile = builder.half("wgt") * self._tiles
            builder.copy("LOAD_WGT", HostArea.CONSTANTS, None, count=1, host_addr=address,
                        local_addr=tile * config.tile_bytes,
                        bytes=block.groups * chunks * config.tile_bytes)
            builder.add("MATMUL", accumulate=int(number > 0), apart=1,
                        act_addr=x.addr + chunk * config.rows, acc_addr=acc, wgt_addr=tile,
                        row_count=block.groups, chunk_count=chunks, chunk_pitch=config.rows,
                        y_count=1, x_count=2, x_pitch=x.pitch)
            chunk += chunks
        channels = block.groups * config.cols
        self._turn ^= 1
        parameters = self._parameters[self._turn]
        builder.copy("LOAD", HostArea.CONSTANTS, None, count=1, host_addr=block.parameters,
                    local_addr=parameters, bytes=_PARAMETER_BYTES * channels)
        builder.add("PARAMS", per_channel=1, bias_addr=parameters,
                    scale_addr=parameters + 4 * channels, channels=channels)
        builder.add("DRAIN_PLANES", scale=Scale.SLOTS, apart=1, add=int(add),
                    pre_shift=stored.pre_shift, out_addr=out, acc_addr=acc, acc_pitch=2,
                    y_count=block.groups, y_pitch=4 * config.cols, x_count=1,
                    channels=config.cols, exponent=int(exponent is not None),
                    b_addr=exponent.addr if exponent else 0,
                    shift=exponent.added if exponent else 0)
