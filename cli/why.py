"""``medvision-agent why``: loss and errors of a stored run in parts, and how its model went about its samples."""

import json
from pathlib import Path

import click

from medvision_agent.cli.completing import complete_protocols, complete_runs
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, PROTOCOLS, protocol

__all__ = ["command"]


@click.command("why")
@click.argument("run", shell_complete=complete_runs, type=click.Path(path_type=Path))
@click.option(
    "--protocol",
    "protocol_name",
    default=DEFAULT_PROTOCOL,
    show_default=True,
    shell_complete=complete_protocols,
    help=", ".join(PROTOCOLS),
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(*, run: Path, protocol_name: str, as_json: bool) -> None:
    """Split the loss of a stored RUN into wrong object, seeing, arithmetic and unit, and show how tools were used.

    Nothing is asked of a model, and what is stored is not changed.
    """
    from medvision_agent.eval.parts.summary import parts_of_run, summarise_parts
    from medvision_agent.eval.place.located import located_run
    from medvision_agent.eval.place.summary import summarise_place
    from medvision_agent.eval.store.read import open_run
    from medvision_agent.eval.why.summary import summarise_why

    rules = protocol(protocol_name)
    stored = open_run(run)
    summary, places = summarise_why(stored, rules), summarise_place(stored, located_run(stored, rules))
    parts = summarise_parts(parts_of_run(stored, rules))
    if as_json:
        content = {"run": str(stored.folder), "facts": stored.facts, "why": summary.model_dump(mode="json")}
        content["place"] = {task: one.model_dump(mode="json") for task, one in places.items()}
        content["parts"] = {task: one.model_dump(mode="json") for task, one in parts.items()}
        click.echo(json.dumps(content, indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.table import show
    from medvision_agent.cli.printed.why import why_view

    show(why_view(summary, stored.facts, stored.source_note, places=places, parts=parts))
