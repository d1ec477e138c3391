"""Print a study: its preview, and the figures of each cell afterwards."""

import json
import shlex
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any

import click

from medvision_agent.text import percent, printable

if TYPE_CHECKING:
    from medvision_agent.api.studying import Ablated
    from medvision_agent.eval.asking.estimate import Spending
    from medvision_agent.eval.findings.model import Findings
    from medvision_agent.eval.scorer.protocol import Protocol
    from medvision_agent.eval.store.run import Run
    from medvision_agent.eval.store.tool_path import ToolPath
    from medvision_agent.eval.study.arms import StoredArm
    from medvision_agent.eval.study.plan import PlannedCell
    from medvision_agent.eval.study.preview import PowerPreview, Preview

__all__ = ["print_cells", "print_preview"]

_SHOWN = 12
"""Maximum number of rows of the table of cells that are printed without ``--verbose``."""


def print_preview(found: "Preview", *, as_json: bool, verbose: bool) -> None:
    """Print the preview of a study as JSON, in five lines, or (*verbose*) with every arm and all assumptions."""
    from medvision_agent.cli.printed.dry_run import preview_lines
    from medvision_agent.cli.printed.table import show_lines

    if as_json:
        click.echo(found.model_dump_json(indent=2))
    elif verbose:
        _print_arms(found)
    else:
        show_lines(preview_lines(found))


def _print_arms(found: "Preview") -> None:
    """Print what each arm would ask, and every assumption."""
    from medvision_agent.cli.printed.table import print_wrapped
    from medvision_agent.text import plural

    print_wrapped(f"nothing was asked: study {found.name}, plan {found.sha256[:12]}")
    several = len(found.sources) > 1
    for cell in found.cells:
        times = f" in {cell.wordings} wordings" if cell.wordings > 1 else ""
        times += f" x {cell.epochs} epochs" if cell.epochs > 1 else ""
        over = f" over {cell.source}" if several else ""
        basis = f"(measured in {cell.measured_in})" if cell.measured_in else "at most"
        basis += " (rules of thumb)" if not cell.measured_in and any(one.measured_in for one in found.cells) else ""
        said = f"{cell.model}, {cell.arm} (tools {cell.condition}){over}{times}: {_spent(cell.spending[-1])} {basis}"
        print_wrapped(said, indent=2)
    for source in found.sources:
        tasks = ", ".join(f"{task} {count}" for task, count in source.tasks.items())
        where = f"{source.source}: " if several else ""
        print_wrapped(f"{where}{source.samples} samples ({tasks}) of {source.subjects} subjects in each cell")
        for task, metric in source.metrics.items():
            print_wrapped(f"{where}loss of {task}: {metric}")
        for task, subjects in source.looks.items():
            print_wrapped(f"{where}looks at {task} after {', '.join(map(str, subjects))} subjects")
    print_wrapped(
        f"contrasts: {'; '.join(found.contrasts) or 'none declared'}; family of {plural(found.tests, 'test')}"
    )
    if found.probes is not None:
        print_wrapped(f"estimated, {found.probes.basis}, counted below: {_spent(found.probes)}")
    if found.canaries is not None:
        print_wrapped(f"estimated for canaries, {found.canaries.basis}, counted below: {_spent(found.canaries)}")
    for row in (found.least, found.most):
        print_wrapped(f"estimated for all cells, {row.basis}: {_spent(row)}")
    print_wrapped(f"({found.assumed})")
    _print_power(found)
    for line in found.noise:
        print_wrapped(line)


def _print_power(found: "Preview") -> None:
    """Print the smallest detectable difference of each task."""
    from medvision_agent.cli.printed.table import print_wrapped

    several = len(found.sources) > 1
    share = f"{'a primary' if found.primaries else 'each'} test's share of it"
    for source in found.sources:
        where = f"{source.source}: " if several else ""
        print_wrapped(f"{where}smallest difference detected at 80% power ({found.power_note[source.source]}):")
        for power in found.power:
            if power.source == source.source:
                print_wrapped(f"  {power.task}: {_detected(power, share)}")
    if found.tests:
        print_wrapped(
            "A verdict needs more: it must survive one more subject in whom the better arm fails (docs/report.md has "
            "the power)."
        )


def _spent(row: "Spending") -> str:
    """Return tokens and US dollars in words."""
    money = "no prices known" if row.usd is None else f"{row.usd:.4f} US dollars"
    return f"{row.input_tokens:,} tokens in, {row.output_tokens:,} out, {money}"


