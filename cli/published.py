"""``medvision-agent published``: models in the layout of MedVision's published tables, beside published figures."""

from pathlib import Path

import click

from medvision_agent.cli.completing import complete_runs
from medvision_agent.eval.scorer.protocol import PROTOCOLS

__all__ = ["command"]


@click.command("published")
@click.argument(
    "folders",
    metavar="RUN|STUDY|RESULTS...",
    nargs=-1,
    required=True,
    shell_complete=complete_runs,
    type=click.Path(path_type=Path),
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write every table as CSV and LaTeX, and the figure (loss of boxes by their size) as SVG and PDF, into "
    "this folder.",
)
@click.option(
    "--published-version",
    "version",
    type=click.Choice(["preprint-v1", "leaderboard-v2"]),
    help="Version of the published results. Default for a run: as for compare. Default for RESULTS: leaderboard-v2 if "
    "the names of their tasks end in -CoT, else preprint-v1.",
)
@click.option(
    "--protocol",
    "protocol_name",
    help=f"Scoring rules: {' or '.join(PROTOCOLS)}; default: those of that version.",
)
@click.option(
    "--plans",
    type=click.Path(path_type=Path),
    metavar="DIR|FILE.json",
    help="For RESULTS that lack the names of labels and modalities: where to look them up. DIR is MedVision's data "
    "folder; FILE.json is a file of tasks.",
)
def command(
    *, folders: tuple[Path, ...], out: Path | None, version: str | None, protocol_name: str | None, plans: Path | None
) -> None:
    """Print models in the layout of MedVision's Tables 2 to 4, each above the published figure of the same model.

    RUN and STUDY are stored by this program, and a folder of them may be given too; RESULTS is a folder of MedVision's
    result files. Of a study, the first epoch and wording of each arm are used. A published figure is printed if the
    same model was asked in the same way. Further tables have success rates, held-out planes and tasks, sizes of targets
    and small angles. No model is asked.
    """
    from medvision_agent.api.publishing import published
    from medvision_agent.cli.printed.table import print_columns, print_wrapped

    found = published(folders, version=version, protocol=protocol_name, plans=plans)
    said = set[str]()
    for table in found.tables:
        print_wrapped(f"{table.caption}:")
        print_columns(table.shown, [column.full for column in table.columns])
        for note in table.notes:
            if note not in said:
                print_wrapped(note)
        said.update(table.notes)
        click.echo()
    for line in found.left_out:
        print_wrapped(f"left out: {line}")
    if out is not None:
        tables, figures = found.write(out)
        click.echo(f"written: {tables} tables, each as CSV and LaTeX, in {out}")
        if figures:
            click.echo(f"written: {figures} figure, as SVG and PDF, in {out}")
