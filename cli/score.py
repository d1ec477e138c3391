"""``medvision-agent score``: score a stored run again, by either protocol."""

import json
from pathlib import Path

import click

from medvision_agent.errors import ConfigError
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, PROTOCOLS, protocol

__all__ = ["command"]


@click.command("score")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--protocol", "protocol_name", default=DEFAULT_PROTOCOL, show_default=True, help=", ".join(PROTOCOLS))
@click.option("--samples", type=click.Path(path_type=Path), metavar="OUT.jsonl", help="Write one JSON line per sample.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def command(run: Path, protocol_name: str, samples: Path | None, as_json: bool) -> None:
    """Score the stored run in the folder RUN again. Nothing is asked of a model, and the run is not changed."""
    from medvision_agent.cli.summary import print_summary
    from medvision_agent.eval.rows import sample_row
    from medvision_agent.eval.store import open_run

    rules = protocol(protocol_name)
    stored = open_run(run)
    if samples is not None:
        lines = [json.dumps(sample_row(record, rules), allow_nan=False) + "\n" for record in stored.records]
        try:
            samples.write_text("".join(lines), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"--samples {samples} cannot be written: {error.strerror}") from error
    print_summary(stored, rules, as_json=as_json)