def _detected(power: "PowerPreview", share: str) -> str:
    """Return in words the smallest difference that a test detects at the whole level and at *share*, its part of it."""
    figures = [
        f"{one.in_metric:.3f} in loss" if one.in_metric is not None else f"{one.in_sd:.2f} sd"
        for one in (power.alone, power.in_family)
        if one.in_sd is not None
    ]
    shown = f"{figures[0]} at the whole level, {figures[1]} at {share}" if len(figures) == 2 else "none"
    origin = "measured" if power.icc_measured else "assumed"
    reason = f"; but no claim would be made: {power.alone.withheld}" if power.alone.withheld else ""
    subjects = f"{power.samples} samples, subjects: {power.alone.subjects}, icc {power.icc:.2f} {origin}"
    return f"{shown} ({subjects}){reason}"


def print_cells(done: "Ablated", protocol: "Protocol", *, as_json: bool, verbose: bool) -> str:
    """Print the findings of a study, and as JSON or with *verbose* also the figures of each cell and contrast.

    A cell is one run of the study. The figures are n, success and loss of each cell for each task (always shown if the
    table is short), compute, how far tool calls came, noise, and parity. Returns a line about the first sample that
    ended without a result, or "".
    """
    from medvision_agent.eval.study.arms import stored_arms
    from medvision_agent.eval.study.progress import CellProgress, cell_progress, progress

    plan, asked, rows = done.plan, list[CellProgress](), list[dict[str, Any]]()
    headlines, notes, failures = list[str](), dict[str | None, None](), list[str]()
    took, paths = list[dict[str, Any]](), dict[str, "ToolPath"]()
    for arm in stored_arms(plan, done.path):  # one after the other, because each holds all its records in memory
        headlines += arm.no_claim
        if as_json or verbose:
            took.append(_took(arm))
            if (path := arm.tool_path) is not None:
                paths[arm.name] = path
        for cell, run in zip(arm.cells, arm.runs, strict=True):
            asked.append(cell_progress(plan, cell, run))
            notes |= {f"{cell.folder}: {line}": None for line in (run.drawn, run.enlarged) if line}
            notes |= {run.source_note: None, run.unlike_check: None}
            failures += _failures(cell, run)
            rows += _rows(cell, run, protocol)
    state = progress(plan, asked)
    if as_json:
        found: dict[str, Any] = {"study": str(done.path), "sha256": plan.sha256, "no_claim": headlines, "cells": rows}
        found |= {"asked": state.asked, "planned": state.planned, "progress": state.lines()}
        click.echo(json.dumps(found | _more(done, took, paths, protocol), indent=2, allow_nan=False))
        return failures[0] if failures else ""
    for line in (*headlines, *state.lines()):
        click.echo(printable(line))
    if verbose or len(rows) <= _SHOWN:
        _show_rows(rows, several=len(plan.sources) > 1)
    if verbose:
        _print_more(done, took, paths, protocol)
    for line in filter(None, notes):
        click.echo(printable(line))
    click.echo(f"stored in {done.path}")
    _print_found(done, verbose=verbose)
    return failures[0] if failures else ""


def _took(arm: "StoredArm") -> dict[str, Any]:
    """Return the mean effort for a scored sample of an arm (tokens, seconds, US dollars, ...), by name."""
    from medvision_agent.eval.summary.compute import COMPUTE
    from medvision_agent.eval.summary.efforts import effort_of_runs

    effort = effort_of_runs(arm.runs)
    means = {head: getattr(effort, field).mean for field, head in COMPUTE.items()}
    return {"arm": arm.name, **means, "forced endings": effort.forced_endings.mean}


def _more(
    done: "Ablated", took: Sequence[Mapping[str, Any]], paths: Mapping[str, "ToolPath"], protocol: "Protocol"
) -> dict[str, Any]:
    """Return the fields of the JSON besides those of the cells: compute, tool calls, noise, findings and parity."""
    from medvision_agent.eval.compare.card_words import card_json
    from medvision_agent.eval.study.same import handed_back

    return {
        "compute": took,
        "handed_back": handed_back(done.plan, done.path, protocol),
        "noise": done.noise(protocol),
        "tool_paths": {name: path.model_dump() for name, path in paths.items()},
        "findings": [one.model_dump(mode="json") for one in _found(done)],
        "parity": [
            {"contrast": one.contrast, "model": one.model, "source": one.source} | card_json(one.card)
            for one in done.cards
        ],
    }


