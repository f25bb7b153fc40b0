"""``weft verilog``."""

import click

from .options import OutputFile, config_options, make_config, progress, write_atomically

__all__ = ["verilog"]


@click.command()
@config_options
@click.option("-o", "--output", required=True, type=OutputFile(),
              help="Verilog file to write.")
def verilog(preset_name, changes, output):
    """Write the accelerator as one Verilog file.

    The top module is weft with the ports clk, rst, s_axil_*, m_axi_* and irq. The same preset
    gives the same bytes on every run.
    """
    config = make_config(preset_name, changes)
    from weft.instance import make_accelerator
    from weft.verilog import to_verilog

    progress(f"generating Verilog for {config.name}")
    text = to_verilog(make_accelerator(config), "weft")
    write_atomically(output, text.encode())
    click.echo(f"{output}: {len(text.splitlines())} lines, "
               f"{config.rows} x {config.cols} cells, {config.bus_width}-bit bus")
