"""``weft doctor``."""

import dataclasses

import click

from ..doctor import PROBLEM, examine
from .options import json_option
from .output import print_json

__all__ = ["doctor"]


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check boards, permissions and tools, and show what to install.

    A missing tool matters only for the purpose that is listed. Exit status 1 if there is a
    problem: a requirement of all users is missing, or a tool or a port does not work.
    """
    findings = examine()
    problems = sum(finding.state == PROBLEM for finding in findings)
    if as_json:
        print_json({"problems": problems,
                    "findings": [dataclasses.asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            click.echo(f"{finding.state:8} {finding.name:22} {finding.detail}")
            if finding.advice:
                click.echo(f"{'':8} {'':22} -> {finding.advice}")
    raise click.exceptions.Exit(1 if problems else 0)
