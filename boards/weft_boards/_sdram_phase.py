"""Phase of the clock of an SDRAM on a board."""

from __future__ import annotations

__all__ = ["sdram_phase"]

_QUARTER_CYCLE_HZ = 66_000_000
_MAX_HZ = 140_000_000


def sdram_phase(clock_hz: float) -> tuple[int, int]:
    """Return the phase of an SDRAM's clock, and the delay of the registers in the pins.

    Signals to the chip must be stable from 2 ns before its clock edge to 1 ns after it. A word
    arrives up to 6 ns (tAC) after an edge and is valid until 2.5 ns (tOH) after the next edge.
    Pads and board add 2 to 3.5 ns to the round trip. A register in the pin samples the word at an
    edge of the controller's clock.

    Up to 66 MHz, the chip's clock follows the controller's clock by a quarter of a cycle, and the
    word is sampled at the next edge of the controller's clock. Above 66 MHz, it follows by three
    quarters of a cycle, and the word is sampled one edge later.

    Parameters
    ----------
    clock_hz : :class:`float`
        Clock frequency in Hz.

    Returns
    -------
    quarters : :class:`int`
        Delay from the rising edge of the controller's clock to that of the chip, in quarters of a
        cycle.
    pin_delay : :class:`int`
        Cycles that the registers in the pins add to the round trip.

    Raises
    ------
    ValueError
        If ``clock_hz`` is above 140 MHz, where the word arrives after the sampling edge.
    """
    if clock_hz > _MAX_HZ:
        raise ValueError(f"words of an SDRAM arrive after the sampling edge at "
                         f"{clock_hz / 1e6:g} MHz; the maximum clock is {_MAX_HZ / 1e6:g} MHz")
    return (1, 1) if clock_hz <= _QUARTER_CYCLE_HZ else (3, 2)
