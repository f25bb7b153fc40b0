"""Text of clock frequencies, rounded in one way on pages, in messages and in tables."""

__all__ = ["mhz_text"]

_STEP = 100_000         # Hz, that is 0.1 MHz


def mhz_text(hz: float) -> str:
    """Return a frequency in MHz with one decimal, rounded down.

    A clock that narrowly misses a limit is therefore never shown as one that reaches it. Messages
    about values that a PLL needs exactly, and commands, contain all digits instead.

    Parameters
    ----------
    hz : :class:`float`
        Frequency in Hz. Fractions of a hertz are ignored, so that a frequency that was multiplied
        by a million keeps its decimal.
    """
    tenths = round(hz) // _STEP
    return f"{tenths // 10}.{tenths % 10}"
