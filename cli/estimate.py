"""Printing what ``--dry-run`` found: samples, a prompt of each task, tokens and money."""

from typing import TYPE_CHECKING

import click

from medvision_agent.text import printable

if TYPE_CHECKING:
    from medvision_agent.eval.asking.estimate import Estimate

__all__ = ["print_estimate"]


def print_estimate(estimate: "Estimate", *, as_json: bool) -> None:
    """Print an estimate as text or JSON."""
    if as_json:
        click.echo(estimate.model_dump_json(indent=2))
        return
    for task, prompt in estimate.prompts.items():
        click.echo(f"--- prompt of the first {task} sample, after its picture\n{printable(prompt, lines=True)}\n")
    tasks = ", ".join(f"{task} {count}" for task, count in estimate.tasks.items())
    click.echo(f"nothing was asked: model {estimate.model}, tools {estimate.condition}")
    click.echo(f"{estimate.samples} samples ({tasks}), {estimate.subjects} subjects")
    for row in estimate.spending:
        money = "no prices known" if row.usd is None else f"{row.usd:.4f} US dollars"
        click.echo(f"estimated, {row.basis}: {row.input_tokens:,} tokens in, {row.output_tokens:,} out, {money}")
    click.echo(f"({estimate.assumed})")
