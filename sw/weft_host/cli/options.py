"""Options that several verbs share, and what they turn into."""

import json
import os
import pathlib
import sys
import tempfile

import click

from weft.spec.presets import PRESETS, preset

from ..errors import InputError

__all__ = ["OutputFile", "Target", "config_is_asked_for", "config_options", "device_options",
           "json_option", "make_config", "make_device", "memory_options", "print_json", "progress",
           "serial_port", "write_atomically"]

_FASTEST = 100_000_000      # baud

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


class OutputFile(click.Path):
    """A file to write; its folder is looked at before any work is done."""

    def __init__(self):
        super().__init__(dir_okay=False, writable=True)

    def convert(self, value, param, ctx):
        path = os.fsdecode(super().convert(value, param, ctx))
        folder = pathlib.Path(path).parent
        if not folder.is_dir():
            self.fail(f"the folder {folder} does not exist; make it first", param, ctx)
        if not os.access(folder, os.W_OK):
            self.fail(f"the folder {folder} cannot be written to", param, ctx)
        return path


class Target(click.ParamType):
    """A device: ``emulator``, ``rtl``, or a serial port with an optional baud rate behind @."""

    name = "device"

    def convert(self, value, param, ctx):
        if value in ("emulator", "rtl"):
            return value
        port, _, baud = value.partition("@")
        if not ("/" in port or port.upper().startswith("COM")):
            self.fail(f"{value!r} is not emulator, rtl or a serial port such as /dev/ttyUSB0 or "
                      "COM3; weft doctor lists the ports", param, ctx)
        # not every line of digits is a number to int()
        if "@" in value and not (baud.isdecimal() and len(baud) <= len(str(_FASTEST))
                                 and 0 < int(baud) <= _FASTEST):
            self.fail(f"{baud!r} is not a baud rate from 1 to {_FASTEST}", param, ctx)
        return value


def serial_port(where):
    """The port and the baud rate that ``--on`` names, or ``None``."""
    if where in ("emulator", "rtl"):
        return None
    from ..device.serial import BAUD
    port, _, baud = where.partition("@")
    return port, int(baud or BAUD)


def config_options(command):
    """``--preset`` and ``--set``."""
    command = click.option(
        "--set", "changes", metavar="NAME=VALUE", multiple=True,
        help="Replace one parameter of the preset; may be given several times.")(command)
    return click.option(
        "--preset", "preset_name", default="small", show_default=True, metavar="P",
        help=f"Configuration: {', '.join(PRESETS)}.")(command)


def memory_options(command):
    """The memory of the simulated hardware."""
    for option in (
        click.option("--bandwidth", type=click.FloatRange(0.01, 1), default=1.0, show_default=True,
                     help="Beats per cycle of the simulated host memory."),
        click.option("--latency", type=click.IntRange(1, 10000), default=20, show_default=True,
                     help="Cycles of latency of the simulated host memory."),
    ):
        command = option(command)
    return command


def device_options(command):
    """``--on`` and the memory of the simulated hardware."""
    return click.option(
        "--on", "where", type=Target(), default="emulator", show_default=True,
        metavar="emulator|rtl|PORT[@BAUD]",
        help="Device; a board at a serial port tells what it is.")(memory_options(command))


def _is_default(name):
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.DEFAULT


def config_is_asked_for():
    """Whether ``--preset`` or ``--set`` is given."""
    return not (_is_default("preset_name") and _is_default("changes"))


def make_config(preset_name, changes, where="emulator"):
    """The configuration that ``--preset`` and ``--set`` describe; click errors otherwise.

    Without them, that of the board at the serial port ``where``, if it is one.
    """
    values = {}
    place = _board_port(where)
    if place and not config_is_asked_for():
        from ..device import SerialDevice
        with SerialDevice(place[0], baud=place[1]) as device:
            return device.config
    for change in changes:
        name, equals, text = change.partition("=")
        if not equals:
            raise click.BadParameter(f"{change!r} is not NAME=VALUE", param_hint="--set")
        if name == "multiplier":
            values[name] = text
        elif text == "none" and name == "dsp_cells":
            values[name] = None
        else:
            try:
                values[name] = int(text, 0)
            except ValueError:
                raise click.BadParameter(f"{text!r} is not an integer",
                                         param_hint=f"--set {name}") from None
    try:
        return preset(preset_name, **values)
    except (TypeError, ValueError) as error:
        raise click.BadParameter(str(error), param_hint="--preset/--set") from None


def _board_port(where):
    """As :func:`serial_port`; click errors for options that a board does not have."""
    place = serial_port(where)
    for name in ("latency", "bandwidth") if place else ():
        if not _is_default(name):
            raise click.BadParameter("it is for simulated hardware; a board has memory of its own",
                                     param_hint=f"--{name}")
    return place


def progress(text):
    """A line for somebody who waits: on standard error, so that output stays clean."""
    click.echo(f"weft: {text}", err=True)


def _board(port, baud, config):
    """The board at a port: one for a command, for the port is not shared; closed at its end."""
    from ..device import SerialDevice
    context = click.get_current_context()
    key = f"{__name__}.board"
    if key not in context.meta:
        context.meta[key] = device = SerialDevice(port, config, baud=baud)
        context.call_on_close(device.close)
    return context.meta[key]


def make_device(where, config, *, memory_bytes, latency=20, bandwidth=1.0):
    """The device that ``--on`` names, with ``memory_bytes`` of host memory or more.

    A board has what it has, and no device has more than its addresses reach; a program that needs
    more is refused when it is to run.
    """
    place = _board_port(where)
    if place:
        port, baud = place
        return _board(port, baud, config)
    size = min(1 << max(16, (memory_bytes - 1).bit_length()), 1 << config.addr_width)
    if where == "emulator":
        from ..device import EmulatorDevice
        return EmulatorDevice(config, memory_bytes=size)
    from ..device import RtlDevice
    return RtlDevice(config, memory_bytes=size, latency=latency, bandwidth=bandwidth,
                     progress=progress)


def print_json(value):
    """``value`` as JSON on standard output."""
    json.dump(value, sys.stdout, indent=2)
    click.echo()


def write_atomically(path, data):
    """Put ``data`` into the file ``path``, wholly or not at all.

    Raises
    ------
    InputError
        If the folder is missing or cannot be written to.
    """
    path = pathlib.Path(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
