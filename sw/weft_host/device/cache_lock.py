"""Lock of an entry of the cache of simulators, against other processes."""

import contextlib
import fcntl
import os
import pathlib
import time
from collections.abc import Iterator
from typing import IO

from ..progress import Progress

__all__ = ["locked"]

_WAIT, _REPORT = 0.1, 2.0       # seconds between two attempts to lock, and two reports


@contextlib.contextmanager
def locked(directory: pathlib.Path, name: str, progress: Progress) -> Iterator[None]:
    """Lock entry ``name`` of the cache, and report while another process holds it.

    The file of the lock contains the number of the process that holds it.

    Parameters
    ----------
    directory : path
        The cache, which is created if it does not exist.
    name : :class:`str`
        Entry to lock.
    progress : callable
        Receives a sentence every two seconds of waiting; see :mod:`weft_host.progress`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / f"{name}.lock", "a+") as lock:
        start, shown = time.monotonic(), 0.0
        while not _try_lock(lock):
            passed = time.monotonic() - start
            if passed >= shown + _REPORT:
                shown = passed
                lock.seek(0)
                holder = lock.read().strip()
                progress(f"waiting for {f'process {holder}' if holder else 'another process'}, "
                         f"which builds the same simulator in {directory}, for {passed:.0f} s")
            time.sleep(_WAIT)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
