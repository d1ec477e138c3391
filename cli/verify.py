"""``medvision-agent verify``: check that a stored run or study is undamaged."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from medvision_agent.cli.completing import complete_runs

if TYPE_CHECKING:
    from medvision_agent.eval.store.verify import Verified

__all__ = ["command"]


@click.command("verify")
@click.argument("path", shell_complete=complete_runs, metavar="RUN|STUDY", type=click.Path(path_type=Path))
@click.pass_context
def command(context: click.Context, path: Path) -> None:
    """Check that a stored run or study is unchanged: settings, samples, records, traces and images.

    It finds damage and careless edits, not a forger who recomputes all hashes. Exit code 0: no damage was found; 1:
    something is damaged; 2: there is no run or study.
    """
    from medvision_agent.api.verifying import verify

    found = verify(path)
    for name, run in found.runs.items():
        _say(f"{name}: {_summary(run)}")
        for damage in run.damage:
            _say(f"  {damage.what}")
    if found.plan_damage:
        _say(f"DAMAGED: {found.plan_damage}")
    if found.not_begun:
        _say(f"not begun: {', '.join(found.not_begun)}")
    _say("This check finds damage and careless edits. It does not find a forger who recomputes all hashes.")
    context.exit(int(not found.whole))


def _say(line: str) -> None:
    """Print a line, wrapped to the terminal."""
    from medvision_agent.cli.printed.table import print_wrapped

    print_wrapped(line)


def _summary(run: "Verified") -> str:
    """Return in words whether a run is whole, and what was checked."""
    checked = f"checked {run.records} records with their traces and {run.pictures} images"
    if run.unsealed:
        checked += f"; {run.unsealed} of the records are not sealed (an older version stored them): they are unchecked"
    state = "DAMAGED" if run.damage else "not sealed" if run.seal is None and run.unsealed else "whole"
    return f"{state}; {checked}" + (f"; seal {run.seal}" if run.seal else "")
