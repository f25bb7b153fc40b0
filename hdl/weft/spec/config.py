"""Configuration of one instance: array, memory and bus sizes, and the widths derived from them."""

import dataclasses
import zlib

from .config_checks import check_compact, check_fixed_point, check_tile_lines
from .integers import check_integers

__all__ = ["Config"]

UNITS = ("LOAD", "MATMUL", "VECTOR", "STORE")
MIN_ADDR_WIDTH = 16
MULTIPLIERS = ("portable", "lut", "ecp5", "ecp5_lut", "ice40")
BLOCK_RAM_BYTES = 2048
"""Size of the smallest block RAM of ECP5, Gowin and 7 series, without parity bits."""


def _is_power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


def _index_width(count: int) -> int:
    """Return the width in bits of an index from 0 to ``count - 1``."""
    return (count - 1).bit_length()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Sizes of one Weft instance.

    Every configuration that can be constructed works. An invalid combination raises an error that
    contains the conflicting numbers. All sizes are powers of two, so that an address splits into
    bit fields. Use :func:`dataclasses.replace` for variants.

    Parameters
    ----------
    name : :class:`str`
        Name of this configuration in documentation, build directories and error messages.
    rows, cols : :class:`int`
        Array size: input lanes (reduction), 4 to 64, and output lanes (output channels), 2 to 64.
    spad_bytes : :class:`int`
        Scratchpad size in bytes, up to 1 MiB.
    spad_banks : :class:`int`
        Number of equal contiguous banks of the scratchpad, 1 to 8. Ports conflict only if they
        access the same bank.
    wgt_bytes : :class:`int`
        Weight buffer size in bytes; at least two tiles of ``rows * cols``.
    tile_lines : :class:`int`
        Number of lines of a tile, 1 or 2, that enter the array per cycle. 2 halves the shortest
        pass, and requires at least 8 rows and beats of at most half a tile.
    acc_rows : :class:`int`
        Number of accumulator rows of ``cols`` int32 each. One half of them can be filled while the
        other half is drained.
    vector_lanes : :class:`int`
        Number of channels that VECTOR requantises per cycle, 1 to ``cols``.
    bus_width : :class:`int`
        Data width of ``m_axi`` in bits: 32, 64, 128 or 256.
    addr_width : :class:`int`
        Address width of ``m_axi`` in bits, 16 to 32.
    queue_depth : :class:`int`
        Depth of each unit's instruction queue, 2 to 64.
    max_burst : :class:`int`
        Longest AXI burst in beats, 1 to 256.
    outstanding : :class:`int`
        Maximum number of outstanding AXI bursts in each direction, 1 to 64.
    multiplier : :class:`str`
        Form of the array's multipliers: ``"portable"`` (an inferred product), ``"lut"`` (LUTs of
        any device), ``"ecp5"`` (``MULT18X18D``), ``"ecp5_lut"`` (LUTs and carry chains, ``CCU2C``)
        or ``"ice40"`` (``SB_MAC16``).
    dsp_cells : :class:`int` or :class:`None`
        Number of cells that use the DSP block with ``"ecp5"`` or ``"ice40"``; the others take the
        form ``"ecp5_lut"`` or ``"lut"``. ``None`` means all.
    compact : :class:`bool`
        Selects the serial engine of :mod:`weft.compact` instead of units that run concurrently. It
        has an array of 4 x 4 and transfers single beats of 32 bits.

    fixed_point : :class:`bool`
        VECTOR has the fixed-point instructions, the sequencer the step registers, and the weight
        buffer the ring, with which language models are evaluated. It requires a weight buffer of
        at least four bursts.
    weights_4bit : :class:`bool`
        LOAD expands 4-bit weights on their way into the ring. It requires ``fixed_point``, up to 32
        rows, beats of at most a line of a tile, and a weight buffer of at least 32 lines.

    Raises
    ------
    TypeError
        If a size is not an integer.
    ValueError
        If a value is out of range or a combination cannot work.
    """

    name: str = "custom"
    rows: int = 8
    cols: int = 8
    spad_bytes: int = 32768
    spad_banks: int = 2
    wgt_bytes: int = 4096
    tile_lines: int = 1
    acc_rows: int = 256
    vector_lanes: int = 4
    bus_width: int = 64
    addr_width: int = 32
    queue_depth: int = 8
    max_burst: int = 32
    outstanding: int = 8
    multiplier: str = "portable"
    dsp_cells: int | None = None
    compact: bool = False
    fixed_point: bool = False
    weights_4bit: bool = False

    def __post_init__(self) -> None:
        check_integers(**{field.name: getattr(self, field.name)
                          for field in dataclasses.fields(self) if field.type is int})
        for name, low, high in (
            ("rows", 4, 64), ("cols", 2, 64), ("spad_bytes", 256, 1 << 20), ("spad_banks", 1, 8),
            ("wgt_bytes", 16, 1 << 20), ("tile_lines", 1, 2), ("acc_rows", 8, 4096),
            ("vector_lanes", 1, 64), ("bus_width", 32, 256), ("queue_depth", 2, 64),
            ("max_burst", 1, 256), ("outstanding", 1, 64),
        ):
            value = getattr(self, name)
            if not low <= value <= high or not _is_power_of_two(value):
                raise ValueError(f"{name} must be a power of two from {low} to {high}, not {value}")
        if not MIN_ADDR_WIDTH <= self.addr_width <= 32:
            raise ValueError(f"addr_width must be from {MIN_ADDR_WIDTH} to 32, "
                             f"not {self.addr_width}")
        if self.vector_lanes > self.cols:
            raise ValueError(f"vector_lanes of {self.vector_lanes} exceeds the {self.cols} columns")
        if self.wgt_bytes < 2 * self.tile_bytes:
            raise ValueError(
                f"wgt_bytes of {self.wgt_bytes} is less than two tiles of {self.rows} x "
                f"{self.cols} = {self.tile_bytes} bytes")
        if self.tile_lines > 1:
            check_tile_lines(self)
        if self.spad_bytes < 4 * self.spad_banks * self.spad_row_bytes:
            raise ValueError(
                f"spad_bytes of {self.spad_bytes} gives each of {self.spad_banks} banks fewer than "
                f"4 rows of {self.spad_row_bytes} bytes")
        if self.max_burst * self.bus_bytes > 4096:
            raise ValueError(
                f"max_burst of {self.max_burst} beats of {self.bus_bytes} bytes exceeds the 4096 "
                f"bytes an AXI burst may span")
        if self.multiplier not in MULTIPLIERS:
            raise ValueError(
                f"multiplier must be one of {', '.join(MULTIPLIERS)}, not {self.multiplier!r}")
        if self.dsp_cells is not None:
            if not isinstance(self.dsp_cells, int) or isinstance(self.dsp_cells, bool):
                raise TypeError(f"dsp_cells must be an integer or None, not {self.dsp_cells!r}")
            if not 0 <= self.dsp_cells <= self.cells:
                raise ValueError(
                    f"dsp_cells must be from 0 to {self.cells}, not {self.dsp_cells}")
        for name in ("compact", "fixed_point", "weights_4bit"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, not {getattr(self, name)!r}")
        check_fixed_point(self)
        if self.compact:
            check_compact(self)

    # -- sizes ----------------------------------------------------------------------------------
    @property
    def cells(self) -> int:
        """Number of cells of the array: multiply-add operations per cycle."""
        return self.rows * self.cols

    @property
    def tile_bytes(self) -> int:
        """Number of bytes of one tile of weights, one per cell."""
        return self.cells

    @property
    def tile_cycles(self) -> int:
        """Number of cycles in which a tile enters the array: the shortest pass."""
        return self.rows // self.tile_lines

    @property
    def wgt_tiles(self) -> int:
        """Number of tiles that fit into the weight buffer."""
        return self.wgt_bytes // self.tile_bytes

    @property
    def param_channels(self) -> int:
        """Number of channels whose parameters fit into VECTOR's memories."""
        return max(self.cols, min(128, 16 * self.vector_lanes))

    @property
    def bus_bytes(self) -> int:
        """Number of bytes of one beat on ``m_axi``."""
        return self.bus_width // 8

    @property
    def spad_row_bytes(self) -> int:
        """Number of bytes of one row of a scratchpad bank, the width of its widest port."""
        return max(self.rows, self.bus_bytes, self.vector_lanes)

    @property
    def vector_port_bytes(self) -> int:
        """Bytes of VECTOR's scratchpad ports: one byte per lane, at least one int32."""
        return max(self.vector_lanes, 4)

    @property
    def wgt_row_bytes(self) -> int:
        """Number of bytes of one row of the weight buffer: the larger of tile line and beat."""
        return max(self.cols, self.bus_bytes)

    @property
    def wgt_group(self) -> int:
        """Number of byte lanes of the weight buffer that share one memory.

        It is 2 if two lanes fit into one block RAM, and 1 otherwise.
        """
        rows = self.wgt_bytes // self.tile_lines // self.wgt_row_bytes
        return 2 if 2 * rows <= BLOCK_RAM_BYTES else 1

    # -- widths in bits ---------------------------------------------------------------------------
    @property
    def sum_width(self) -> int:
        """Width in bits of a partial sum inside the array: ``rows`` products of 16 bits."""
        return 16 + self.row_index_width

    @property
    def spad_addr_width(self) -> int:
        """Width in bits of a byte address in the scratchpad."""
        return _index_width(self.spad_bytes)

    @property
    def wgt_addr_width(self) -> int:
        """Width in bits of a byte address in the weight buffer."""
        return _index_width(self.wgt_bytes)

    @property
    def wgt_line_addr_width(self) -> int:
        """Width in bits of the address of a read of the weight buffer.

        It is the index of a line of ``cols`` bytes or, with two lines per cycle, the index of a
        line among those of the same half of a tile.
        """
        return _index_width(self.wgt_bytes // self.cols // self.tile_lines)

    @property
    def local_addr_width(self) -> int:
        """Width in bits of a byte address in the larger of scratchpad and weight buffer."""
        return max(self.spad_addr_width, self.wgt_addr_width)

    @property
    def acc_addr_width(self) -> int:
        """Width in bits of the index of an accumulator row."""
        return _index_width(self.acc_rows)

    @property
    def row_index_width(self) -> int:
        """Width in bits of the index of an array row."""
        return _index_width(self.rows)

    @property
    def col_index_width(self) -> int:
        """Width in bits of the index of an array column."""
        return _index_width(self.cols)

    @property
    def lane_index_width(self) -> int:
        """Width in bits of the index of a VECTOR lane."""
        return _index_width(self.vector_lanes)

    @property
    def beat_offset_width(self) -> int:
        """Width in bits of the offset of a byte in a beat on ``m_axi``; also its AxSIZE."""
        return _index_width(self.bus_bytes)

    @property
    def burst_index_width(self) -> int:
        """Width in bits of the index of a beat in a burst of ``max_burst`` beats."""
        return _index_width(self.max_burst)

    # -- identity ---------------------------------------------------------------------------------
    @property
    def fingerprint(self) -> int:
        """CRC-32 of every parameter that a program depends on; register ``CONFIG_HASH``."""
        parts: tuple[int | str, ...] = (
            self.rows, self.cols, self.spad_bytes, self.spad_banks, self.wgt_bytes,
            self.acc_rows, self.vector_lanes, self.bus_width, self.queue_depth)
        if self.compact:
            parts += ("compact",)
        if self.fixed_point:
            parts += ("fixed_point",)
        if self.weights_4bit:
            parts += ("weights_4bit",)
        return zlib.crc32(repr(parts).encode())

    def as_dict(self) -> dict[str, str | int | bool | None]:
        """Return all parameters by name, in order of declaration."""
        return dataclasses.asdict(self)
