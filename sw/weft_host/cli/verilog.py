"""``weft verilog``."""

import click

from .devices import make_config
from .files import OutputFile
from .options import config_options
from .output import progress, write_output

__all__ = ["verilog"]


@click.command()
@config_options
@click.option("-o", "--output", required=True, type=OutputFile(),
              help="Verilog file to write.")
def verilog(preset_name: str, changes: tuple[str, ...], output: str) -> None:
    """Write the accelerator as one Verilog file.

    The top module is weft. Its ports are clk, rst, those of s_axil and m_axi, and irq. The same
    configuration gives the same bytes in every run.
    """
    config = make_config(preset_name, changes)
    from weft.instance import make_accelerator
    from weft.verilog import to_verilog

    progress(f"generating Verilog for {config.name}")
    text = to_verilog(make_accelerator(config), "weft")
    write_output(output, text)
    click.echo(f"{output}: {len(text.splitlines())} lines, "
               f"{config.rows} x {config.cols} cells, {config.bus_width}-bit bus")
