"""One thing that the doctor has looked at."""

import dataclasses

__all__ = ["Finding", "MISSING", "OK", "PROBLEM"]

OK, MISSING, PROBLEM = "ok", "missing", "problem"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    kind : :class:`str`
        ``"package"``, ``"tool"`` or ``"port"``: a serial port, or a USB device.
    name, detail : :class:`str`
        What it is; its version, what it is for, or what is wrong with it.
    state : :class:`str`
        ``"ok"``; ``"missing"``, which matters to who needs it; ``"problem"``, which stops things.
    advice : :class:`str`
        What to do; empty if ``"ok"``.
    """

    kind: str
    name: str
    state: str
    detail: str
    advice: str = ""
