"""Integer helpers that gateware and host software share."""

__all__ = ["ceil_div", "round_up"]


def ceil_div(value: int, divisor: int) -> int:
    """Return ``value / divisor``, rounded towards positive infinity.

    Parameters
    ----------
    value : :class:`int`
        Dividend, of any sign.
    divisor : :class:`int`
        Divisor, at least 1.
    """
    return -(-value // divisor)


def round_up(value: int, multiple: int) -> int:
    """Return the smallest multiple of ``multiple`` that is at least ``value``."""
    return ceil_div(value, multiple) * multiple
