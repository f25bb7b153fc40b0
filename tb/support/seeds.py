"""Seeds of random tests: fixed unless the environment variable ``WEFT_SEED`` is a number."""

import os

__all__ = ["seed"]


def seed(offset: int = 0) -> int:
    """Return the seed of a random test.

    ``make test`` leaves ``WEFT_SEED`` unset, so that every run is the same; ``make soak`` sets it
    to a number that it draws and prints.

    Parameters
    ----------
    offset : :class:`int`
        Number added to the common seed, so that tests in one file draw different data.
    """
    return int(os.environ.get("WEFT_SEED") or "0") + offset
