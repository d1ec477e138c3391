"""``medvision-agent compare``: two runs of the same samples side by side, paired."""

import json
from pathlib import Path

import click

from medvision_agent.errors import ConfigError
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, PROTOCOLS, protocol

__all__ = ["command"]


@click.command("compare")
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@click.option("--protocol", "protocol_name", default=DEFAULT_PROTOCOL, show_default=True, help=", ".join(PROTOCOLS))
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def command(run_a: Path, run_b: Path, protocol_name: str, as_json: bool) -> None:
    """Put RUN_B beside RUN_A, sample by sample. Runs that differ in more than their tools are refused."""
    from medvision_agent.eval.compare import compare
    from medvision_agent.eval.parity import parity
    from medvision_agent.eval.store import open_run

    rules = protocol(protocol_name)
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
    from medvision_agent.eval.tables import show
    from medvision_agent.eval.tables_compare import comparison_view

    show(comparison_view(comparison, a.facts, b.facts, a.source_note))
