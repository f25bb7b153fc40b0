"""The command ``weft``; one module a verb."""

import importlib
import sys

import click

from ..errors import DeviceError, DeviceTimeout, LinkError, MismatchError, WeftError

__all__ = ["main"]

_VERBS = {
    "verilog": ("verilog", "Write the accelerator as one Verilog file."),
    "info": ("info", "Sizes, area-relevant numbers and instruction format of a preset."),
    "check": ("model", "Say for every operator of a model where it runs, and why."),
    "compile": ("model", "Compile a model to a program file."),
    "disasm": ("model", "Print the instructions of a program."),
    "run": ("run", "Run a model on the emulator, on the simulated hardware or on a board."),
    "explain": ("explain", "Say where the cycles of a model go, and what would save most."),
    "trace": ("trace", "Write what every unit does in a run, for Perfetto."),
    "conformance": ("conformance", "Compare models, case by case, with stored results."),
    "bench": ("bench", "Measure matrix products and copies in cycles."),
    "results": ("results", "Area, clock and networks of each board; writes the page."),
    "selftest": ("selftest", "Check a device block by block."),
    "doctor": ("doctor", "Find boards, permissions and tools; say what to install."),
}


class _Verbs(click.Group):
    """Loads a verb's module when it is called, so that ``--help`` is quick."""

    def list_commands(self, ctx):
        return list(_VERBS)

    def get_command(self, ctx, name):
        if name not in _VERBS:
            return None
        module, _ = _VERBS[name]
        return getattr(importlib.import_module(f".{module}", __name__), name)

    def format_commands(self, ctx, formatter):
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _VERBS.items()])


@click.command(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="weft")
def _weft():
    """Weft: an open AI-inference accelerator, its compiler and its devices.

    Exit status: 0 done; 1 the device failed or a result was wrong; 2 the request cannot be
    carried out (bad file, unsupported operator, wrong option), and nothing was written.
    """


def main(arguments=None):
    """Run the command; errors become one message and an exit status."""
    try:
        # without its standalone mode click returns the status of an Exit
        status = _weft.main(args=arguments, standalone_mode=False) or 0
    except click.Abort:
        click.echo("weft: stopped", err=True)
        status = 130
    except click.ClickException as error:
        error.show()
        status = 2
    except (DeviceError, DeviceTimeout, LinkError, MismatchError) as error:
        click.echo(f"weft: {error}", err=True)
        status = 1
    except (WeftError, OSError) as error:
        click.echo(f"weft: {error}", err=True)
        status = 2
    sys.exit(status)
