"""``weft selftest``."""

import dataclasses

import click

from .options import (
    config_options,
    device_options,
    json_option,
    make_config,
    make_device,
    print_json,
)

__all__ = ["selftest"]


@click.command()
@device_options
@config_options
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random data.")
@json_option
def selftest(where, latency, bandwidth, preset_name, changes, seed, as_json):
    """Check a device block by block and say which block failed.

    Exit status 1 if one did.
    """
    from ..selftest import selftest as check_device

    device = make_device(where, make_config(preset_name, changes, where),
                         memory_bytes=1 << 20, latency=latency, bandwidth=bandwidth)

    def report(outcome):
        if not as_json:
            click.echo(f"{'ok    ' if outcome.passed else 'FAILED'}  {outcome.name:20} "
                       f"{'' if outcome.passed else outcome.detail}".rstrip())

    outcomes = check_device(device, seed, report)
    failed = sum(not outcome.passed for outcome in outcomes)
    if as_json:
        print_json({"seed": seed, "failed": failed,
                    "checks": [dataclasses.asdict(outcome) for outcome in outcomes]})
    raise click.exceptions.Exit(1 if failed else 0)
