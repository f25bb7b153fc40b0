"""``weft selftest``."""

import click

from .devices import make_config, make_device
from .options import config_options, device_options, json_option, seed_option
from .output import print_json

__all__ = ["selftest"]

_SHOWN = {"ok": "ok    ", "failed": "FAILED", "not checked": "-     "}


@click.command()
@device_options
@config_options
@seed_option
@json_option
def selftest(where: str, latency: int, bandwidth: float, preset_name: str,
             changes: tuple[str, ...], seed: int, as_json: bool) -> None:
    """Test a device part by part and show which part failed.

    Parts that depend on a failed one are not checked. Exit status 1 if a check failed or was left
    out.
    """
    from ..selftest import Outcome
    from ..selftest import selftest as check_device

    device = make_device(where, make_config(preset_name, changes, where),
                         memory_bytes=1 << 20, latency=latency, bandwidth=bandwidth)

    def report(outcome: Outcome) -> None:
        if not as_json:
            detail = outcome.detail
            if outcome.status == "not checked":
                detail = f"not checked: {detail}"
            click.echo(f"{_SHOWN[outcome.status]}  {outcome.name:20} {detail}".rstrip())

    outcomes = check_device(device, seed, report)
    counts = {status: sum(outcome.status == status for outcome in outcomes) for status in _SHOWN}
    if as_json:
        print_json({"seed": seed, "failed": counts["failed"], "not_checked": counts["not checked"],
                    "checks": [{"name": outcome.name, "status": outcome.status,
                                "passed": outcome.passed, "detail": outcome.detail}
                               for outcome in outcomes]})
    raise click.exceptions.Exit(0 if counts["ok"] == len(outcomes) else 1)
