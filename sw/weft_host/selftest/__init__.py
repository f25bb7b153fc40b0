"""Checks a device part by part and says which part failed, and where.

Most programs run on the device and on the emulator, and the bytes must be the same. A check
names its own part only: those that it relies on are checked before it, and if one of them
failed, it is left out.
"""

import dataclasses
import typing

from ..errors import DeviceTimeout, LinkError, WeftError
from .array import (
    check_accumulators,
    check_cells,
    check_combining,
    check_depthwise,
    check_load,
    check_weights,
)
from .bench import MINIMUM, Bench
from .link import check_errors, check_identity, check_link, check_registers
from .memory import check_dma, check_memory, check_scratchpad
from .vector import (
    check_map,
    check_parameters,
    check_requantiser,
    check_softmax,
    has_tables,
)

__all__ = ["CHECKS", "Check", "Outcome", "selftest"]

OK, FAILED, UNCHECKED = "ok", "failed", "not checked"
_LINK = "host link"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one check found.

    Attributes
    ----------
    name : :class:`str`
        The part, one of :data:`CHECKS`.
    status : :class:`str`
        ``"ok"``, ``"failed"`` or ``"not checked"``.
    detail : :class:`str`
        What was covered, what is wrong, or what the check lacks.
    """

    name: str
    status: str
    detail: str

    @property
    def passed(self):
        """Whether the part was checked and is right."""
        return self.status == OK


@dataclasses.dataclass(frozen=True)
class Check:
    """A check of one part.

    Attributes
    ----------
    run : callable
        Gets the bench; returns what was covered, or raises what is wrong.
    needs : tuple of :class:`str`
        Checks that must have passed.
    exists : callable
        Whether a device has this part.
    """

    run: typing.Callable
    needs: tuple = ()
    exists: typing.Callable = lambda bench: True


CHECKS = {
    _LINK: Check(check_link, exists=lambda bench: hasattr(bench.device, "link")),
    "identity": Check(check_identity, (_LINK,)),
    "registers": Check(check_registers, ("identity",)),
    "host memory": Check(check_memory, (_LINK,)),
    "DMA": Check(check_dma, ("registers", "host memory")),
    "scratchpad": Check(check_scratchpad, ("DMA",)),
    "error handling": Check(check_errors, ("scratchpad",)),
    "array cells": Check(check_cells, ("scratchpad",)),
    "array under load": Check(check_load, ("array cells",)),
    "accumulators": Check(check_accumulators, ("array cells",)),
    "weight buffer": Check(check_weights, ("array cells",)),
    "sum and maximum": Check(check_combining, ("array cells",)),
    "depthwise": Check(check_depthwise, ("sum and maximum",)),
    "requantiser": Check(check_requantiser, ("array cells",)),
    "channel parameters": Check(check_parameters, ("requantiser",)),
    "tables and MAP": Check(check_map, ("requantiser",), has_tables),
    "SOFTMAX": Check(check_softmax, ("tables and MAP",), has_tables),
}


class _Session:
    """The outcomes so far, each check's last one, and what must not be tried any more."""

    def __init__(self, report):
        self.report = report
        self.outcomes: dict[str, Outcome] = {}
        self.lacking: dict[str, str] = {}       # check that did not pass: the one that failed
        self.stopped = ""                       # what nothing can be tried without

    def add(self, name, status, detail):
        """Keep an outcome; that of a check that was right before may follow."""
        outcome = self.outcomes[name] = Outcome(name, status, detail)
        if status == FAILED:
            self.lacking[name] = name
        if self.report:
            self.report(outcome)

    def leave_out(self, name, cause):
        """A check that cannot be tried."""
        self.lacking[name] = cause
        self.add(name, UNCHECKED, f"needs {cause}")

    def run(self, name, check, bench):
        """Carry out a check, unless one that it needs has failed."""
        causes = [self.lacking[need] for need in check.needs if need in self.lacking]
        if self.stopped or causes:
            self.leave_out(name, self.stopped or " and ".join(dict.fromkeys(causes)))
            return
        try:
            self.add(name, OK, check.run(bench) or "")
        except LinkError as error:
            if error.status is not None:        # the link works: a bus behind it refused
                self.add(name, FAILED, str(error))
                return
            self.stopped = _LINK
            self.add(_LINK, FAILED, str(error))
            if name != _LINK:
                self.leave_out(name, _LINK)
        except DeviceTimeout as error:
            self.stopped = name
            self.add(name, FAILED, str(error))
        except WeftError as error:
            self.add(name, FAILED, str(error))


def selftest(device, seed=0, report=None, names=None):
    """Run the checks on ``device``.

    Parameters
    ----------
    device : :class:`weft_host.device.Device`
        At least 16 KiB of host memory.
    seed : :class:`int`
        Of the random data.
    report : callable, optional
        Called with each :class:`Outcome` as it is known. A link that breaks later is reported
        once more.
    names : list of :class:`str`, optional
        Only these of :data:`CHECKS`; what they need is taken for right.

    Returns
    -------
    list of :class:`Outcome`
        One for each check.
    """
    if device.memory_bytes < MINIMUM:
        raise WeftError(f"the self-test needs {MINIMUM} bytes of host memory, the "
                        f"device has {device.memory_bytes}")
    bench, session = Bench(device, seed), _Session(report)
    doubts = {}
    for name, check in CHECKS.items():
        if (names is None or name in names) and check.exists(bench):
            bench.doubt = ""
            session.run(name, check, bench)
            if bench.doubt:
                doubts[name] = bench.doubt
    if not session.lacking:
        for name, doubt in doubts.items():
            session.add(name, FAILED, doubt)
    return list(session.outcomes.values())
