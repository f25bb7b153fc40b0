"""``weft verilog``."""

import pathlib

import click

from weft.spec.config import Config

from .devices import make_config
from .files import OutputFile
from .options import config_options
from .output import progress, write_output

__all__ = ["verilog"]


def _waiver_path(output: str) -> str:
    """Return the path of the waivers beside a Verilog file, or fail if they cannot be written."""
    from ..verilog.lint_waivers import are_waivers
    name, path = pathlib.Path(output).name, pathlib.Path(output).with_suffix(".vlt")
    if not name.isprintable() or set(name) & set('"*?\\'):
        raise click.BadParameter(f"{name!r} contains characters that Verilator's waivers cannot "
                                 "contain", param_hint="-o")
    if path.name == name:
        raise click.BadParameter(f"{name} is the name of the waivers; end it with .v instead",
                                 param_hint="-o")
    OutputFile().convert(path, None, click.get_current_context())
    if path.exists() and not are_waivers(path.read_bytes()):
        raise click.BadParameter(f"the waivers of {name} would overwrite {path}, which is no file "
                                 "of waivers from weft verilog; rename one of the two",
                                 param_hint="-o")
    return str(path)


@click.command()
@config_options
@click.option("--top", default="weft", show_default=True, metavar="NAME",
              help="Name of the top module. Those of submodules begin with it, so that files with "
                   "different tops can be read into one design.")
@click.option("--template", is_flag=True,
              help="Print an instantiation of the module instead, or write it to the file of -o.")
@click.option("-o", "--output", type=OutputFile(),
              help="Verilog file to write. Verilator's lint waivers are written beside it, into a "
                   "file with the same name and the suffix .vlt.")
def verilog(preset_name: str, changes: tuple[str, ...], top: str, template: bool,
            output: str | None) -> None:
    """Write the accelerator as one Verilog file.

    The ports are clk, rst, those of s_axil and m_axi by channel, and irq. A comment in the file
    lists all parameters and the command that writes it again. The same configuration gives the
    same bytes in every run.

    With its waivers, the file passes verilator --lint-only -Wall.
    """
    if not template and output is None:
        raise click.UsageError("name the Verilog file with -o, or print an instantiation with "
                               "--template")
    config = make_config(preset_name, changes)
    from ..verilog.module_names import ModuleNameError
    try:
        if template:
            _write_template(config, top, output)
        elif output is not None:
            _write_module(config, top, output)
    except ModuleNameError as error:
        raise click.BadParameter(str(error), param_hint="--top") from None


def _write_template(config: Config, top: str, output: str | None) -> None:
    from ..verilog import instantiation
    text = instantiation(config, top)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_output(output, text)
        click.echo(f"{output}: instantiation of {top}")


def _write_module(config: Config, top: str, output: str) -> None:
    from ..verilog import lint_waivers, verilog_module
    from ..verilog.module_names import check_module_name
    check_module_name(top)
    waivers = _waiver_path(output)
    progress(f"generating Verilog for {config.name}")
    text = verilog_module(config, top)
    write_output(waivers, lint_waivers(pathlib.Path(output).name, top))
    write_output(output, text)
    click.echo(f"{output}: module {top}, {len(text.splitlines())} lines, {config.rows} x "
               f"{config.cols} cells, {config.bus_width}-bit bus; lint waivers in {waivers}")
