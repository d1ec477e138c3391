"""``medvision-agent compare``: two runs of the same samples side by side, paired; or a run and published results."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from medvision_agent.errors import ConfigError
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, PROTOCOLS, Protocol, protocol

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
    rules = protocol(protocol_name)
    if published and run_b is not None:
        raise click.UsageError("--published takes one run; give RUN_B or --published")
    if published:
        _beside_published(run_a, rules, as_json=as_json)
    elif run_b is not None:
        _beside_run(run_a, run_b, rules, as_json=as_json)
    else:
        raise click.UsageError("what is RUN_A to be compared with? Give RUN_B or --published")


def _beside_published(folder: Path, rules: Protocol, *, as_json: bool) -> None:
    from medvision_agent.eval.results.published import differences, published_tables, run_figures
    from medvision_agent.eval.store.read import open_run

    run, tables = open_run(folder), published_tables()
    figures, different = run_figures(run.records, rules), differences(run, rules)
    if as_json:
        parts = {family: {part: asdict(one) for part, one in own.items()} for family, own in figures.items()}
        content = {"run": parts, "protocol": rules.name, "not_the_same": different, "published": tables}
        click.echo(json.dumps(content | {"facts": run.facts}, indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.published import published_view
    from medvision_agent.cli.printed.table import show

    facts = [*run.facts, f"scored by {rules.name}", *([run.source_note] if run.source_note else [])]
    scored = sum(not record.outcome.infrastructure for record in run.records)
    show(published_view(tables, figures, str(run.identity["model_name"]), facts, different, scored=scored))


def _beside_run(run_a: Path, run_b: Path, rules: Protocol, *, as_json: bool) -> None:
    from medvision_agent.eval.compare.compare import compare
    from medvision_agent.eval.compare.parity import parity
    from medvision_agent.eval.store.read import open_run

    a, b = open_run(run_a), open_run(run_b)
    different = parity(a.identity, b.identity, a.records, b.records)
    if different:
        listed = "".join(f"\n  {line}" for line in different)
        raise ConfigError(
            f"{run_a} (A) and {run_b} (B) differ in more than their tools, so no difference in their "
            f"results could be put down to the tools:{listed}"
        )
    comparison = compare(a.records, b.records, rules, chosen=len(a.samples))
    if as_json:
        arms = {arm: {"facts": run.facts, "identity": dict(run.identity)} for arm, run in (("a", a), ("b", b))}
        notes = {"source_note": a.source_note, "comparison": comparison.model_dump(mode="json")}
        click.echo(json.dumps(arms | notes, indent=2, allow_nan=False))
        return
    from medvision_agent.cli.printed.compare import comparison_view
    from medvision_agent.cli.printed.table import show

    show(comparison_view(comparison, a.facts, b.facts, a.source_note))
