"""What is said about a board, once, for its gateware, its build, its results and its page."""

import dataclasses
import importlib

from amaranth.build import Platform

from weft.bus.axi_arbiter import AxiArbiter
from weft.host_memory.ram import STORAGE, AxiRam
from weft.host_memory.sdram import AxiSdram
from weft.host_memory.sdram_chip import SdramChip
from weft.link.host_link import check_line
from weft.spec.config import MIN_ADDR_WIDTH, Config
from weft.spec.presets import preset
from weft.vendor.spram import Spram

from ._devices import Device
from ._pll import Pll
from ._top import sdram_phase

__all__ = ["Board"]


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
    platform : :class:`str` or class
        The pins: ``module:class`` in amaranth-boards, or a platform class of Amaranth itself.
    preset : :class:`str`, ``changes`` : :class:`dict`
        The configuration: a preset and what differs from it. Addresses are as wide as
        ``memory_bytes`` needs, unless ``changes`` has ``addr_width``.
    clock_hz : :class:`int`
        Clock of everything, in Hz; the PLL makes it from the board's clock. The build fails if
        place and route does not reach it.
    memory_bytes : :class:`int`
        Host memory, from address 0 on: a power of two of at least 4096.
    storage : :class:`str`
        What it is made of: one of :data:`weft.host_memory.ram.STORAGE`, or ``"sdram"``.
    sdram : :class:`weft.host_memory.sdram_chip.SdramChip`
        The chip, if it is an SDRAM.
    baud : :class:`int`
        Bits a second of the host link.
    flash : tuple of :class:`str`
        Command that loads the bitstream, of any program; ``{bitstream}`` stands for the file.
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
    TypeError
        If the platform is not of Amaranth, or another value is not of the kind that is said here.
    ValueError
        If there is no such platform, or it lacks a clock or pins that are needed; the PLL cannot
        make the clock, exactly and within its ranges; the clock cannot make the rate of the host
        link; the preset rejects a change; or the device or the SDRAM cannot be such a host memory.
    """

    name: str
    title: str
    device: Device
    platform: str | type
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
        for name in ("clock_hz", "memory_bytes", "baud"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name} must be an integer, not {value!r}")
        if not isinstance(self.flash, tuple) or not all(
                isinstance(word, str) for word in self.flash):
            raise TypeError(f"flash must be a tuple of words, not {self.flash!r}")
        if (self.storage == "sdram") != (self.sdram is not None):
            raise ValueError(f"storage {self.storage!r} and sdram {self.sdram} do not belong "
                             "together")
        if self.sdram is not None and self.memory_bytes != self.sdram.size:
            raise ValueError(f"memory_bytes must be the SDRAM's {self.sdram.size}, not "
                             f"{self.memory_bytes}")
        if len(self.name) > 16:
            raise ValueError(f"name must have at most 16 characters, not {self.name!r}")
        check_line(self.clock_hz, self.baud)    # what cannot work is rejected here
        self.config
        self._check_pins()
        self.pll
        self._check_memory()

    def _check_pins(self):
        there = {(resource.name, resource.number): resource
                 for resource in (*self.platform_class.resources, *self.resources)}
        for name in ("uart",) if self.sdram is None else ("uart", "sdram"):
            if (name, 0) not in there:
                raise ValueError(f"{self.platform_class.__name__} has no resource {name!r} with "
                                 "number 0; add it with resources=")

    def _check_sdram_pins(self, chip):
        resource = next(resource for resource in (*self.resources, *self.platform_class.resources)
                        if (resource.name, resource.number) == ("sdram", 0))
        there = {pin.name: len(pin.ios[0].names) for pin in resource.ios}
        if "dqm" not in there:
            raise ValueError(f"the SDRAM of {self.title} has no pins for byte masks; a part of a "
                             "beat could not be written")
        for name, wanted in (("a", chip.addr_width), ("ba", chip.bank_bits),
                             ("dq", chip.data_width), ("dqm", chip.data_width // 8)):
            if there.get(name) != wanted:
                raise ValueError(f"the SDRAM of {self.title} has {there.get(name, 0)} pins "
                                 f"{name!r}, its chip {wanted}")

    def _check_memory(self):
        size, device, config = self.memory_bytes, self.device, self.config
        if self.storage not in (*STORAGE, "sdram"):
            raise ValueError(f"storage must be one of {', '.join(STORAGE)}, sdram, not "
                             f"{self.storage!r}")
        if size < 4096 or size & (size - 1):
            raise ValueError(f"memory_bytes must be a power of two of at least 4096, not {size}")
        most = {"block": device.block_rams * device.block_ram_bytes,
                "spram": device.wide_rams * 2 * Spram.WORDS}.get(self.storage, size)
        if size > most:
            raise ValueError(f"{device.name} has {most} bytes for storage {self.storage!r}, "
                             f"memory_bytes is {size}")
        if size > 1 << config.addr_width:
            raise ValueError(f"memory_bytes of {size} need more than addr_width "
                             f"{config.addr_width}")
        if self.storage == "spram" and size < Spram.WORDS * config.bus_bytes:
            raise ValueError(f"SPRAM on a bus of {config.bus_width} bits comes in units of "
                             f"{Spram.WORDS * config.bus_bytes} bytes, memory_bytes is {size}")
        if self.sdram is not None:
            self.sdram.cycles(self.clock_hz, max(1, config.bus_width // self.sdram.data_width))
            sdram_phase(self.clock_hz)
            if device.family != "ecp5":
                raise ValueError("the clock of an SDRAM has a phase of its own, which only the PLL "
                                 f"of an ECP5 makes so far, not that of {device.name}")
            if config.bus_width < self.sdram.data_width:
                raise ValueError(f"bus_width of {config.bus_width} is less than the "
                                 f"{self.sdram.data_width} bits of the SDRAM")
            self._check_sdram_pins(self.sdram)

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
            memory = AxiSdram(chip=self.sdram, clock_hz=self.clock_hz,
                              pin_delay=sdram_phase(self.clock_hz)[1],
                              addr_width=self.config.addr_width, data_width=self.config.bus_width)
            return memory.read_latency + 2 * AxiArbiter.LATENCY
        memory = AxiRam(addr_width=self.config.addr_width, data_width=self.config.bus_width,
                        size=self.memory_bytes, storage=self.storage)
        return memory.read_latency + 2 * AxiArbiter.LATENCY

    @property
    def pll(self) -> Pll:
        """From the board's clock to :attr:`clock_hz`."""
        return Pll(self.device.family, self.device.name, self.input_hz, self.clock_hz)

    @property
    def input_hz(self) -> int:
        """Frequency of the board's own clock in Hz."""
        platform = self.platform_class
        for resource in platform.resources:
            if (resource.name, resource.number) == (platform.default_clk, 0) and resource.clock:
                return round(resource.clock.frequency if hasattr(resource.clock, "frequency")
                             else 1 / resource.clock.period)
        raise ValueError(f"{platform.__name__} has no resource that default_clk, "
                         f"{platform.default_clk!r}, names, with a Clock")

    @property
    def platform_class(self):
        """The class with the pins."""
        found = self.platform
        if isinstance(found, str):
            module, _, name = found.partition(":")
            try:
                found = getattr(importlib.import_module(f"amaranth_boards.{module}"), name)
            except (ImportError, AttributeError) as error:
                raise ValueError(f"amaranth-boards has no platform {self.platform!r}, "
                                 f"module:class: {error}") from error
        if not (isinstance(found, type) and issubclass(found, Platform)):
            raise TypeError("platform must be a platform class of Amaranth, or the name of one in "
                            f"amaranth-boards, not {self.platform!r}")
        return found

    def at(self, *, clock_hz=None, baud=None):
        """The same board at another clock, or with another rate of the host link."""
        return dataclasses.replace(self, clock_hz=self.clock_hz if clock_hz is None else clock_hz,
                                   baud=self.baud if baud is None else baud)

    @property
    def peak_macs(self) -> int:
        """Multiply-accumulates a cycle, at most."""
        config = self.config
        # the serial engine takes a vector in byte by byte: as many cycles as there are rows
        return config.cols if config.compact else config.rows * config.cols
