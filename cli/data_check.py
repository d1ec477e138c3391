"""``medvision-agent data check``: list all problems of a source of samples."""

import json
from typing import TYPE_CHECKING, Any

import click

from medvision_agent.cli.data_medvision import facts_of, print_rows
from medvision_agent.cli.sampling import reading_options, reading_with
from medvision_agent.text import plural, printable

if TYPE_CHECKING:
    from medvision_agent.eval.checking.finding import Checked
    from medvision_agent.eval.data.medvision.survey import Survey

__all__ = ["check"]


@click.command()
@click.argument("data", metavar="FILE|DIR|NAME")
@reading_options
@click.option(
    "--unchecked",
    metavar="RULE",
    multiple=True,
    help="pixel-size or shared-picture: do not apply this rule, because the data that it would refuse is right "
    "(docs/data.md). Repeat the option for the second rule.",
)
@click.option(
    "--quick", is_flag=True, help="MedVision only: do not unpack volumes; damage inside them is then not found."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def check(
    context: click.Context, /, data: str, unchecked: tuple[str, ...], quick: bool, as_json: bool, **options: Any
) -> None:
    """List all problems of samples in a file, a folder, or any source that --data accepts.

    A folder is MedVision's data folder, or one that holds samples.jsonl or samples.parquet. The check does not stop at
    the first problem.

    Exit code 0: nothing is refused, though there may be warnings; 2: something is refused.
    """
    from medvision_agent.api.checking import name_of, opened
    from medvision_agent.eval.checking.check import check_folder, check_source
    from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading

    name, survey = name_of(data), None
    source = opened(name, reading_with(Reading(), options))
    if isinstance(source, MedVisionSource):
        say = (lambda _: None) if as_json else (lambda problem: click.echo(printable(f"refused: {problem}")))
        checked, survey = check_folder(source, say, unpack=not quick, unchecked=unchecked)
    else:
        checked = check_source(source, unchecked)
    if as_json:
        click.echo(json.dumps(_plain(checked, name, survey), indent=1, ensure_ascii=False))
    else:
        _print(checked, name, survey, quick=quick)
    context.exit(2 if checked.refusals else 0)


def _plain(checked: "Checked", name: str, survey: "Survey | None") -> dict[str, Any]:
    """Return the result of a check as JSON data; of MedVision's folder (*survey*), with the counts by configuration."""
    found = {
        "data": name,
        "samples": checked.samples,
        "refusals": checked.refusals,
        "refused": [_finding(one) for one in checked.refused],
        "warnings": [_finding(one.first) | {"samples": one.samples} for one in checked.warnings],
        "unchecked": list(checked.unchecked),
    }
    return found if survey is None else found | {"configs": facts_of(survey)}


def _finding(finding: Any) -> dict[str, str]:
    """Return a problem of a sample as JSON data."""
    return {name: getattr(finding, name) for name in ("rule", "place", "field", "message")}


def _print(checked: "Checked", name: str, survey: "Survey | None", *, quick: bool) -> None:
    """Print the problems that were not printed while they were found, the counts, and a summary in one line."""
    for finding in checked.refused:
        if finding.rule != "data-folder":  # printed already when it was found
            click.echo(printable(f"refused: {finding}"))
    if (rest := checked.refusals - len(checked.refused)) > 0:
        click.echo(f"refused: and {rest} more")
    for warned in checked.warnings:
        click.echo(printable(f"warning: {warned}"))
    if survey is not None:
        print_rows(survey)
    told = f"{plural(checked.samples, 'sample')}: {plural(checked.refusals, 'mistake')}"
    told += f", {plural(len(checked.warnings), 'warning')}"
    if checked.unchecked:
        told += f" (not checked: {', '.join(checked.unchecked)})"
    click.echo(printable(f"{told} in {name}{' (volumes not unpacked)' if quick and survey is not None else ''}"))
