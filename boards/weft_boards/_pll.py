"""PLLs of ECP5, iCE40 and Gowin devices: choice of the dividers, and the primitives.

Sources: Lattice FPGA-TN-02200 (ECP5 sysCLOCK) and FPGA-DS-02012, Lattice FPGA-TN-02052 (iCE40
sysCLOCK) and FPGA-DS-02008, Gowin UG286 (clock resources), DS117 and DS226.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

from amaranth.hdl import Const, Instance, Signal

__all__ = ["Pll", "RANGES"]

_Dividers = tuple[int, int, int]
_Range = tuple[float, float]

MHZ = 1_000_000
RANGES: dict[str, tuple[_Range, _Range, _Range, _Range]] = {
    "ecp5": ((3_125_000, 400 * MHZ), (400 * MHZ, 800 * MHZ), (3_125_000, 400 * MHZ),
             (8 * MHZ, 400 * MHZ)),
    "ice40": ((10 * MHZ, 133 * MHZ), (533 * MHZ, 1066 * MHZ), (16 * MHZ, 275 * MHZ),
              (10 * MHZ, 133 * MHZ)),
    "GW1NR-LV9": ((3 * MHZ, 400 * MHZ), (400 * MHZ, 1200 * MHZ), (3_125_000, 600 * MHZ),
                  (3 * MHZ, 400 * MHZ)),
    "GW2A-LV18": ((3 * MHZ, 500 * MHZ), (500 * MHZ, 1250 * MHZ), (3_906_250, 625 * MHZ),
                  (3 * MHZ, 500 * MHZ)),
}
"""Ranges in Hz of phase detector, VCO, output and input clock, by family or start of a device's
name."""

_GOWIN_OUT = (2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128)
_ICE40_FILTERS = (17, 26, 44, 66, 101)


def _dividers(family: str, i_hz: int, detector_range: _Range) \
        -> Iterator[tuple[float, float, float, _Dividers]]:
    """Yield detector, output and VCO frequency and the dividers, for each possible setting.

    The detector frequency is in ``detector_range``; the other frequencies are not checked.
    """
    low, high = detector_range
    count, offset = {"ecp5": (128, 1), "ice40": (16, 0), "gowin": (64, 0)}[family]
    for divide in range(offset, count + offset):
        detector = i_hz / (divide + 1 - offset)
        if not low <= detector <= high:
            continue
        for multiply in range(offset, (64 if family == "ice40" else count) + offset):
            product = detector * (multiply + 1 - offset)
            if family == "ice40":               # feedback from the VCO, before the output divider
                for out in range(1, 7):
                    yield detector, product / (1 << out), product, (divide, multiply, out)
            else:
                for out in range(1, 129) if family == "ecp5" else _GOWIN_OUT:
                    yield detector, product, product * out, (divide, multiply, out)


@functools.cache
def _settings(family: str, device: str, i_hz: int) -> dict[int, tuple[float, float, _Dividers]]:
    """Return the best setting for each output frequency: detector and VCO frequency, dividers."""
    key = next((name for name in RANGES if family == name or device.startswith(name)), None)
    if key is None:
        raise ValueError(f"no PLL frequency ranges for {device}; there are ranges for "
                         f"{', '.join(RANGES)}")
    ranges = RANGES[key]
    low, high = ranges[3]
    if not low <= i_hz <= high:
        raise ValueError(f"the PLL of {device} requires an input clock from {low / MHZ:g} to "
                         f"{high / MHZ:g} MHz, not {i_hz / MHZ:g} MHz")
    middle = sum(ranges[1]) / 2
    best: dict[int, tuple[tuple[float, float], tuple[float, float, _Dividers]]] = {}
    for detector, o_hz, vco, dividers in _dividers(family, i_hz, ranges[0]):
        if o_hz != int(o_hz):
            continue                            # only whole numbers of Hz
        if all(low <= value <= high for value, (low, high) in zip((vco, o_hz), ranges[1:3])):
            # prefer a high detector frequency, for low jitter, then a VCO in mid-range
            rank = (-detector, abs(vco - middle))
            if o_hz not in best or rank < best[int(o_hz)][0]:
                best[int(o_hz)] = rank, (detector, vco, dividers)
    return {o_hz: setting for o_hz, (_, setting) in best.items()}


@dataclasses.dataclass(frozen=True)
class Pll:
    """PLL that generates a clock of an exact frequency.

    Parameters
    ----------
    family, device : :class:`str`
        Family and name of a :class:`weft_boards._devices.Device`.
    i_hz, o_hz : :class:`int`
        Frequencies of input and output in Hz.

    Raises
    ------
    ValueError
        If no setting generates ``o_hz`` with all frequencies in range. The message lists the four
        nearest output frequencies.
    """

    family: str
    device: str
    i_hz: int
    o_hz: int

    def __post_init__(self) -> None:
        known = _settings(self.family, self.device, self.i_hz)
        if self.o_hz not in known:
            near = sorted(known, key=lambda hz: abs(hz - self.o_hz))[:4]
            raise ValueError(
                f"the PLL of {self.device} cannot generate {self.o_hz / MHZ:g} MHz from "
                f"{self.i_hz / MHZ:g} MHz; the nearest are "
                + ", ".join(f"{hz / MHZ:.9g}" for hz in sorted(near)))

    def max_output_hz(self, limit_hz: float) -> int | None:
        """Return the highest possible output frequency up to ``limit_hz``; ``None`` if none."""
        known = _settings(self.family, self.device, self.i_hz)
        return max((o_hz for o_hz in known if o_hz <= limit_hz), default=None)

    @property
    def detector_hz(self) -> float:
        """Frequency of the phase detector in Hz."""
        return _settings(self.family, self.device, self.i_hz)[self.o_hz][0]

    @property
    def vco_hz(self) -> float:
        """Frequency of the VCO in Hz."""
        return _settings(self.family, self.device, self.i_hz)[self.o_hz][1]

    @property
    def dividers(self) -> _Dividers:
        """Input, feedback and output divider, as encoded in the parameters of the primitive."""
        return _settings(self.family, self.device, self.i_hz)[self.o_hz][2]

    def instance(self, port: Any, clock: Signal, locked: Signal, *,
                 shifted: Signal | None = None, quarters: int = 0) -> Instance:
        """Return an instance of the primitive.

        Parameters
        ----------
        port : value
            Clock input; for iCE40, the pin itself.
        clock, locked : :class:`amaranth.hdl.Signal`
            Outputs: the clock, and a flag that is high while the PLL has locked.
        shifted : :class:`amaranth.hdl.Signal`, optional
            Second output, only for ECP5: the clock delayed by ``quarters`` quarters of a period.
        """
        if self.family == "ecp5":
            return self._ecp5(port, clock, locked, shifted, quarters)
        if shifted is not None:
            raise ValueError(f"a phase-shifted clock is implemented only for the PLL of an ECP5, "
                             f"not for {self.device}")
        return {"ice40": self._ice40, "gowin": self._gowin}[self.family](port, clock, locked)

    def _ecp5(self, port: Any, clock: Signal, locked: Signal, shifted: Signal | None,
              quarters: int) -> Instance:
        divide, multiply, out = self.dividers
        # units: VCO periods for the coarse phase, eighths of them for the fine phase
        phase = max(0, out // 2 - 1)
        coarse, fine = divmod(out * quarters * 2, 8)
        second: dict[str, Any] = {} if shifted is None else {
            "p_CLKOS_ENABLE": "ENABLED", "p_CLKOS_DIV": out, "p_CLKOS_CPHASE": phase + coarse,
            "p_CLKOS_FPHASE": fine, "a_FREQUENCY_PIN_CLKOS": f"{self.o_hz / MHZ:g}",
            "o_CLKOS": shifted}
        return Instance(
            "EHXPLLL",
            a_FREQUENCY_PIN_CLKI=f"{self.i_hz / MHZ:g}",
            a_FREQUENCY_PIN_CLKOP=f"{self.o_hz / MHZ:g}",
            a_ICP_CURRENT="12", a_LPF_RESISTOR="8", a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_PLLRST_ENA="DISABLED", p_INTFB_WAKE="DISABLED", p_STDBY_ENABLE="DISABLED",
            p_DPHASE_SOURCE="DISABLED", p_OUTDIVIDER_MUXA="DIVA", p_OUTDIVIDER_MUXB="DIVB",
            p_OUTDIVIDER_MUXC="DIVC", p_OUTDIVIDER_MUXD="DIVD",
            p_CLKI_DIV=divide, p_CLKFB_DIV=multiply, p_CLKOP_ENABLE="ENABLED", p_CLKOP_DIV=out,
            p_CLKOP_CPHASE=phase, p_CLKOP_FPHASE=0, p_FEEDBK_PATH="CLKOP",
            i_CLKI=port, i_CLKFB=clock, i_RST=0, i_STDBY=0, i_PHASESEL0=0, i_PHASESEL1=0,
            i_PHASEDIR=1, i_PHASESTEP=1, i_PHASELOADREG=1, i_PLLWAKESYNC=0, i_ENCLKOP=0,
            o_CLKOP=clock, o_LOCK=locked, **second)

    def _ice40(self, port: Any, clock: Signal, locked: Signal) -> Instance:
        divide, multiply, out = self.dividers
        mhz = self.detector_hz / MHZ
        filter_range = next((index + 1 for index, limit in enumerate(_ICE40_FILTERS)
                             if mhz < limit), 6)
        return Instance(
            "SB_PLL40_PAD",
            p_FEEDBACK_PATH="SIMPLE", p_DIVR=Const(divide, 4), p_DIVF=Const(multiply, 7),
            p_DIVQ=Const(out, 3), p_FILTER_RANGE=Const(filter_range, 3),
            i_PACKAGEPIN=port, i_RESETB=1, i_BYPASS=0, o_PLLOUTGLOBAL=clock, o_LOCK=locked)

    def _gowin(self, port: Any, clock: Signal, locked: Signal) -> Instance:
        divide, multiply, out = self.dividers
        return Instance(
            "rPLL",
            p_DEVICE="GW2A-18" if self.device.startswith("GW2A") else "GW1NR-9",
            p_FCLKIN=f"{self.i_hz / MHZ:g}", p_IDIV_SEL=divide, p_FBDIV_SEL=multiply,
            p_ODIV_SEL=out, p_DYN_IDIV_SEL="false", p_DYN_FBDIV_SEL="false",
            p_DYN_ODIV_SEL="false", p_DYN_DA_EN="false", p_DYN_SDIV_SEL=2, p_PSDA_SEL="0000",
            p_DUTYDA_SEL="1000", p_CLKFB_SEL="internal", p_CLKOUT_BYPASS="false",
            p_CLKOUTP_BYPASS="false", p_CLKOUTD_BYPASS="false",
            i_CLKIN=port, i_CLKFB=0, i_RESET=0, i_RESET_P=0, i_FBDSEL=Const(0, 6),
            i_IDSEL=Const(0, 6), i_ODSEL=Const(0, 6), i_PSDA=Const(0, 4), i_DUTYDA=Const(0, 4),
            i_FDLY=Const(0, 4), o_CLKOUT=clock, o_LOCK=locked)
