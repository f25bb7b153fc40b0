"""Removal of the second names of signals from a design that Yosys has flattened and cleaned."""

import re

__all__ = ["drop_aliases"]

_OUTPUT = re.compile(r"^  wire .*\boutput \d+ .*?(\S+)$", re.MULTILINE)
_CONNECTION = re.compile(r"^  connect (?P<target>\{ .*? \}|\S+(?: \[[\d:]+\])?) .*\n", re.MULTILINE)
_PORT = re.compile(r"^    connect \S+ (.*)$", re.MULTILINE)
_SIGNAL = re.compile(r"(?P<name>[\\$]\S+)(?: \[(?P<high>\d+)(?::(?P<low>\d+))?\])?")
_ALL = -1               # the bits of a whole signal


def _bits(signal: re.Match[str]) -> int:
    """Return a mask of the bits of a signal."""
    if signal["high"] is None:
        return _ALL
    low = int(signal["low"] or signal["high"])
    return (1 << int(signal["high"]) + 1) - (1 << low)


def drop_aliases(rtlil: str) -> str:
    """Remove the connections of signals that no cell and no output uses.

    ``opt_clean`` lets all cells use one name of each bit and connects the other names to it. It
    chooses the name bit by bit: where a signal has two names, cells may use bits of both. Each of
    the names is then connected to bits of the other one. CXXRTL sorts statements by whole signals,
    takes this for a combinational loop, and evaluates every cycle repeatedly.

    Parameters
    ----------
    rtlil : :class:`str`
        Design with one module, after ``flatten`` and ``opt_clean``.
    """
    outputs = set(_OUTPUT.findall(rtlil))
    used = {signal["name"]: 0 for connection in _CONNECTION.finditer(rtlil)
            for signal in _SIGNAL.finditer(connection["target"])}
    for port in _PORT.finditer(rtlil):
        for signal in _SIGNAL.finditer(port[1]):
            if signal["name"] in used:
                used[signal["name"]] |= _bits(signal)

    def kept(connection: re.Match[str]) -> str:
        is_used = any(signal["name"] in outputs or used[signal["name"]] & _bits(signal)
                      for signal in _SIGNAL.finditer(connection["target"]))
        return connection[0] if is_used else ""

    return _CONNECTION.sub(kept, rtlil)
