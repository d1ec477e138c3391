"""``medvision-agent compare``: two runs of the same samples side by side, paired; or a run and published results."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medvision_agent.cli.completing import complete_runs
from medvision_agent.cli.options import protocol_option

if TYPE_CHECKING:
    from medvision_agent.eval.scorer.primary import Failures

__all__ = ["command"]


@click.command("compare")
@click.argument("run_a", shell_complete=complete_runs, type=click.Path(path_type=Path))
@click.argument("run_b", shell_complete=complete_runs, type=click.Path(path_type=Path), required=False)
@click.option("--published", is_flag=True, help="Put the results MedVision published beside RUN_A.")
@click.option(
    "--published-version",
    "version",
    type=click.Choice(["preprint-v1", "leaderboard-v2"]),
    help="With --published: which ones; default: those whose models were asked by the recipe and form of RUN_A.",
)
@protocol_option
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    help="Loss by which the runs are compared (docs/report.md); TASK=METRIC for one task. Repeat the option for more.",
)
@click.option(
    "--failures",
    type=click.Choice(["worst", "chance"]),
    default="worst",
    show_default=True,
    help="What a failure costs: as much as the worst answer, or as the best constant answer.",
)
@click.option("--models", is_flag=True, help="RUN_A and RUN_B are of two models under the same condition.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def command(
    run_a: Path,
    run_b: Path | None,
    protocol_name: str,
    metrics: tuple[str, ...],
    failures: "Failures",
    *,
    published: bool,
    version: str | None,
    models: bool,
    as_json: bool,
) -> None:
    """Put RUN_B beside RUN_A, sample by sample. Runs that differ in more than their tools are refused.

    With --models, the two are of two models under the same condition, and may differ in nothing else.

    With --published, RUN_A (of MedVision samples) stands beside the published results instead, and what is not the
    same in both is said.
    """
    if published and run_b is not None:
        raise click.UsageError("--published takes one run; give RUN_B or --published")
    if version and not published:
        raise click.UsageError("--published-version says which results --published prints; give --published too")
    if published and models:
        raise click.UsageError("--models is for two runs")
    if published and (metrics or failures != "worst"):
        raise click.UsageError("--metric and --failures are for two runs; published results have metrics of their own")
    if not published and run_b is None:
        raise click.UsageError("what is RUN_A to be compared with? Give RUN_B or --published")
    from medvision_agent.api.comparing import BesidePublished, Compared, compare, compare_published
    from medvision_agent.eval.scorer.primary import declared_by

    if run_b is None:
        found: BesidePublished | Compared = compare_published(run_a, protocol_name, version=version)
    else:
        found = compare(run_a, run_b, protocol_name, metric=declared_by(metrics), failures=failures, models=models)
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.compare import comparison_view, published_view
    from medvision_agent.cli.printed.table import columns, show

    if isinstance(found, BesidePublished):
        show(published_view(found))
    else:
        show(comparison_view(found, columns()))
