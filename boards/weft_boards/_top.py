"""Logic of a board without pins and clock: host link, accelerator and host memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from weft.bus.axi_arbiter import AxiArbiter
from weft.host_memory.ram import AxiRam
from weft.host_memory.sdram import AxiSdram
from weft.host_memory.sdram_chip import SdramChip
from weft.host_memory.sdram_pins import SdramPins
from weft.host_memory.sdram_simulated import SimulatedSdram
from weft.instance import make_accelerator
from weft.link.host_link import HostLink
from weft.spec.config import Config

from ._sdram_phase import sdram_phase

if TYPE_CHECKING:
    from ._board import Board

__all__ = ["BoardTop"]

SIMULATED_BYTES = 1 << 18
"""Maximum size of an SDRAM in simulation."""


class BoardTop(wiring.Component):
    """Accelerator, host memory and host link in one clock domain.

    It contains no pins and no PLL, so that it can be simulated with a clock and a serial line.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration of the accelerator.
    clock_hz : :class:`int`
        Clock frequency of ``sync`` in Hz.
    baud : :class:`int`
        Rate of the host link in bits per second.
    memory_bytes : :class:`int`
        Size in bytes of the host memory, which starts at address 0.
    storage : :class:`str`
        Kind of the host memory: one of :data:`weft.host_memory.ram.STORAGE`, ``"sdram"``, or
        ``"sdram_model"``, which is a model of an SDRAM for simulation.
    sdram : :class:`weft.host_memory.sdram_chip.SdramChip`
        SDRAM chip, for ``"sdram"`` and ``"sdram_model"``.
    name : :class:`str`
        Name of the board, as reported to the host.
    timeout_us : :class:`int`
        Time-out of the host link in microseconds; see :class:`weft.link.host_link.HostLink`.

    Members
    -------
    rx : :py:`In(1)`, ``tx`` : :py:`Out(1)`
        Serial line of the host link.
    busy : :py:`Out(1)`
        The serial line is active, or an interrupt is pending. The signal drives an LED.
    sdram : :py:`Out(SdramPins(sdram))`
        Pins of the chip, with storage ``"sdram"``. The registers in the pins are not part of this
        component; :func:`~weft_boards._sdram_phase.sdram_phase` defines their delay.

    Raises
    ------
    ValueError
        If the storage needs a chip, but there is none.
    """

    def __init__(self, *, config: Config, clock_hz: int, baud: int, memory_bytes: int,
                 storage: str, name: str, sdram: SdramChip | None = None,
                 timeout_us: int = 10_000) -> None:
        self.config = config
        self._link = HostLink(
            addr_width=config.addr_width, data_width=config.bus_width, clock_hz=clock_hz,
            baud=baud, memory_base=0, memory_bytes=memory_bytes, board=name, timeout_us=timeout_us)
        self._chip: SimulatedSdram | None = None
        members: dict[str, Any] = {
            # amaranth-stubs lacks the parameter init
            "rx": In(1, init=1), "tx": Out(1, init=1),      # type: ignore[call-arg]
            "busy": Out(1)}
        if storage in ("sdram", "sdram_model"):
            if sdram is None:
                raise ValueError(f"storage {storage!r} needs a chip: set sdram")
            on_pins = storage == "sdram"
            self._memory: AxiSdram | AxiRam = AxiSdram(
                chip=sdram, clock_hz=clock_hz, addr_width=config.addr_width,
                data_width=config.bus_width, pin_delay=sdram_phase(clock_hz)[1] if on_pins else 0)
            if on_pins:
                members["sdram"] = Out(SdramPins(sdram))
            else:
                self._chip = SimulatedSdram(chip=sdram, size=memory_bytes)
        else:
            self._memory = AxiRam(addr_width=config.addr_width, data_width=config.bus_width,
                                  size=memory_bytes, storage=storage)
        super().__init__(members)

    @classmethod
    def of(cls, board: Board, *, simulate: bool = False, **options: Any) -> Self:
        """Create the top of a board.

        Parameters
        ----------
        board : :class:`~weft_boards._board.Board`
            The board.
        simulate : :class:`bool`
            Use models in place of the primitives of a vendor.
        options
            Parameters of the constructor that override those of the board.
        """
        memory_bytes = board.memory_bytes
        if simulate and board.sdram is not None:
            memory_bytes = min(memory_bytes, SIMULATED_BYTES)
        options = {"clock_hz": board.clock_hz, "baud": board.baud} | options
        return cls(config=board.simulation_config if simulate else board.config,
                   storage=board.simulation_storage if simulate else board.storage,
                   memory_bytes=memory_bytes, sdram=board.sdram, name=board.name, **options)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports: Any = self               # the type checker does not know the members
        link: Any = self._link
        accelerator: Any = make_accelerator(self.config)
        arbiter: Any = AxiArbiter(self.config)
        memory: Any = self._memory
        m.submodules.link = link
        m.submodules.accelerator = accelerator
        m.submodules.arbiter = arbiter
        m.submodules.memory = memory
        connect(m, link.m_axi, arbiter.link)
        connect(m, accelerator.m_axi, arbiter.accelerator)
        connect(m, arbiter.axi, memory.axi)
        connect(m, link.m_axil, accelerator.s_axil)
        if self._chip is not None:
            chip: Any = self._chip
            m.submodules.chip = chip
            connect(m, memory.pins, chip.pins)
        elif isinstance(self._memory, AxiSdram):
            connect(m, memory.pins, flipped(ports.sdram))
        m.d.comb += [link.rx.eq(ports.rx), ports.tx.eq(link.tx)]
        m.d.sync += ports.busy.eq(~ports.rx | ~ports.tx | accelerator.irq)
        return m
