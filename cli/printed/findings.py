"""What a check found, as a person reads it: verdict, what was tried, and in words."""

from collections.abc import Sequence

import click

from medvision_agent.finding import Finding
from medvision_agent.text import printable

__all__ = ["print_findings"]


def print_findings(findings: Sequence[Finding]) -> None:
    """Print one line for each finding."""
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        click.echo(printable(f"{finding.verdict:<8} {finding.what:<{width}}  {finding.words}"))
