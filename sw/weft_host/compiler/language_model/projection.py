"""Projections: storage as tiles, and the instructions that multiply by them."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from weft.spec.config import Config
from weft.spec.fixed_point_extents import CHANNEL_BYTES
from weft.spec.fixed_point_instructions import Scale
from weft.spec.four_bit import BLOCK_WEIGHTS
from weft.spec.integers import ceil_div, round_up

from .builder import HostArea, ProgramBuilder, Scratchpad
from .packing import MOST_BLOCKS, packed_stream
from .quantize import Matrix, merged

__all__ = ["Block", "Constants", "Exponent", "Planes", "ProjectionEmitter", "StoredMatrix"]

_MOST_OUTPUTS = 512         # whose parameters are on chip at once
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
class Block:
    """Groups of ``cols`` outputs that are computed together.

    ``parameters`` and ``weights`` are host addresses.
    """

    first: int
    groups: int
    parameters: int
    weights: int


@dataclasses.dataclass(frozen=True)
class StoredMatrix:
    """Projection in host memory; ``chunks`` are the tiles of a group.

    ``packed`` weights are streams of 4-bit codes, one for each block.
    """

    outputs: int
    blocks: tuple[Block, ...]
    chunks: int
    pre_shift: int
    packed: bool


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
        self._most_groups = max(1, min(config.acc_rows // 4, _MOST_OUTPUTS // config.cols))
        size = CHANNEL_BYTES * config.cols * self._most_groups
        self._parameters = scratchpad.take(size), scratchpad.take(size)
        self._turn = 0

    def store(self, matrix: Matrix, *, last: int = 0) -> StoredMatrix:
        """Add a projection to the constants.

        Parameters
        ----------
        matrix : the projection.
        last : number of outputs of the last block, if it is to have fewer than the others.
        """
        config: Config = self.config
        outputs, inputs = matrix.weight.shape
        chunks, groups = ceil_div(inputs, config.rows), ceil_div(outputs, config.cols)
        channels = np.zeros((2, groups * config.cols), np.int64)
        channels[0, :outputs] = matrix.factors.multiplier | matrix.factors.shift << 26
        channels[1, :outputs] = matrix.bias & 0xFFFFFFFF
        # multipliers and shifts of a group, then its biases
        by_group = channels.reshape(2, groups, config.cols).transpose(1, 0, 2)
        parameters = self.constants.add(by_group.astype("<u4").tobytes())
        packed, most = matrix.expansion if config.weights_4bit else None, self._most_groups
        if packed is not None:
            most = min(most, MOST_BLOCKS // packed.codes.shape[1])
        blocks = []
        split = max(0, groups - last // config.cols)
        for start, end in ((0, split), (split, groups)):
            for first in range(start, end, most):
                count = min(most, end - first)
                part = slice(first * config.cols, (first + count) * config.cols)
                weights = self._tiles(matrix.weight[part]) if packed is None else packed_stream(
                    config, packed.outputs(part))
                blocks.append(Block(first, count, parameters + CHANNEL_BYTES * config.cols * first,
                                    self.constants.add(weights)))
        return StoredMatrix(outputs, tuple(blocks), chunks, matrix.pre_shift, packed is not None)

    def _tiles(self, weight: npt.NDArray[np.int8]) -> bytes:
        """Return the tiles of some outputs."""
        config, (outputs, inputs) = self.config, weight.shape
        chunks, groups = ceil_div(inputs, config.rows), ceil_div(outputs, config.cols)
        padded = np.zeros((groups * config.cols, chunks * config.rows), np.int8)
        padded[:outputs, :inputs] = weight
        # (group, chunk, line, column); memory holds the last array row of a tile first
        tiles = padded.reshape(groups, config.cols, chunks, config.rows).transpose(0, 2, 3, 1)
        return tiles[:, :, ::-1].tobytes()

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
             exponent: Exponent | None = None,
             complete: Callable[[int], None] | None = None) -> None:
        """Append the instructions of a projection.

        Parameters
        ----------
        stored : the projection.
        x : activations.
        out : address of the int32 outputs.
        add : add to the numbers there.
        exponent : exponent of the activations.
        complete : called after each block with the number of outputs so far; it appends what these
            outputs allow.
        """
        for block in stored.blocks:
            self.emit_block(stored, block, x, out + 4 * self.config.cols * block.first, add=add,
                            exponent=exponent)
            if complete:
                complete(min(self.config.cols * (block.first + block.groups), stored.outputs))

    def emit_merged(self, matrices: Sequence[Matrix], x: Planes, out: int, *, last: int = 0,
                    complete: Callable[[int], None]) -> None:
        """Append projections of the same activations, whose outputs follow each other.

        Parameters
        ----------
        matrices : the projections.
        x, out, complete : see :meth:`emit`.
        last : see :meth:`store`.
        """
        first = 0
        for matrix in merged(*matrices):
            stored = self.store(matrix, last=last)

            def outputs(count: int, first: int = first) -> None:
                complete(first + count)

            self.emit(stored, x, out + 4 * first, complete=outputs)
            first += stored.outputs

    def emit_block(self, stored: StoredMatrix, block: Block, x: Planes, out: int, *,
                   add: bool = False, exponent: Exponent | None = None) -> None:
        """Append the instructions of one block, whose outputs begin at ``out``."""
        config, builder = self.config, self.builder
        acc = builder.accumulators(2 * block.groups)
        self._turn ^= 1
        parameters = self._parameters[self._turn]
        channels = block.groups * config.cols
        builder.copy("LOAD", HostArea.CONSTANTS, None, count=1, host_addr=block.parameters,
                     local_addr=parameters, bytes=CHANNEL_BYTES * channels)
        self._load_tiles(stored, block)
        builder.add("MATMUL_RING", act_addr=x.addr, acc_addr=acc, acc_pitch=2,
                    row_count=block.groups, chunk_count=stored.chunks, chunk_pitch=config.rows,
                    x_count=2, x_pitch=x.pitch)
        builder.add("DRAIN_PLANES", scale=Scale.CHANNELS, add=int(add),
                    pre_shift=stored.pre_shift, out_addr=out, acc_addr=acc, acc_pitch=2,
                    y_count=block.groups, y_pitch=4 * config.cols, x_count=1,
                    channels=config.cols, b_addr=parameters,
                    b_pitch=CHANNEL_BYTES * config.cols, exponent=int(exponent is not None),
                    row_addr=exponent.addr if exponent else 0,
                    shift=(exponent.added if exponent else 0) - stored.pre_shift)

    def _load_tiles(self, stored: StoredMatrix, block: Block) -> None:
        """Append the instruction that loads the tiles of a block into the ring."""
        config, builder, chunks = self.config, self.builder, stored.chunks
        if stored.packed:
            builder.copy("LOAD_RING_4BIT", HostArea.CONSTANTS, None, host_addr=block.weights,
                         count=block.groups * chunks * config.rows // BLOCK_WEIGHTS + 1)
            return
        # a row is at most as large as the ring
        parts = next(count for count in range(1, chunks + 1) if not chunks % count
                     and chunks // count <= config.wgt_tiles)
        size = chunks // parts * config.tile_bytes
        builder.copy("LOAD_RING", HostArea.CONSTANTS, None, count=block.groups * parts,
                     host_addr=block.weights, host_pitch=size, bytes=size)
