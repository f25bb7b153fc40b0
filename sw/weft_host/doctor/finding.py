"""Finding of an examination."""

import dataclasses

__all__ = ["Finding", "MISSING", "OK", "PROBLEM"]

OK, MISSING, PROBLEM = "ok", "missing", "problem"


@dataclasses.dataclass(frozen=True)
class Finding:
    """Finding about one package, tool, device or port.

    Attributes
    ----------
    kind : :class:`str`
        ``"package"``, ``"tool"`` or ``"port"``; a USB device counts as a port.
    name : :class:`str`
        Name of the package or the tool, or path of the device file.
    state : :class:`str`
        ``"ok"``; ``"missing"``, which matters only for some purposes; or ``"problem"``.
    detail : :class:`str`
        Version, purpose or cause.
    advice : :class:`str`
        Remedy; empty if the state is ``"ok"``.
    """

    kind: str
    name: str
    state: str
    detail: str
    advice: str = ""
