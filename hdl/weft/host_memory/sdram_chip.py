"""What an SDR SDRAM is like: its geometry, and the times that its datasheet asks for."""

import dataclasses
import math

__all__ = ["SdramChip", "SdramCycles", "MT48LC16M16", "M12L64322A"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SdramCycles:
    """The times of a chip at one clock, in cycles, each at least 1.

    Attributes
    ----------
    cas : :class:`int`
        From READ to its data.
    rcd, rp, ras, rc, rfc, rrd, wr, mrd : :class:`int`
        ACTIVATE to READ or WRITE; PRECHARGE to what comes next; ACTIVATE to PRECHARGE; ACTIVATE
        to ACTIVATE of a bank; REFRESH to what comes next; ACTIVATE to that of another bank; last
        WRITE to PRECHARGE; MODE to what comes next.
    refi : :class:`int`
        Between two REFRESH, on average, at most.
    start : :class:`int`
        Before the first command.
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
    start: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class SdramChip:
    """A chip, or several side by side that share all but their data.

    Parameters
    ----------
    data_width : :class:`int`
        Bits of a word, a multiple of 8.
    bank_bits, row_bits, col_bits : :class:`int`
        Bits of an address: banks, rows of one, words of a row.
    rcd, rp, ras, rc, rfc, rrd, wr : :class:`float`
        See :class:`SdramCycles`; in nanoseconds.
    cas : mapping of :class:`int` to :class:`float`
        For each latency that the chip has, 2 or 3, the highest clock for it, in Hz. With 1 a byte
        mask would still hide words of the READ behind it.
    refresh : :class:`float`
        Nanoseconds between two REFRESH, on average, at most.
    start : :class:`float`
        Nanoseconds of a stable clock before the first command.

    Raises
    ------
    ValueError
        If a number cannot be one of such a chip.
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
    start: float = 200_000.0

    MODE_CYCLES = 2         # MODE to what comes next, at any clock

    def __post_init__(self):
        if self.data_width not in (8, 16, 32, 64):
            raise ValueError(f"data_width must be 8, 16, 32 or 64, not {self.data_width!r}")
        for name, most in (("bank_bits", 2), ("row_bits", 13), ("col_bits", 10)):
            value = getattr(self, name)
            if not 1 <= value <= most:
                raise ValueError(f"{name} must be 1 to {most}, not {value}")
        for name in ("rcd", "rp", "ras", "rc", "rfc", "rrd", "wr", "refresh", "start"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be a positive time in ns, not {getattr(self, name)}")
        if not self.cas or not {2, 3}.issuperset(self.cas):
            raise ValueError("cas must have the highest clock of latencies of 2 or 3 cycles, not "
                             f"{self.cas}")
        if self.ras + self.rp < self.rc - 1e-9:
            raise ValueError(f"rc of {self.rc:g} ns is more than ras and rp, {self.ras:g} and "
                             f"{self.rp:g} ns: give ras as what is left of rc")

    @property
    def size(self):
        """Bytes."""
        return (self.data_width // 8) << (self.bank_bits + self.row_bits + self.col_bits)

    @property
    def addr_width(self):
        """Address pins: rows, and bit 10 of the columns, which says PRECHARGE of all banks."""
        return max(self.row_bits, 11)

    def cycles(self, clock_hz, words=1):
        """The :class:`SdramCycles` at a clock, for beats of so many words.

        Raises
        ------
        ValueError
            If the clock is faster than the chip, or so slow that REFRESH would take all the time.
        """
        if not clock_hz > 0:
            raise ValueError(f"the clock of the SDRAM must be positive, not {clock_hz} Hz")
        latencies = [latency for latency, most in sorted(self.cas.items()) if clock_hz <= most]
        if not latencies:
            raise ValueError(f"the SDRAM runs at {max(self.cas.values()) / 1e6:g} MHz at most, not "
                             f"at {clock_hz / 1e6:g} MHz")

        def at_least(time):
            return max(1, math.ceil(time * clock_hz / 1e9 - 1e-6))

        times = {name: at_least(getattr(self, name))
                 for name in ("rcd", "rp", "ras", "rc", "rfc", "rrd", "wr", "start")}
        found = SdramCycles(cas=latencies[0], mrd=self.MODE_CYCLES,
                            refi=int(self.refresh * clock_hz / 1e9), **times)
        # a beat ends, the rows have to be closed, refreshed and opened again
        least = 2 * (words + found.cas + 1 + found.ras + found.wr + found.rp + found.rfc
                     + found.rcd)
        if found.refi < least:
            raise ValueError(f"at {clock_hz / 1e6:g} MHz there are {found.refi} cycles between two "
                             f"REFRESH, {least} are needed")
        return found


MT48LC16M16 = SdramChip(
    data_width=16, bank_bits=2, row_bits=13, col_bits=9,
    rcd=21, rp=21, ras=46, rc=66, rfc=66, rrd=15, wr=15, cas={2: 100e6, 3: 1e9 / 7.5},
    refresh=7812.5)
"""32 MiB, as on a ULX3S: the slowest times of MT48LC16M16A2-75, AS4C16M16SA-7 and IS42S16160G-7."""

M12L64322A = SdramChip(
    data_width=32, bank_bits=2, row_bits=11, col_bits=8,
    rcd=21, rp=21, ras=50, rc=70, rfc=70, rrd=14, wr=14, cas={2: 100e6, 3: 143e6}, refresh=15625.0)
"""8 MiB, as on newer Colorlight 5A-75B: M12L64322A-7, rcd and rp as three cycles of its 143 MHz."""
