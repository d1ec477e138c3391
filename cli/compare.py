"""``medvision-agent compare``: two runs of the same samples, paired; or a run and published results."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medvision_agent.cli.completing import complete_runs
from medvision_agent.cli.options import protocol_option, reader_options

if TYPE_CHECKING:
    from medvision_agent.api.reading import PairRead
    from medvision_agent.eval.scorer.primary import Failures

__all__ = ["command"]


@click.command("compare")
@click.argument("run_a", shell_complete=complete_runs, type=click.Path(path_type=Path))
@click.argument("run_b", shell_complete=complete_runs, type=click.Path(path_type=Path), required=False)
@click.option("--published", is_flag=True, help="Compare RUN_A with MedVision's published results, not with RUN_B.")
@click.option(
    "--published-version",
    "version",
    type=click.Choice(["preprint-v1", "leaderboard-v2"]),
    help="With --published: version of the published results. Default: the newest whose models were asked by the "
    "recipe and the form of RUN_A, or else by its recipe, or else the newest.",
)
@protocol_option
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    help="Loss by which the runs are compared: loss (that of the task), relative, log-ratio, absolute, iou, iou>0.5 or "
    "mre<0.1 (docs/report.md). TASK=METRIC is for one task; repeat the option for more.  [default: loss]",
)
@click.option(
    "--failures",
    type=click.Choice(["worst", "chance"]),
    default="worst",
    show_default=True,
    help="Loss of a failed answer: that of the worst answer (1), or that of the best constant answer (chance); all "
    "losses are then divided by the latter, and are 2 at most.",
)
@click.option(
    "--models",
    is_flag=True,
    help="Compare two models under the same condition, instead of two conditions of one model.",
)
@reader_options
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    run_a: Path,
    run_b: Path | None,
    protocol_name: str,
    metrics: tuple[str, ...],
    failures: "Failures",
    reader: str | None,
    models_file: str | None,
    reader_max_cost: float | None,
    published: bool,
    version: str | None,
    models: bool,
    as_json: bool,
) -> None:
    """Compare RUN_B with RUN_A, sample by sample. Runs that differ in more than their tools are refused.

    With --models, the two runs must be of two models under the same condition, and may differ in nothing else.

    With --reader, the losses of both runs are compared by both readings of their responses (docs/reading.md). Only then
    a model is asked. Exit code 1: the reader did not read all responses.

    With --published, RUN_A (of MedVision's samples) is compared with the published results, and all known differences
    between the two experiments are listed.
    """
    _check(context.params)
    if reader is not None and run_b is not None:
        from medvision_agent.api.reading import read_pair

        both = read_pair(
            run_a,
            run_b,
            reader,
            protocol=protocol_name,
            models_file=models_file,
            most_usd=reader_max_cost,
            progress=True,
        )
        _print_both(both, as_json=as_json)
        context.exit(0 if both.a.whole and both.b.whole else 1)
    from medvision_agent.api.comparing import BesidePublished, Compared, compare, compare_published
    from medvision_agent.eval.scorer.primary import declared_by

    if published or run_b is None:
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


def _check(given: Mapping[str, Any]) -> None:
    """Raise UsageError for options that cannot be combined."""
    published, models, two = given["published"], given["models"], given["run_b"] is not None
    measured = given["metrics"] or given["failures"] != "worst"
    refused = {
        "--published takes one run; leave out RUN_B, or leave out --published": published and two,
        "--reader compares two runs by two readings of their responses, and can be combined with --protocol only; "
        "leave out --published, --models, --metric and --failures": given["reader"] is not None
        and (published or models or measured),
        "--models-file and --reader-max-cost need --reader; give --reader too": given["reader"] is None
        and (given["models_file"] is not None or given["reader_max_cost"] is not None),
        "--published-version needs --published; give --published too": given["version"] and not published,
        "--models needs two runs; give RUN_B instead of --published": published and models,
        "--metric and --failures need two runs; published results have fixed metrics: leave them out": published
        and measured,
        "RUN_A has nothing to be compared with; give RUN_B or --published": not published and not two,
    }
    for why in (why for why, so in refused.items() if so):
        raise click.UsageError(why)


def _print_both(found: "PairRead", *, as_json: bool) -> None:
    """Print two runs under both readings of their responses, as tables or JSON."""
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.reading import pair_read_view
    from medvision_agent.cli.printed.table import show

    show(pair_read_view(found))
