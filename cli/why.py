"""``medvision-agent why``: the parts of loss and errors of stored answers, and how a run's model used its tools."""

import json
from pathlib import Path

import click

from medvision_agent.cli.options import plans_option, protocol_option, results_argument

__all__ = ["command"]


@click.command("why")
@results_argument
@protocol_option
@plans_option
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(*, results: tuple[Path, ...], protocol_name: str, plans: Path | None, as_json: bool) -> None:
    """Split the loss of stored answers into wrong object, seeing, arithmetic and unit; show how a run used its tools.

    The part seeing comes from imprecise points; docs/why.md defines all parts. RESULTS is the folder of a run, a result
    file of MedVision (FILE.jsonl[.gz]), or a folder of such files. No model is asked, and nothing stored is changed.
    """
    from medvision_agent.api.explaining import explain_results

    found = [one for path in results for one in explain_results(path, protocol_name, plans)]
    if as_json:
        content = [one.to_json() for one in found]
        click.echo(json.dumps(content[0] if len(content) == 1 else content, indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.table import show
    from medvision_agent.cli.printed.why import why_view

    for place, one in enumerate(found):
        if place:
            click.echo()
        show(why_view(one.summary, one.facts, places=one.places, parts=one.parts, labels=one.labels))
