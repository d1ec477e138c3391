"""``medvision-agent decisions``: categories from stored measurements, compared with those of the ground truth."""

import json
from pathlib import Path

import click

from medvision_agent.cli.options import plans_option, protocol_option, results_argument

__all__ = ["command"]


@click.command("decisions")
@results_argument
@protocol_option
@click.option(
    "--rules",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE.yaml",
    help="YAML file of your own decision rules, instead of the shipped rules (docs/decisions.md).",
)
@plans_option
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(
    *, results: tuple[Path, ...], protocol_name: str, rules: Path | None, plans: Path | None, as_json: bool
) -> None:
    """Sort stored measurements into clinical categories, and count those that agree with the ground truth.

    RESULTS are folders of runs, result files of MedVision (FILE.jsonl[.gz]), or folders of such files. If they
    are exactly two runs, these must differ only in their tools; then it also prints how many decisions the second run
    turns right or wrong, and at what cost. No model is asked, and nothing stored is changed.
    """
    from medvision_agent.api.deciding import decisions

    found = decisions(*results, protocol=protocol_name, rules=rules, plans=plans)
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.decisions import decisions_view
    from medvision_agent.cli.printed.table import show

    show(decisions_view(found))
