"""``medvision-agent ablate``: run a whole study of one file, or say what it would ask."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medvision_agent.cli.limits import BUDGET, bounded, budget_options
from medvision_agent.cli.stopping import INTERRUPTED, Stopping
from medvision_agent.errors import ConfigError, ProviderError
from medvision_agent.text import printable

if TYPE_CHECKING:
    from medvision_agent.eval.settings.budget import Budget
    from medvision_agent.eval.study.cells import Cell
    from medvision_agent.eval.study.plan import Plan
    from medvision_agent.eval.study.schema import Study

__all__ = ["command"]


@click.command("ablate")
@click.argument("study_file", metavar="STUDY", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of the study; default: studies/.")
@budget_options
@click.option("--dry-run", is_flag=True, help="Show what would be asked and what it could show; ask nothing.")
@click.option(
    "--pilot",
    "pilots",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    help="With --dry-run: one or two stored runs from which the spread of the loss and the tokens per sample are "
    "estimated. Repeat the option for the second run.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the estimate or the figures as JSON.")
@click.pass_context
def command(
    context: click.Context,
    /,
    study_file: Path,
    out: Path | None,
    pilots: tuple[Path, ...],
    *,
    dry_run: bool,
    as_json: bool,
    **limits: float | None,
) -> None:
    """Run the study of a YAML file (docs/studies.md): every model under every arm, side by side, in one folder.

    The same command with the same --out goes on where it stopped. Exit code 0: done, and the arms differ in nothing but
    what the study varies; 1: some samples never got a reply, a limit was reached, or arms cannot be compared; 2: wrong
    usage or input; 130: interrupted.
    """
    from medvision_agent.cli.study import print_cells, print_preview
    from medvision_agent.eval.scorer.protocol import protocol
    from medvision_agent.eval.study.cells import make_cells
    from medvision_agent.eval.study.designs import expand
    from medvision_agent.eval.study.load import read_study
    from medvision_agent.eval.study.noise import without_noise
    from medvision_agent.eval.study.parity import check_identities, check_parity
    from medvision_agent.eval.study.plan import make_plan
    from medvision_agent.eval.study.preview import preview

    if pilots and not dry_run:
        raise ConfigError("--pilot goes with --dry-run: it tells how small a difference the study could show")
    study = read_study(study_file)
    scoring = protocol(study.protocol)
    try:
        arms, contrasts = expand(study)
    except ConfigError as error:
        raise ConfigError(f"{study_file}: {error}") from None
    out, budget = out or _default_folder(study.name), _budget(study, limits)
    cells = make_cells(study, arms, home=study_file.parent, out=out, budget=budget, asking=not dry_run)
    plan = make_plan(study, arms, contrasts, cells, out)
    check_identities(plan, cells)
    if dry_run:
        print_preview(preview(plan, cells, scoring, pilots), as_json=as_json)
        return
    _say_first(cells, without_noise(plan.arms, study.epochs, cells))
    go_on = f"to go on, repeat the command with: --out {out}"
    try:
        left, interrupted, used_up = asyncio.run(_run(plan, cells, out, budget))
    except KeyboardInterrupt:
        click.echo(f"stopped; what was finished is stored; {go_on}", err=True)
        context.exit(INTERRUPTED)
    except ProviderError as error:
        raise ProviderError(f"{error}\n{go_on}" if out.exists() else str(error)) from error
    failure = print_cells(plan, out, scoring, as_json=as_json)
    problems = check_parity(out)
    for problem in problems:
        click.echo(printable(f"not to be compared: {problem}"), err=True)
    if used_up:
        click.echo(f"stopped: {used_up}", err=True)
    if failure:
        click.echo(printable(f"no reply: {failure}"), err=True)
    if left:
        higher = ", and a higher limit" if used_up else ""
        click.echo(f"{left} samples are left or got no reply; {go_on}{higher}", err=True)
    context.exit(INTERRUPTED if interrupted else int(bool(left or problems)))


def _default_folder(name: str) -> Path:
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return Path("studies") / f"{stamp}-{name}"


def _say_first(cells: "tuple[Cell, ...]", noise: list[str]) -> None:
    """Say what in the environment sends requests elsewhere, and whose repeats show no noise, once for each model."""
    from medvision_agent.agent.wire.redirects import redirections

    elsewhere = [line for cell in cells for line in redirections(cell.prepared.model)]
    for line in dict.fromkeys([*elsewhere, *noise]):
        click.echo(printable(line), err=True)


def _budget(study: "Study", limits: dict[str, float | None]) -> "Budget":
    """Return the study's budget; options of the command line go before it."""
    return bounded(study.budget, BUDGET, limits)


async def _run(plan: "Plan", cells: "tuple[Cell, ...]", out: Path, budget: "Budget") -> tuple[int, bool, str]:
    """Run with a progress bar; returns what is left, whether it was interrupted, and which limit stopped it."""
    from medvision_agent.cli.progress import RunProgress
    from medvision_agent.eval.asking.runner import Watch
    from medvision_agent.eval.study.run import execute_study

    stopping, used_up = Stopping(), list[str]()
    every = sum(len(cell.prepared.samples) for cell in cells)

    def start(pending: int) -> None:
        click.echo(f"writing to {out}: {len(cells)} cells, {pending} of {every} samples left", err=True)
        progress.begin(pending, str(plan.study["name"]))

    with RunProgress() as progress:
        watch = Watch(on_record=progress.add, on_fault=progress.fault, on_limit=used_up.append)
        left = await execute_study(plan, cells, out, budget=budget, watch=watch, stop=stopping.stop, on_start=start)
    return left, stopping.interrupted, "".join(used_up)
