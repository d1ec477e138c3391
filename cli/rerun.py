"""``medvision-agent rerun``: a stored run once more, from what it stored."""

from pathlib import Path

import click

from medvision_agent.cli.run import carry_out
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL

__all__ = ["command"]


@click.command()
@click.argument("run", type=click.Path(path_type=Path, file_okay=False))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder of the new run.")
@click.option(
    "--tools", metavar="on|off|NAME,NAME|code|blind|sham|again:N", help="Another condition; default: the same."
)
@click.option("--protocol", default=DEFAULT_PROTOCOL, show_default=True, help="How the printed summary scores.")
@click.option("--resume", is_flag=True, help="Continue the run in --out.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def command(
    context: click.Context, /, run: Path, out: Path, tools: str | None, protocol: str, *, resume: bool, as_json: bool
) -> None:
    """Ask once more what RUN asked, or the same under another condition.

    The model's row, samples, prompts and limits come from the store, whatever the catalogue says by now. Should
    anything come out differently all the same (the package, a data file), it is named before the first request.
    """
    from dataclasses import replace

    from medvision_agent.eval.asking.launch import prepare
    from medvision_agent.eval.asking.rerun import changes, settings_of
    from medvision_agent.eval.scorer.protocol import protocol as protocol_named
    from medvision_agent.eval.store.read import open_run

    scoring, stored = protocol_named(protocol), open_run(run)
    prepared = prepare(replace(settings_of(stored, out, tools), resume=resume))
    if changed := changes(stored.identity, prepared.identity):
        click.echo(f"not as in {run}: {', '.join(changed)}", err=True)
    carry_out(context, prepared, scoring, as_json=as_json)
