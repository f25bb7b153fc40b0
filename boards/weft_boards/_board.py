"""Description of a board, for its gateware, build, results and documentation page."""

from __future__ import annotations

import dataclasses
import functools
import gc
import importlib
import warnings
from typing import Any

from amaranth.build import Platform, Resource
from amaranth.hdl import UnusedElaboratable

from weft.bus.axi_arbiter import AxiArbiter
from weft.host_memory.ram import STORAGE, AxiRam
from weft.host_memory.sdram import AxiSdram
from weft.host_memory.sdram_chip import SdramChip
from weft.link.host_link import check_line
from weft.spec.config import MIN_ADDR_WIDTH, Config
from weft.spec.integers import check_integers
from weft.spec.presets import preset
from weft.vendor.spram import Spram

from ._devices import Device
from ._peak import peak_macs
from ._pll import Pll
from ._sdram_phase import sdram_phase

__all__ = ["Board"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Board:
    """Board with its device and its pins, and the configuration of Weft on it.

    All values are checked when the object is created, except for those that depend on the platform.
    :meth:`check_platform`, :attr:`pll` and :attr:`input_hz` check these.

    Parameters
    ----------
    name : :class:`str`
        Name of the board's module and of its folder in ``build``, up to 16 characters.
    title : :class:`str`
        Full name of the board, for readers.
    device : :class:`~weft_boards._devices.Device`
        The FPGA.
    platform : :class:`str` or class
        Platform that defines the pins: ``module:class`` in amaranth-boards, or a platform class of
        Amaranth.
    preset, changes : :class:`str`, :class:`dict`
        Configuration: a preset, and the parameters that differ from it. Unless ``changes`` contains
        ``addr_width``, addresses are as wide as ``memory_bytes`` requires.
    clock_hz : :class:`int`
        Clock frequency of the whole design in Hz. The PLL generates it from the board's clock.
        The build fails if place and route does not achieve it.
    memory_bytes : :class:`int`
        Size of the host memory, which starts at address 0: a power of two of at least 4096.
    storage : :class:`str`
        Kind of the host memory: one of :data:`weft.host_memory.ram.STORAGE`, or ``"sdram"``.
    sdram : :class:`weft.host_memory.sdram_chip.SdramChip`
        Chip that contains the host memory, for ``storage="sdram"``.
    baud : :class:`int`
        Rate of the host link in bits per second.
    flash : tuple of :class:`str`
        Words of the command that loads the bitstream; ``{bitstream}`` stands for the file.
    cable : :class:`str`
        Connector of the host link, for readers.
    resources : tuple of :class:`amaranth.build.Resource`
        Pins in addition to those of the platform.
    synth : tuple of :class:`str`
        Additional options of yosys' ``synth_*``.
    fmax_trusted : :class:`bool`
        nextpnr has timing data of all cells of the device.

    Raises
    ------
    TypeError
        If a value has a wrong type.
    ValueError
        If the clock cannot generate the rate of the host link, the preset rejects a change, or the
        device or the SDRAM cannot provide the host memory.
    """

    name: str
    title: str
    device: Device
    platform: str | type[Platform]
    preset: str
    changes: dict[str, Any]
    clock_hz: int
    memory_bytes: int
    storage: str = "block"
    sdram: SdramChip | None = None
    baud: int = 1_000_000
    flash: tuple[str, ...]
    cable: str
    resources: tuple[Resource, ...] = ()
    synth: tuple[str, ...] = ()
    fmax_trusted: bool = True

    def __post_init__(self) -> None:
        check_integers(clock_hz=self.clock_hz, memory_bytes=self.memory_bytes, baud=self.baud)
        for name, kind, text in (("name", str, "a string"), ("changes", dict, "a dictionary"),
                                 ("device", Device, "a weft_boards._devices.Device")):
            if not isinstance(getattr(self, name), kind):
                raise TypeError(f"{name} must be {text}, not {getattr(self, name)!r}")
        if not isinstance(self.flash, tuple) or not all(
                isinstance(word, str) for word in self.flash):
            raise TypeError(f"flash must be a tuple of strings, not {self.flash!r}")
        if self.storage == "sdram" and self.sdram is None:
            raise ValueError("storage 'sdram' needs a chip: set sdram")
        if self.storage != "sdram" and self.sdram is not None:
            raise ValueError(f"sdram may be set only with storage 'sdram', not with storage "
                             f"{self.storage!r}")
        if self.sdram is not None and self.memory_bytes != self.sdram.size:
            raise ValueError(f"memory_bytes must be {self.sdram.size}, the size of the SDRAM, not "
                             f"{self.memory_bytes}")
        if len(self.name) > 16:
            raise ValueError(f"name must have at most 16 characters, not {self.name!r}")
        check_line(self.clock_hz, self.baud)
        self.config                     # raises the errors of the configuration
        self._check_memory()

    def _check_memory(self) -> None:
        size, device, config = self.memory_bytes, self.device, self.config
        if self.storage not in (*STORAGE, "sdram"):
            raise ValueError(f"storage must be one of {', '.join(STORAGE)}, sdram, not "
                             f"{self.storage!r}")
        if size < 4096 or size & (size - 1):
            raise ValueError(f"memory_bytes must be a power of two of at least 4096, not {size}")
        available = {"block": device.block_rams * device.block_ram_bytes,
                     "spram": device.wide_rams * 2 * Spram.WORDS}.get(self.storage, size)
        if size > available:
            raise ValueError(f"memory_bytes of {size} exceeds the {available} bytes that "
                             f"{device.name} has for storage {self.storage!r}")
        if size > 1 << config.addr_width:
            raise ValueError(f"memory_bytes of {size} exceeds the address space of addr_width "
                             f"{config.addr_width}")
        if self.storage == "spram" and size < Spram.WORDS * config.bus_bytes:
            raise ValueError(f"memory_bytes must be at least {Spram.WORDS * config.bus_bytes} with "
                             f"SPRAM on a bus of {config.bus_width} bits, not {size}")
        if self.sdram is not None:
            self.sdram.cycles(self.clock_hz, max(1, config.bus_width // self.sdram.data_width))
            sdram_phase(self.clock_hz)
            if device.family != "ecp5":
                raise ValueError("an SDRAM needs a clock with a phase shift, which is implemented "
                                 f"only for the PLL of an ECP5, not for {device.name}")
            if config.bus_width < self.sdram.data_width:
                raise ValueError(f"bus_width of {config.bus_width} is less than the "
                                 f"{self.sdram.data_width} bits of the SDRAM")

    # -- configuration -------------------------------------------------------------------------

    @property
    def config(self) -> Config:
        """Configuration of Weft on the board."""
        return preset(self.preset, **self._all_changes())

    @property
    def simulation_config(self) -> Config:
        """Configuration for simulation, whose multipliers every simulator supports."""
        return preset(self.preset, **{**self._all_changes(), "multiplier": "portable",
                                      "dsp_cells": None})

    def _all_changes(self) -> dict[str, Any]:
        """Return ``changes`` with an ``addr_width``, by default the smallest possible one."""
        width = max(MIN_ADDR_WIDTH, (self.memory_bytes - 1).bit_length())
        return {**self.changes, "addr_width": self.changes.get("addr_width", width)}

    @property
    def simulation_storage(self) -> str:
        """Kind of the host memory in simulation, which contains no primitives of a vendor."""
        return {"spram": "spram_model", "sdram": "sdram_model"}.get(self.storage, self.storage)

    @property
    def memory_kind(self) -> str:
        """Kind of the host memory, for readers: block RAM, SPRAM or SDRAM."""
        return "block RAM" if self.storage == "block" else self.storage.upper()

    @property
    def bandwidth(self) -> float:
        """Maximum number of beats per cycle of the host memory."""
        return self.sdram.data_width / self.config.bus_width if self.sdram is not None else 1.0

    @functools.cached_property
    def read_latency(self) -> int:
        """Cycles from a read address on the accelerator's ``m_axi`` to the first data."""
        # Amaranth warns of a component that is collected without having been part of a design
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnusedElaboratable)
            latency = self._memory_read_latency()
            gc.collect()
        return latency + 2 * int(AxiArbiter.LATENCY)

    def _memory_read_latency(self) -> int:
        if self.sdram is not None:
            return int(AxiSdram(chip=self.sdram, clock_hz=self.clock_hz,
                                pin_delay=sdram_phase(self.clock_hz)[1],
                                addr_width=self.config.addr_width,
                                data_width=self.config.bus_width).read_latency)
        return int(AxiRam(addr_width=self.config.addr_width, data_width=self.config.bus_width,
                          size=self.memory_bytes, storage=self.storage).read_latency)

    @property
    def peak_macs(self) -> int:
        """Maximum number of multiply-accumulates per cycle."""
        return peak_macs(self.config)

    def at(self, *, clock_hz: int | None = None, baud: int | None = None) -> Board:
        """Return a copy of the board with another clock frequency or rate of the host link."""
        return dataclasses.replace(self, clock_hz=self.clock_hz if clock_hz is None else clock_hz,
                                   baud=self.baud if baud is None else baud)

    # -- platform ------------------------------------------------------------------------------

    @property
    def platform_class(self) -> type[Platform]:
        """Platform class that defines the pins.

        Raises
        ------
        TypeError
            If ``platform`` is not a platform class of Amaranth.
        ValueError
            If amaranth-boards has no such class, or is not installed.
        """
        found: object = self.platform
        if isinstance(found, str):
            try:
                importlib.import_module("amaranth_boards")
            except ImportError as error:
                raise ValueError(f"platform {self.platform!r} needs the package amaranth-boards, "
                                 "which is not installed: pip install amaranth-boards") from error
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

    def check_platform(self) -> None:
        """Check that the platform has the pins and the clock that the board needs.

        Raises
        ------
        TypeError
            If the platform is not a class of Amaranth.
        ValueError
            If there is no such platform, if it lacks a clock or pins, or if the PLL cannot generate
            exactly :attr:`clock_hz` within its ranges.
        """
        available = self._platform_resources()
        for name in ("uart",) if self.sdram is None else ("uart", "sdram"):
            if name not in available:
                raise ValueError(f"{self.platform_class.__name__} has no resource {name!r} with "
                                 "number 0; add it with resources=")
        self.pll                        # raises the errors of the clock
        if self.sdram is not None:
            self._check_sdram_pins(self.sdram, available["sdram"])

    def _platform_resources(self) -> dict[str, Any]:
        """Return the resources with number 0 by name."""
        platform: Any = self.platform_class
        return {resource.name: resource for resource in (*platform.resources, *self.resources)
                if resource.number == 0}

    def _check_sdram_pins(self, chip: SdramChip, resource: Any) -> None:
        pins = {pin.name: len(pin.ios[0].names) for pin in resource.ios}
        if "dqm" not in pins:
            raise ValueError(f"the SDRAM of {self.title} has no pins for byte masks; a part of a "
                             "beat could not be written")
        for name, wanted in (("a", chip.addr_width), ("ba", chip.bank_bits),
                             ("dq", chip.data_width), ("dqm", chip.data_width // 8)):
            if pins.get(name) != wanted:
                raise ValueError(f"the SDRAM of {self.title} has {pins.get(name, 0)} pins "
                                 f"{name!r}, but its chip needs {wanted}")

    @property
    def pll(self) -> Pll:
        """PLL that generates :attr:`clock_hz` from the board's clock."""
        return Pll(self.device.family, self.device.name, self.input_hz, self.clock_hz)

    @property
    def input_hz(self) -> int:
        """Frequency of the board's clock in Hz."""
        platform: Any = self.platform_class
        for resource in platform.resources:
            if (resource.name, resource.number) == (platform.default_clk, 0) and resource.clock:
                return round(resource.clock.frequency if hasattr(resource.clock, "frequency")
                             else 1 / resource.clock.period)
        raise ValueError(f"{platform.__name__} has no resource with a Clock for default_clk "
                         f"{platform.default_clk!r}")
