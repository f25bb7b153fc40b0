"""The command ``weft``, with one module for each group of verbs."""

import importlib
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from weft import __version__

from ..errors import DeviceError, DeviceTimeout, LinkError, MismatchError, WeftError
from .group import VerbGroup
from .streams import describe, discard_output, prepare_streams

__all__ = ["command", "main"]

_VERBS = {
    "verilog": ("verilog", "Write the accelerator as one Verilog file."),
    "info": ("info", "Show the sizes and the instruction format of a configuration."),
    "check": ("check", "Show for each operator of a model where it runs, and why."),
    "compile": ("model", "Compile a model to a program file."),
    "header": ("header", "Write a program as a C header for the driver in examples/litex."),
    "disasm": ("model", "Print the instructions of a program."),
    "run": ("run", "Run a model on the emulator, the simulated hardware or a board."),
    "generate": ("generate", "Continue a text with a language model."),
    "perplexity": ("perplexity", "Evaluate a text with a language model."),
    "explain": ("explain", "Show where the cycles of a model go, and what would save most."),
    "trace": ("trace", "Record what each unit does during a run, for Perfetto."),
    "conformance": ("conformance", "Compare models with stored results, tensor by tensor."),
    "bench": ("bench", "Measure matrix products, copies and models in cycles."),
    "results": ("results", "Show area, clock and network speed of each board."),
    "selftest": ("selftest", "Test a device part by part."),
    "doctor": ("doctor", "Check boards, permissions and tools; show what to install."),
}


class _Verbs(VerbGroup):
    """Group that imports the module of a verb on first use, so that ``--help`` is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        module, _ = _VERBS[cmd_name]
        found: click.Command = getattr(importlib.import_module(f".{module}", __name__), cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _VERBS.items()])


@click.command("weft", cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="weft")
def command() -> None:
    """Weft: an open AI-inference accelerator, its compiler and its devices.

    Exit status: 0 after success; 1 if the device failed or a result was wrong; 2 if the request
    cannot be carried out (invalid file, unsupported operator, invalid option, a program that does
    not fit the board). With status 2, no file has been written.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command; report an error as one message and an exit status."""
    status: int
    prepare_streams()
    try:
        # outside its standalone mode, click returns the status of an Exit
        status = command.main(args=arguments, prog_name="weft", standalone_mode=False) or 0
        sys.stdout.flush()      # a full disk is reported here, not by the interpreter's exit
    except click.Abort:
        click.echo("weft: interrupted", err=True)
        status = 130
    except click.ClickException as error:
        error.show()
        status = 2
    except (DeviceError, DeviceTimeout, LinkError, MismatchError) as error:
        click.echo(f"weft: {error}", err=True)
        status = 1
    except BrokenPipeError:     # the reader of the output, such as head, has ended
        discard_output()
        status = 1          # like that of click
    except MemoryError:
        click.echo("weft: the request needs more memory than this machine has", err=True)
        status = 2
    except (WeftError, OSError) as error:
        discard_output()
        click.echo(f"weft: {describe(error)}", err=True)
        status = 2
    sys.exit(status)
