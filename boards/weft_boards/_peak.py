"""Peak rate of a configuration, with which results of boards are compared."""

from weft.spec.config import Config

__all__ = ["peak_macs"]


def peak_macs(config: Config) -> int:
    """Return the maximum number of multiply-accumulates per cycle.

    The array of the units that work in parallel computes one in every cell. The serial engine takes
    one cycle per byte of a vector, that is per row of the array.
    """
    return int(config.cols if config.compact else config.cells)
