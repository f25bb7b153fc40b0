"""Descriptions of SDR SDRAM chips: geometry, and times from the datasheets."""

import dataclasses
import math

__all__ = ["SdramChip", "SdramCycles", "MT48LC16M16", "M12L64322A"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SdramCycles:
    """Times of a chip at one clock frequency, in cycles, each at least 1.

    Attributes
    ----------
    cas : :class:`int`
        CAS latency, from READ to its data.
    rcd : :class:`int`
        From ACTIVATE to READ or WRITE.
    rp : :class:`int`
        From PRECHARGE to the next command.
    ras : :class:`int`
        From ACTIVATE to PRECHARGE.
    rc : :class:`int`
        From ACTIVATE to ACTIVATE of the same bank.
    rfc : :class:`int`
        From REFRESH to the next command.
    rrd : :class:`int`
        From ACTIVATE to ACTIVATE of another bank.
    wr : :class:`int`
        From the last WRITE to PRECHARGE.
    mrd : :class:`int`
        From MODE to the next command.
    refi : :class:`int`
        Maximum average interval between two REFRESH commands.
    power_up : :class:`int`
        From power-up to the first command.
    """

    cas: int
    rcd: int
    rp: int
    ras: int
    rc: int
    rfc: int
    rrd: int
    wr: int
    mrd: int
    refi: int
    power_up: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class SdramChip:
    """SDR SDRAM chip, or several chips in parallel that share all pins except data and mask.

    Parameters
    ----------
    data_width : :class:`int`
        Width of a word in bits: 8, 16, 32 or 64.
    bank_bits, row_bits, col_bits : :class:`int`
        Number of address bits for the banks, the rows of a bank, and the words of a row.
    rcd, rp, ras, rc, rfc, rrd, wr : :class:`float`
        Times that :class:`SdramCycles` describes, in nanoseconds.
    cas : mapping of :class:`int` to :class:`float`
        Maximum clock frequency in Hz for each supported CAS latency, 2 or 3. Latency 1 is not
        supported, because a byte mask of a WRITE would also mask the READ that follows it.
    refresh : :class:`float`
        Maximum average interval between two REFRESH commands, in nanoseconds.
    power_up : :class:`float`
        Time with a stable clock before the first command, in nanoseconds.

    Raises
    ------
    ValueError
        If a parameter is out of range, or the parameters contradict each other.
    """

    data_width: int
    bank_bits: int
    row_bits: int
    col_bits: int
    rcd: float
    rp: float
    ras: float
    rc: float
    rfc: float
    rrd: float
    wr: float
    cas: dict
    refresh: float
    power_up: float = 200_000.0

    MODE_CYCLES = 2         # MODE to the next command, at any clock frequency

    def __post_init__(self):
        if self.data_width not in (8, 16, 32, 64):
            raise ValueError(f"data_width must be 8, 16, 32 or 64, not {self.data_width!r}")
        for name, most in (("bank_bits", 2), ("row_bits", 13), ("col_bits", 10)):
            value = getattr(self, name)
            if not 1 <= value <= most:
                raise ValueError(f"{name} must be 1 to {most}, not {value}")
        for name in ("rcd", "rp", "ras", "rc", "rfc", "rrd", "wr", "refresh",
                     "power_up"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be a positive time in ns, not {getattr(self, name)}")
        if not self.cas or not {2, 3}.issuperset(self.cas):
            raise ValueError("cas must map latencies of 2 or 3 cycles to their maximum clock, not "
                             f"{self.cas}")
        if self.ras + self.rp < self.rc - 1e-9:
            raise ValueError(f"rc of {self.rc:g} ns is more than ras + rp, {self.ras:g} + "
                             f"{self.rp:g} ns: increase ras to rc - rp")

    @property
    def size(self):
        """Size of the memory in bytes."""
        return (self.data_width // 8) << (self.bank_bits + self.row_bits + self.col_bits)

    @property
    def addr_width(self):
        """Number of address pins; at least 11, because bit 10 selects PRECHARGE of all banks."""
        return max(self.row_bits, 11)

    def cycles(self, clock_hz, words=1):
        """Convert the times into cycles.

        Parameters
        ----------
        clock_hz : :class:`float`
            Clock frequency in Hz.
        words : :class:`int`
            Number of words in a beat. A REFRESH waits for the end of a beat.

        Returns
        -------
        :class:`SdramCycles`

        Raises
        ------
        ValueError
            If the clock is too fast for the chip, or too slow for the refreshes.
        """
        if not clock_hz > 0:
            raise ValueError(f"the clock of the SDRAM must be positive, not {clock_hz} Hz")
        latencies = [latency for latency, most in sorted(self.cas.items()) if clock_hz <= most]
        if not latencies:
            raise ValueError(f"the maximum clock of the SDRAM is {max(self.cas.values()) / 1e6:g} "
                             f"MHz, not {clock_hz / 1e6:g} MHz")

        def at_least(time):
            return max(1, math.ceil(time * clock_hz / 1e9 - 1e-6))

        times = {name: at_least(getattr(self, name))
                 for name in ("rcd", "rp", "ras", "rc", "rfc", "rrd", "wr", "power_up")}
        cycles = SdramCycles(cas=latencies[0], mrd=self.MODE_CYCLES,
                             refi=int(self.refresh * clock_hz / 1e9), **times)
        # worst case: the current beat ends, and the rows are closed, refreshed and opened again
        least = 2 * (words + cycles.cas + 1 + cycles.ras + cycles.wr + cycles.rp + cycles.rfc
                     + cycles.rcd)
        if cycles.refi < least:
            raise ValueError(f"at {clock_hz / 1e6:g} MHz there are {cycles.refi} cycles between "
                             f"two REFRESH commands, but {least} are needed; raise the clock")
        return cycles


MT48LC16M16 = SdramChip(
    data_width=16, bank_bits=2, row_bits=13, col_bits=9,
    rcd=21, rp=21, ras=46, rc=66, rfc=66, rrd=15, wr=15, cas={2: 100e6, 3: 1e9 / 7.5},
    refresh=7812.5)
"""32 MiB, on ULX3S: the slowest times of MT48LC16M16A2-75, AS4C16M16SA-7, IS42S16160G-7."""

M12L64322A = SdramChip(
    data_width=32, bank_bits=2, row_bits=11, col_bits=8,
    rcd=21, rp=21, ras=50, rc=70, rfc=70, rrd=14, wr=14, cas={2: 100e6, 3: 143e6}, refresh=15625.0)
"""8 MiB, on newer Colorlight 5A-75B: M12L64322A-7; rcd, rp are three cycles at 143 MHz."""