def _print_more(
    done: "Ablated", took: Sequence[Mapping[str, Any]], paths: Mapping[str, "ToolPath"], protocol: "Protocol"
) -> None:
    """Print compute, tool calls, noise and parity: a table and sentences on each arm and each contrast."""
    from medvision_agent.eval.study.same import handed_back
    from medvision_agent.eval.summary.compute import compute_note

    if len(took) > 1:
        compute = compute_note(arm.tools for arm in done.plan.arms.values())
        click.echo(f"{compute}; means per scored sample (forced endings: their share):")
        _show(_in_money(took), list(took[0])[1:], ["arm"])
    said = [
        f"{name}: own results handed back; the answer of `on` in {same} of {scored} samples"
        for name, (same, scored) in handed_back(done.plan, done.path, protocol).items()
    ]
    said += [f"{name}: {path}" for name, path in paths.items()]
    for line in (*said, *done.noise(protocol), *_parity(done)):
        click.echo(printable(line))


def _found(done: "Ablated") -> "Sequence[Findings]":
    """Return the findings for each source; empty if no run has begun."""
    from medvision_agent.errors import DataError

    try:
        return done.findings()
    except DataError:
        return ()


def _print_found(done: "Ablated", *, verbose: bool) -> None:
    """Print the findings and the next commands."""
    from medvision_agent.cli.printed.found import found_lines, next_line
    from medvision_agent.cli.printed.table import columns, plain, show

    for found in _found(done):
        for line in ("", found.asked, *found_lines(found, columns())):
            show(plain(line))
    click.echo()
    if not verbose:
        again = f"--out {shlex.quote(str(done.path))} --verbose"
        show(
            plain(
                f"Loss, compute and tool calls of each arm, noise and parity: the report, or this command with {again}"
            )
        )
    click.echo(printable(next_line(done.path)))


def _parity(done: "Ablated") -> list[str]:
    """Return the lines of the parity cards of all contrasts, named with model and source if there are several.

    A parity card says what is proven, assumed and unknowable about whether two arms differ only as declared.
    """
    from medvision_agent.eval.compare.card_words import study_lines

    shown = [len({cell.model for cell in done.plan.cells}) > 1, len(done.plan.sources) > 1]
    parts = ((one.card, one.contrast, (one.model, one.source)) for one in done.cards)
    return study_lines((", ".join([name, *compress(places, shown)]), card) for card, name, places in parts)


def _failures(cell: "PlannedCell", run: "Run") -> list[str]:
    """Return one line, in a list, about the first sample that ended without a result; an empty list if all have one."""
    failed = next((record for record in run.each() if record.outcome.infrastructure), None)
    return [f"{cell.folder}, {failed.sample.id}: {' '.join(failed.detail.split())[-300:]}"] if failed else []


def _rows(cell: "PlannedCell", run: "Run", protocol: "Protocol") -> list[dict[str, Any]]:
    """Return a row for each task of a run of the study: n, success rate (0 to 1) and loss."""
    from medvision_agent.eval.summary.summary import summarise

    return [
        {
            "model": cell.model,
            "arm": cell.arm,
            "source": cell.source,
            "wording": cell.wording,
            "epoch": cell.epoch,
            "task": task,
            "n": summary.n,
            "success_rate": summary.metrics["success_rate"].mean,
            "loss": summary.metrics["loss"].mean,
        }
        for task, summary in summarise(run.each(), protocol).tasks.items()
    ]


def _show_rows(rows: Sequence[Mapping[str, Any]], *, several: bool) -> None:
    """Print the rows of all runs as a table; *several* adds the source to each."""
    worded = any(row["wording"] is not None for row in rows)
    names = ("model", "arm", *(["source"] if several else []), *(["wording"] if worded else []), "epoch", "task")
    _show(rows, ("n", "success_rate", "loss"), names)


def _show(rows: Sequence[Mapping[str, Any]], figures: Sequence[str], names: Sequence[str]) -> None:
    """Print rows as a table; *names* and *figures* are keys of the rows, for the left and the right columns."""
    from medvision_agent.cli.printed.table import new_table, plain, show

    table = new_table(figures, names)
    for row in rows:
        table.add_row(*(plain(_cell(row[head], head)) for head in (*names, *figures)))
    show(table)


def _in_money(took: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the rows with US dollars as texts of four significant digits, because one sample costs little."""
    costs = [one["US dollars"] for one in took]
    return [
        one if cost is None else {**one, "US dollars": f"{cost:.4g}"} for one, cost in zip(took, costs, strict=True)
    ]


def _cell(value: object, head: str) -> str:
    """Return a value for a table cell: rates in per cent, other fractions with three decimals, ``-`` for None."""
    if isinstance(value, float):
        return percent(value) if head in {"success_rate", "forced endings"} else f"{value:.3f}"
    return "-" if value is None else str(value)
