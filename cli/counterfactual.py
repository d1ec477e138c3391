"""``medvision-agent counterfactual``: what stored answers would score with exact arithmetic and the true points."""

import json
from pathlib import Path

import click

from medvision_agent.cli.options import plans_option, protocol_option, results_argument

__all__ = ["command"]


@click.command("counterfactual")
@results_argument
@protocol_option
@plans_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the tables as CSV and the figure as SVG and PDF into this new folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(
    *, results: tuple[Path, ...], protocol_name: str, plans: Path | None, out: Path | None, as_json: bool
) -> None:
    """Score stored answers again with exact arithmetic, and with the points of the ground truth.

    RESULTS is the folder of a run, a result file of MedVision (FILE.jsonl[.gz]), or a folder of such files. Three
    losses are added to that of each answer: with its own points, measured exactly (ruler, protractor, pixel size,
    arithmetic); with the points of the ground truth and its own arithmetic; and with both. This shows how much a
    calculator or a ruler can gain, before money is spent. No model is asked, and nothing stored is changed.
    """
    from medvision_agent.api.counterfactuals import counterfactual, write_counterfactuals

    found = [one for path in results for one in counterfactual(path, protocol_name, plans)]
    files = write_counterfactuals(found, out) if out is not None else []
    if as_json:
        content = [one.to_json() for one in found]
        click.echo(json.dumps(content[0] if len(content) == 1 else content, indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.counterfactual import counterfactual_view, next_lines
    from medvision_agent.cli.printed.table import show, show_lines

    for place, one in enumerate(found):
        if place:
            click.echo()
        show(counterfactual_view(one))
    show_lines([*(f"written: {file}" for file in files), *next_lines(results, out)])
