"""Model of an SDR SDRAM that fails at the first command that the datasheet does not allow."""

import collections

from weft.host_memory.sdram_chip import SdramChip
from weft.host_memory.sdram_pins import Command

__all__ = ["SMALL", "SdramModel"]

_UNKNOWN = object()

SMALL = SdramChip(data_width=16, bank_bits=1, row_bits=5, col_bits=7, rcd=18, rp=18, ras=42, rc=60,
                  rfc=60, rrd=12, wr=15, cas={2: 100e6, 3: 143e6}, refresh=3000, power_up=500)
"""A chip with few columns, so that rows change often, and a short power-up time."""


class SdramModel:
    """Model of a chip at a controller's pins, as a process of Amaranth's simulator.

    It samples its pins at the clock's edge, and drives the word of a READ on ``dq_i`` in the cycle
    that ends with the ``cas``-th edge after it; in all other cycles ``dq_i`` is invalid data.
    Initially, all bytes are 0xA5.

    Parameters
    ----------
    pins : :class:`~weft.host_memory.sdram_pins.SdramPins` interface
    chip : :class:`~weft.host_memory.sdram_chip.SdramChip`
    clock_hz : :class:`float`
        Clock frequency in Hz.

    Attributes
    ----------
    counts : :class:`collections.Counter`
        Number of commands, by name.
    accesses : :class:`list` of :class:`int`
        Cycles of READ and WRITE commands.
    refreshes : :class:`list` of :class:`int`
        Cycles of REFRESH commands.
    """

    def __init__(self, pins, chip, clock_hz):
        self.pins, self.chip, self.clock_hz = pins, chip, clock_hz
        self.period = 1e9 / clock_hz
        self.words: dict = {}
        self.counts: collections.Counter = collections.Counter()
        banks = 1 << chip.bank_bits
        # the state of the banks is unknown after power-up
        self.row: list = [_UNKNOWN] * banks
        self.last = {kind: [None] * banks for kind in (
            Command.ACTIVATE, Command.PRECHARGE, Command.READ, Command.WRITE)}
        self.accesses: list = []
        self.refreshed = None
        self.refreshes: list = []
        self.mode_set = None
        self.cas = None
        self.driven: dict = {}          # word that the chip drives, by cycle
        self.cycle = 0
        self.last_driven = None         # the last cycle in which the chip drove dq

    def _check_time(self, since, time, what):
        """Check that at least ``time`` nanoseconds have passed since cycle ``since``."""
        if since is not None:
            found = (self.cycle - since) * self.period
            assert found >= time - 1e-3, (
                f"cycle {self.cycle}: {what} after {found:.1f} ns, {time:.1f} ns at least")

    async def run(self, ctx):
        pins = self.pins
        async for clk, rst, *taken in ctx.tick().sample(
                pins.cke, pins.command, pins.bank, pins.addr, pins.mask, pins.dq_o, pins.dq_en):
            assert clk and not rst
            ctx.set(pins.dq_i, self.edge(*taken))

    def edge(self, cke, command, bank, addr, mask, dq, dq_en):
        """Simulate a clock edge and return ``dq_i`` of the cycle after it."""
        drives = self.driven.pop(self.cycle, None)
        assert drives is None or not dq_en, f"cycle {self.cycle}: both drive dq"
        # nobody may drive dq in the cycle in which the chip stops driving
        assert self.cycle - 1 != self.last_driven or not dq_en, (
            f"cycle {self.cycle}: dq driven while the chip stops driving it")
        if drives is not None:
            self.last_driven = self.cycle
        if cke:
            self._execute(Command(command), bank, addr, mask, dq, dq_en)
        self.cycle += 1
        return self.driven.get(self.cycle, self._invalid_word())

    def _invalid_word(self):
        return 0x5A * 0x0101010101010101 & (1 << self.chip.data_width) - 1

    def _execute(self, command, bank, addr, mask, dq, dq_en):
        chip, cycle = self.chip, self.cycle
        self.counts[command.name] += 1
        if command is Command.NOP:
            return
        self._check_time(0, chip.power_up, command.name + " at power-up")
        self._check_time(self.refreshed, chip.rfc, command.name + " after REFRESH")
        if self.mode_set is not None:
            assert cycle - self.mode_set >= chip.MODE_CYCLES, f"cycle {cycle}: too soon after MODE"
        if command in (Command.READ, Command.WRITE, Command.ACTIVATE):
            assert self.cas is not None, f"cycle {cycle}: {command.name} before MODE"
        getattr(self, "_" + command.name.lower())(bank, addr, mask, dq, dq_en)

    def _mode(self, bank, addr, mask, dq, dq_en):
        assert self.counts["REFRESH"] >= 2, "MODE before REFRESH"
        assert not any(row is not None for row in self.row), "MODE with an open bank"
        for since in self.last[Command.PRECHARGE]:
            self._check_time(since, self.chip.rp, "MODE")
        assert bank == 0 and addr & 0xF8F == 0, f"mode {addr:#x}: not single words in order"
        self.cas = addr >> 4 & 7
        assert self.cas in self.chip.cas, f"latency {self.cas}"
        assert self.clock_hz <= self.chip.cas[self.cas], f"latency {self.cas}"
        self.mode_set = self.cycle

    def _activate(self, bank, addr, mask, dq, dq_en):
        assert self.row[bank] is None, f"cycle {self.cycle}: ACTIVATE of an open bank {bank}"
        acts = self.last[Command.ACTIVATE]
        self._check_time(acts[bank], self.chip.rc, "ACTIVATE of the bank")
        self._check_time(self.last[Command.PRECHARGE][bank], self.chip.rp, "ACTIVATE")
        for other in acts:
            self._check_time(other, self.chip.rrd, "ACTIVATE of another bank")
        assert addr < 1 << self.chip.row_bits, f"row {addr:#x} of {1 << self.chip.row_bits}"
        self.row[bank] = addr
        acts[bank] = self.cycle

    def _precharge(self, bank, addr, mask, dq, dq_en):
        for number in range(len(self.row)) if addr >> 10 & 1 else (bank,):
            if self.row[number] is not None:
                self._check_time(self.last[Command.ACTIVATE][number], self.chip.ras, "PRECHARGE")
                self._check_time(self.last[Command.WRITE][number], self.chip.wr, "PRECHARGE")
            self.row[number] = None
            self.last[Command.PRECHARGE][number] = self.cycle

    def _refresh(self, bank, addr, mask, dq, dq_en):
        assert not any(row is not None for row in self.row), f"cycle {self.cycle}: REFRESH"
        for since in self.last[Command.PRECHARGE]:
            self._check_time(since, self.chip.rp, "REFRESH")
        self.refreshed = self.cycle
        self.refreshes.append(self.cycle)

    def _access(self, bank, addr):
        assert self.row[bank] is not None, f"cycle {self.cycle}: bank {bank} is closed"
        self._check_time(self.last[Command.ACTIVATE][bank], self.chip.rcd, "READ or WRITE")
        assert addr < 1 << self.chip.col_bits, f"column {addr:#x}"
        self.accesses.append(self.cycle)
        return bank, self.row[bank], addr

    def _read(self, bank, addr, mask, dq, dq_en):
        assert not dq_en, f"cycle {self.cycle}: READ while dq is driven"
        assert mask == 0, f"cycle {self.cycle}: READ with a mask"
        word = self.words.get(self._access(bank, addr), self._initial_word())
        self.driven[self.cycle + self.cas] = word
        self.last[Command.READ][bank] = self.cycle

    def _write(self, bank, addr, mask, dq, dq_en):
        assert dq_en, f"cycle {self.cycle}: WRITE without data"
        location = self._access(bank, addr)
        old = self.words.get(location, self._initial_word())
        keep = sum(0xFF << 8 * byte for byte in range(self.chip.data_width // 8)
                   if mask >> byte & 1)
        self.words[location] = old & keep | dq & ~keep
        self.last[Command.WRITE][bank] = self.cycle

    def _initial_word(self):
        return int.from_bytes(b"\xA5" * (self.chip.data_width // 8), "little")

    def check_refreshes(self):
        """Check the refreshes: at most two intervals apart, and at the required rate on average."""
        assert self.refreshes, "no REFRESH"
        # from the last REFRESH of the initialisation to the current cycle
        times = [*self.refreshes[7:], self.cycle]
        for gap in (after - before for before, after in zip(times, times[1:])):
            assert gap * self.period <= 2 * self.chip.refresh, f"{gap} cycles without REFRESH"
        count = len(self.refreshes) - 9
        if count > 4:
            mean = (self.refreshes[-1] - self.refreshes[8]) / count * self.period
            assert mean <= self.chip.refresh * 1.02, f"REFRESH every {mean:.0f} ns"
