"""``medvision-agent compare``: two runs of the same samples side by side, paired; or a run and published results."""

import json
from pathlib import Path

import click

from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, PROTOCOLS

__all__ = ["command"]


@click.command("compare")
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path), required=False)
@click.option("--published", is_flag=True, help="Put the results MedVision published beside RUN_A.")
@click.option("--protocol", "protocol_name", default=DEFAULT_PROTOCOL, show_default=True, help=", ".join(PROTOCOLS))
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def command(run_a: Path, run_b: Path | None, protocol_name: str, *, published: bool, as_json: bool) -> None:
    """Put RUN_B beside RUN_A, sample by sample. Runs that differ in more than their tools are refused.

    With --published, RUN_A (of MedVision samples) stands beside the published results instead, and what is not the
    same in both is said.
    """
    if published and run_b is not None:
        raise click.UsageError("--published takes one run; give RUN_B or --published")
    if published:
        _beside_published(run_a, protocol_name, as_json=as_json)
    elif run_b is not None:
        _beside_run(run_a, run_b, protocol_name, as_json=as_json)
    else:
        raise click.UsageError("what is RUN_A to be compared with? Give RUN_B or --published")


def _beside_published(run: Path, protocol: str, *, as_json: bool) -> None:
    from medvision_agent.api.comparing import compare_published

    found = compare_published(run, protocol)
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.compare import published_view
    from medvision_agent.cli.printed.table import show

    show(published_view(found))


def _beside_run(run_a: Path, run_b: Path, protocol: str, *, as_json: bool) -> None:
    from medvision_agent.api.comparing import compare

    found = compare(run_a, run_b, protocol)
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.compare import comparison_view
    from medvision_agent.cli.printed.table import show

    show(comparison_view(found.comparison, found.a.facts, found.b.facts, found.a.source_note, found.no_claim))
