"""``medvision-agent ablate``: run a study from its file, or preview it."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from medvision_agent.cli.lean import import_lean
from medvision_agent.cli.options import BUDGET, bounded, budget_options, with_options
from medvision_agent.cli.stopping import INTERRUPTED, terminable
from medvision_agent.cli.workers import WORKERS
from medvision_agent.errors import ConfigError, ProviderError
from medvision_agent.eval.settings.budget import Budget
from medvision_agent.text import plural, printable

__all__ = ["command"]


_OUT = "Folder of the study. Default: a new folder studies/TIME-NAME, with the study's name."
_PROBE = (
    "--no-probe leaves out the check, before the first sample, that the declarations of tools reach the models: two "
    "short requests for each model and set of tools. Default: as the study says (probe)."
)


@click.command("ablate")
@click.argument("study_file", metavar="STUDY", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help=_OUT)
@click.option(
    "--tools-from",
    metavar="FILE.py",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A Python file of your own tools, instead of the file that the study names (tools_from).",
)
@budget_options
@partial(with_options, WORKERS.values())
@click.option("--probe/--no-probe", default=True, help=_PROBE)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Ask nothing; print the likely cost, and the smallest difference that the study can detect.",
)
@click.option(
    "--pilot",
    "pilots",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    help="With --dry-run: a stored run from which the spread of the loss and the tokens per sample are estimated. "
    "Repeat the option for a second run.",
)
@click.option(
    "--verbose",
    is_flag=True,
    help="Print also loss, compute and tool calls of each arm, noise and parity. With --dry-run: the estimate for each "
    "arm, and all assumptions.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON; with --dry-run: the estimate.")
@click.pass_context
def command(
    context: click.Context,
    /,
    study_file: Path,
    out: Path | None,
    tools_from: Path | None,
    pilots: tuple[Path, ...],
    *,
    probe: bool,
    dry_run: bool,
    verbose: bool,
    as_json: bool,
    **more: Any,
) -> None:
    """Run the study of a YAML file (docs/studies.md): every model under every arm, concurrently, in one folder.

    Options replace the settings of the file. A default below holds if the file does not state the setting. To continue
    a stopped study, repeat the command with the folder of the study as --out.

    Exit code 0: all samples have results, and the arms differ only in what the study varies; 1: samples are left (a
    limit was reached) or ended without a result, the study's reader did not read all responses, or arms cannot be
    compared; 2: wrong usage or input, or a service refuses all requests; 130: interrupted.
    """
    import_lean()
    from medvision_agent.api.studying import ask_study, lay_out, preview, read_study_again
    from medvision_agent.cli.study import print_cells, print_preview

    if pilots and not dry_run:
        raise ConfigError(
            "--pilot needs --dry-run: it is the stored run from which a dry run estimates the spread of the loss and "
            "the tokens; add --dry-run, or leave --pilot out"
        )
    budget = bounded(Budget(), BUDGET, more)
    if dry_run:
        found = preview(study_file, tools_from=tools_from, pilots=pilots, budget=budget, probe=probe)
        print_preview(found, as_json=as_json, verbose=verbose)
        return
    workers = {name: more[name] for name in WORKERS}
    laid = lay_out(study_file, out, tools_from=tools_from, budget=budget, probe=probe, workers=workers)
    go_on = f"to go on, repeat the command with: --out {laid.out}"
    try:
        with terminable():
            done = ask_study(laid, progress=True)
            read = [] if done.interrupted else read_study_again(laid)
    except KeyboardInterrupt:
        click.echo(f"stopped; finished samples are stored; {go_on}", err=True)
        context.exit(INTERRUPTED)
    except ProviderError as error:
        raise ProviderError(f"{error}\n{go_on}" if laid.out.exists() else str(error)) from error
    failure = print_cells(done, laid.protocol, as_json=as_json, verbose=verbose)
    for problem in done.problems:
        click.echo(printable(f"these arms cannot be compared: {problem}"), err=True)
    if done.used_up:
        click.echo(f"stopped: {done.used_up}", err=True)
    if failure:
        click.echo(printable(f"first sample that ended without a result: {failure}"), err=True)
    unread = sum(one.not_reached for one in read)
    if unread:
        higher = ", with a higher cost limit or without it" if any(one.asked.used_up for one in read) else ""
        words = f"the reader {laid.study.reader} did not read {plural(unread, 'response')}; {go_on}{higher}"
        click.echo(words, err=True)
    if done.left:
        higher = ", with a higher limit or without it" if done.used_up else ""
        click.echo(f"{done.left} samples are left or ended without a result; {go_on}{higher}", err=True)
    context.exit(INTERRUPTED if done.interrupted else int(bool(done.left or done.problems or failure or unread)))
