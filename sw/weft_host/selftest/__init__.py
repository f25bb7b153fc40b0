"""Self-test of a device, part by part, with the location of each fault.

Most programs run on the device and on the emulator, and the results must be equal. The parts that
a check relies on are checked before it; if one of them has failed, the check is left out. So a
failed check names its own part.
"""

import dataclasses
from collections.abc import Callable, Collection

from ..device import Device, SerialDevice
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
from .parameters import check_parameters
from .requantiser import check_requantiser
from .vector import check_map, check_softmax, has_tables

__all__ = ["CHECKS", "Check", "FAILED", "OK", "Outcome", "UNCHECKED", "selftest"]

OK, FAILED, UNCHECKED = "ok", "failed", "not checked"
_LINK = "host link"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Result of one check.

    Attributes
    ----------
    name : :class:`str`
        Name of the part, one of :data:`CHECKS`.
    status : :class:`str`
        ``"ok"``, ``"failed"`` or ``"not checked"``.
    detail : :class:`str`
        What was covered, what is wrong, or which part the check needs.
    """

    name: str
    status: str
    detail: str

    @property
    def passed(self) -> bool:
        """True if the part was checked and has no fault."""
        return self.status == OK


@dataclasses.dataclass(frozen=True)
class Check:
    """Check of one part.

    Attributes
    ----------
    run : callable
        Function that checks a :class:`Bench`. It returns what was covered and raises an error for
        a fault.
    needs : tuple of :class:`str`
        Checks that must have passed.
    exists : callable
        Function that returns whether a device has this part.
    """

    run: Callable[[Bench], str | None]
    needs: tuple[str, ...] = ()
    exists: Callable[[Bench], bool] = lambda bench: True


CHECKS: dict[str, Check] = {
    _LINK: Check(check_link, exists=lambda bench: isinstance(bench.device, SerialDevice)),
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
"""Checks by name, in the order in which they run."""


class _Session:
    """Outcomes of a run of the self-test.

    Attributes
    ----------
    outcomes : dict of :class:`str` to :class:`Outcome`
        The last outcome of each check.
    causes : dict of :class:`str` to :class:`str`
        For each check that has not passed: the failed check that is the cause.
    stopped : :class:`str`
        Failed check without which no other check can run, or empty.
    """

    def __init__(self, report: Callable[[Outcome], object] | None) -> None:
        self.report = report
        self.outcomes: dict[str, Outcome] = {}
        self.causes: dict[str, str] = {}
        self.stopped = ""

    def add(self, name: str, status: str, detail: str) -> None:
        """Add the outcome of a check, or replace it by a later one."""
        outcome = self.outcomes[name] = Outcome(name, status, detail)
        if status == FAILED:
            self.causes[name] = name
        if self.report:
            self.report(outcome)

    def skip(self, name: str, cause: str) -> None:
        """Leave out a check."""
        self.causes[name] = cause
        self.add(name, UNCHECKED, f"needs {cause}")

    def run(self, name: str, check: Check, bench: Bench) -> None:
        """Run a check, unless one that it needs has failed."""
        causes = [self.causes[need] for need in check.needs if need in self.causes]
        if self.stopped or causes:
            self.skip(name, self.stopped or " and ".join(dict.fromkeys(causes)))
            return
        try:
            self.add(name, OK, check.run(bench) or "")
        except LinkError as error:
            if error.status is not None:        # the link works; a bus behind it reported an error
                self.add(name, FAILED, str(error))
                return
            self.stopped = _LINK
            self.add(_LINK, FAILED, str(error))
            if name != _LINK:
                self.skip(name, _LINK)
        except DeviceTimeout as error:
            self.stopped = name
            self.add(name, FAILED, str(error))
        except WeftError as error:
            self.add(name, FAILED, str(error))


def selftest(device: Device, seed: int = 0, report: Callable[[Outcome], object] | None = None,
             names: Collection[str] | None = None) -> list[Outcome]:
    """Run the checks on a device.

    Parameters
    ----------
    device : :class:`weft_host.device.Device`
        Device with at least 16 KiB of host memory.
    seed : :class:`int`
        Seed of the random data.
    report : callable, optional
        Function that is called with each :class:`Outcome`. If the link fails later, its outcome is
        reported again.
    names : collection of :class:`str`, optional
        Names of the checks to run; the checks that they need count as passed.

    Returns
    -------
    list of :class:`Outcome`
        One outcome for each check.
    """
    if device.memory_bytes < MINIMUM:
        raise WeftError(f"the self-test needs {MINIMUM} bytes of host memory; the "
                        f"device has {device.memory_bytes}")
    bench, session = Bench(device, seed), _Session(report)
    unexplained: dict[str, str] = {}
    for name, check in CHECKS.items():
        if (names is None or name in names) and check.exists(bench):
            bench.unexplained = ""
            session.run(name, check, bench)
            if bench.unexplained:
                unexplained[name] = bench.unexplained
    if not session.causes:
        for name, detail in unexplained.items():
            session.add(name, FAILED, detail)
    return list(session.outcomes.values())
