"""Everything on a board behind its clock: host link, accelerator and host memory."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from weft.bus.axi_arbiter import AxiArbiter
from weft.host_memory.ram import AxiRam
from weft.host_memory.sdram import AxiSdram
from weft.host_memory.sdram_pins import SdramPins
from weft.host_memory.sdram_simulated import SimulatedSdram
from weft.instance import make_accelerator
from weft.link.host_link import HostLink

__all__ = ["BoardTop", "sdram_phase"]

_FAST_HZ = 66_000_000
_FASTEST_HZ = 140_000_000
SIMULATED_BYTES = 1 << 18
"""Of an SDRAM in simulation."""


def sdram_phase(clock_hz):
    """When an SDRAM's clock rises, in quarters of a cycle after the controller's, and how many
    cycles a word takes through the registers in the pins, out and back.

    What is set at the beginning of a cycle has to be there 2 ns before the chip's edge and 1 ns
    after it. A word comes up to tAC, 6 ns, after such an edge, stays for tOH, 2.5 ns, after the
    next, and has 2 to 3.5 ns of pads and board on its way, both together. The register in the pin
    takes it where the controller's clock rises.

    At up to 66 MHz the chip's edge is early, and the next one of the controller takes the word;
    above, it is late, and the one after that does.

    Raises
    ------
    ValueError
        Above 140 MHz, where that one comes too soon.
    """
    if clock_hz > _FASTEST_HZ:
        raise ValueError(f"words of an SDRAM arrive too late at {clock_hz / 1e6:g} MHz; the "
                         f"fastest clock is {_FASTEST_HZ / 1e6:g} MHz")
    return (1, 1) if clock_hz <= _FAST_HZ else (3, 2)


class BoardTop(wiring.Component):
    """Accelerator, host memory and host link, in one clock domain.

    It has no pins and no PLL, so that it simulates as it is: a clock, and a serial line.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        The accelerator.
    clock_hz : :class:`int`
        Frequency of ``sync`` in Hz.
    baud : :class:`int`
        Bits a second of the host link.
    memory_bytes : :class:`int`
        Host memory from address 0 on.
    storage : :class:`str`
        What it is made of: one of :data:`weft.host_memory.ram.STORAGE`; or ``"sdram"``, or
        ``"sdram_model"``, an SDRAM that is a part of the top and simulates anywhere.
    sdram : :class:`weft.host_memory.sdram_chip.SdramChip`
        The chip, if there is one.
    name : :class:`str`
        Of the board, for the host to know.
    timeout_us : :class:`int`
        See :class:`weft.link.host_link.HostLink`.

    Members
    -------
    rx : :py:`In(1)`, ``tx`` : :py:`Out(1)`
        The host link's serial line.
    busy : :py:`Out(1)`
        A byte is on the line, or an interrupt waits: for a lamp.
    sdram : :py:`Out(SdramPins(sdram))`
        With storage ``"sdram"``: the chip, behind the registers of :func:`sdram_phase`.
    """

    def __init__(self, *, config, clock_hz, baud, memory_bytes, storage, name, sdram=None,
                 timeout_us=10_000):
        self.config = config
        self._link = HostLink(
            addr_width=config.addr_width, data_width=config.bus_width, clock_hz=clock_hz,
            baud=baud, memory_base=0, memory_bytes=memory_bytes, board=name, timeout_us=timeout_us)
        self._chip = None
        members = {"rx": In(1, init=1), "tx": Out(1, init=1), "busy": Out(1)}
        if storage in ("sdram", "sdram_model"):
            if sdram is None:
                raise ValueError(f"storage {storage!r} needs sdram, the chip")
            on_pins = storage == "sdram"
            self._memory = AxiSdram(
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
    def of(cls, board, *, simulate=False, **options):
        """The top of a board, with other ``options`` where some are named.

        With ``simulate`` it is without any vendor's primitives.
        """
        memory_bytes = board.memory_bytes
        if simulate and board.sdram is not None:
            memory_bytes = min(memory_bytes, SIMULATED_BYTES)
        options = {"clock_hz": board.clock_hz, "baud": board.baud} | options
        return cls(config=board.simulation_config if simulate else board.config,
                   storage=board.simulation_storage if simulate else board.storage,
                   memory_bytes=memory_bytes, sdram=board.sdram, name=board.name, **options)

    def elaborate(self, platform):
        m = Module()
        m.submodules.link = link = self._link
        m.submodules.accelerator = accelerator = make_accelerator(self.config)
        m.submodules.arbiter = arbiter = AxiArbiter(self.config)
        m.submodules.memory = memory = self._memory
        connect(m, link.m_axi, arbiter.link)
        connect(m, accelerator.m_axi, arbiter.accelerator)
        connect(m, arbiter.axi, memory.axi)
        connect(m, link.m_axil, accelerator.s_axil)
        if self._chip is not None:
            m.submodules.chip = chip = self._chip
            connect(m, memory.pins, chip.pins)
        elif isinstance(memory, AxiSdram):
            connect(m, memory.pins, flipped(self.sdram))
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx)]
        m.d.sync += self.busy.eq(~self.rx | ~self.tx | accelerator.irq)
        return m
