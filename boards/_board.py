"""What is said about a board, once, for its gateware, its build, its results and its page."""

import dataclasses
import importlib

from weft.bus.joiner import Joiner
from weft.config import MIN_ADDR_WIDTH, Config
from weft.link.uart import bit_step
from weft.memory.ram import AxiRam
from weft.memory.sdram import AxiSdram
from weft.memory.sdram_chip import SdramChip
from weft.presets import preset

from ._pll import Pll
from ._top import PIN_DELAY

__all__ = ["Board", "Device"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Device:
    """An FPGA.

    Parameters
    ----------
    name : :class:`str`
        What the vendor calls it, with its speed grade.
    family : :class:`str`
        ``"ecp5"``, ``"ice40"`` or ``"gowin"``.
    block_rams, wide_rams : :class:`int`
        How many block RAMs there are, and single-port RAMs (iCE40 UltraPlus' SPRAM).
    block_ram_bytes : :class:`int`
        Bytes of one block RAM, parity left out.
    """

    name: str
    family: str
    block_rams: int
    block_ram_bytes: int
    wide_rams: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Board:
    """A board: its device and pins, and the Weft that goes on it.

    Parameters
    ----------
    name : :class:`str`
        Name of the module, and of the folder in ``build``; up to 16 characters.
    title : :class:`str`
        Name for people.
    device : :class:`Device`
    platform : :class:`str`
        ``module:class`` of the pins in amaranth-boards.
    preset : :class:`str`, ``changes`` : :class:`dict`
        The configuration: a preset and what differs from it. Addresses are as wide as
        ``memory_bytes`` needs, unless ``changes`` has ``addr_width``.
    clock_hz : :class:`int`
        Clock of everything, in Hz; the PLL makes it from the board's clock. The build fails if
        place and route does not reach it.
    memory_bytes : :class:`int`
        Host memory, from address 0 on.
    storage : :class:`str`
        What it is made of: one of :data:`weft.memory.ram.STORAGE`, or ``"sdram"``.
    sdram : :class:`weft.memory.sdram_chip.SdramChip`
        The chip, if it is an SDRAM.
    baud : :class:`int`
        Bits a second of the host link.
    flash : tuple of :class:`str`
        Command that loads the bitstream; ``{bitstream}`` stands for the file.
    cable : :class:`str`
        Where the host link comes out.
    resources : tuple
        Pins to add to the platform's.
    synth : tuple of :class:`str`
        Further options of yosys' ``synth_*``.
    fmax_trusted : :class:`bool`
        Whether nextpnr knows the timing of all of the device's cells.

    Raises
    ------
    ValueError
        If the PLL cannot make the clock, exactly and within its ranges, the clock cannot make the
        rate of the host link, or the preset rejects a change.
    """

    name: str
    title: str
    device: Device
    platform: str
    preset: str
    changes: dict
    clock_hz: int
    memory_bytes: int
    storage: str = "block"
    sdram: SdramChip | None = None
    baud: int = 1_000_000
    flash: tuple
    cable: str
    resources: tuple = ()
    synth: tuple = ()
    fmax_trusted: bool = True

    def __post_init__(self):
        if (self.storage == "sdram") != (self.sdram is not None):
            raise ValueError(f"storage {self.storage!r} and sdram {self.sdram} do not belong "
                             "together")
        if self.sdram is not None and self.memory_bytes != self.sdram.size:
            raise ValueError(f"memory_bytes must be the SDRAM's {self.sdram.size}, not "
                             f"{self.memory_bytes}")
        if len(self.name) > 16:
            raise ValueError(f"name must have at most 16 characters, not {self.name!r}")
        bit_step(self.clock_hz, self.baud)      # what cannot work is rejected here
        self.config
        self.pll

    @property
    def config(self) -> Config:
        """The configuration on the board."""
        return preset(self.preset, **self._all_changes())

    @property
    def simulation_config(self) -> Config:
        """The same, with multipliers that every simulator has."""
        return preset(self.preset, **{**self._all_changes(), "multiplier": "portable",
                                      "dsp_cells": None})

    def _all_changes(self):
        """With addresses as wide as the memory needs, unless they are said: each bit costs."""
        width = max(MIN_ADDR_WIDTH, (self.memory_bytes - 1).bit_length())
        return {**self.changes, "addr_width": self.changes.get("addr_width", width)}

    @property
    def simulation_storage(self) -> str:
        """The host memory, without primitives."""
        return {"spram": "spram_model", "sdram": "sdram_model"}.get(self.storage, self.storage)

    @property
    def bandwidth(self) -> float:
        """Beats a cycle that host memory moves at most."""
        return self.sdram.data_width / self.config.bus_width if self.sdram is not None else 1.0

    @property
    def read_latency(self) -> int:
        """Cycles from the accelerator's read address to its first data."""
        if self.sdram is not None:
            memory = AxiSdram(chip=self.sdram, clock_hz=self.clock_hz, pin_delay=PIN_DELAY,
                              addr_width=self.config.addr_width, data_width=self.config.bus_width)
            return memory.read_latency + 2 * Joiner.LATENCY
        memory = AxiRam(addr_width=self.config.addr_width, data_width=self.config.bus_width,
                        size=self.memory_bytes, storage=self.storage)
        return memory.read_latency + 2 * Joiner.LATENCY

    @property
    def pll(self) -> Pll:
        """From the board's clock to :attr:`clock_hz`."""
        return Pll(self.device.family, self.device.name, self.input_hz, self.clock_hz)

    @property
    def input_hz(self) -> int:
        """Frequency of the board's own clock in Hz."""
        platform = self.platform_class
        for resource in platform.resources:
            if (resource.name, resource.number) == (platform.default_clk, 0):
                return round(resource.clock.frequency if hasattr(resource.clock, "frequency")
                             else 1 / resource.clock.period)
        raise ValueError(f"{self.platform} has no resource {platform.default_clk!r}")

    @property
    def platform_class(self):
        """The class with the pins."""
        module, name = self.platform.split(":")
        return getattr(importlib.import_module(f"amaranth_boards.{module}"), name)

    def at(self, *, clock_hz=None, baud=None):
        """The same board at another clock, or with another rate of the host link."""
        return dataclasses.replace(self, clock_hz=self.clock_hz if clock_hz is None else clock_hz,
                                   baud=self.baud if baud is None else baud)

    @property
    def peak_macs(self) -> int:
        """Multiply-accumulates a cycle."""
        return self.config.rows * self.config.cols
