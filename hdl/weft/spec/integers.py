"""Integer helpers that gateware and host software share."""

__all__ = ["ceil_div", "check_integers", "round_up"]


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


def check_integers(**values: object) -> None:
    """Check that parameters are integers.

    Parameters
    ----------
    values
        Values of the parameters, by name.

    Raises
    ------
    TypeError
        If a value is not an integer, or is a :class:`bool`.
    """
    for name, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"{name} must be an integer, not {value!r}")


def round_up(value: int, multiple: int) -> int:
    """Return the smallest multiple of ``multiple`` that is at least ``value``."""
    return ceil_div(value, multiple) * multiple
