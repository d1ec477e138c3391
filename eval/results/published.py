"""A run by MedVision's summaries, and beside the results that MedVision published: figures, and what is not the same.

Contract: the published figures are the page's own, as texts (``eval/data/medvision/published_results.json``). The run's
are made from its records as MedVision's summaries make them, with the number of samples they rest on; where they have
none, None. The list of differences is never empty: no run repeats the published conditions.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from medvision_agent.errors import DataError
from medvision_agent.eval.results.build import build_answers
from medvision_agent.eval.results.export import rows_by_task
from medvision_agent.eval.results.summary import Section, sections
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.tools.view.frames import MEDVISION

__all__ = ["Figures", "differences", "published_tables", "run_figures", "run_sections"]


PublishedTables = Mapping[str, Any]
_RULES = "paper-v1"
_ANNOTATIONS = "1.0.0"
_BOXES = {"R": "Recall", "P": "Precision", "F1": "F1", "IoU": "IoU", "SR": "SuccessRate", "IoU>0.5": "IoU>0.5"}
_SIDES = {"Anatomy": "anatomy", "Tumor/Lesion": "T/L"}
_GROUPS = {
    "Ceph-Bio-400 distance": "Ceph-Distance",
    "Ceph-Bio-400 angle": "Ceph-Angle",
    "FeTA24 distance": "FeTA-Distance",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """The run's figures for one part of a published table."""

    values: Mapping[str, float | None]
    """By column, in the column's unit."""
    n: int
    """Samples behind them, failures included."""


def published_tables() -> PublishedTables:
    """Return the published tables as they are stored."""
    text = (files("medvision_agent.eval.data.medvision") / "published_results.json").read_text(encoding="utf-8")
    tables: PublishedTables = json.loads(text)
    return tables


def run_sections(records: Sequence[Record], protocol: Protocol) -> list[Section]:
    """Return MedVision's group summaries of *records*, a section for each family, as of an exported run.

    Empty for a run over other data. Infrastructure failures are left out, as everywhere; a result without an answer has
    an empty response. Both splits of a task in one run are a DataError, as MedVision's names do not tell them apart.
    """
    kept = [record for record in records if not record.outcome.infrastructure]
    if not kept or any(record.sample.medvision is None for record in kept):
        return []
    return _sections(kept, protocol)


def _sections(kept: Sequence[Record], protocol: Protocol) -> list[Section]:
    tasks = rows_by_task(kept).items()
    return sections([build_answers(rows, f"run_samples_{task}.jsonl") for task, rows in tasks], protocol)


def run_figures(records: Sequence[Record], protocol: Protocol) -> dict[str, dict[str, Figures]]:
    """Return the figures by family and part of its table, for the families the run has samples of."""
    kept = [record for record in records if not record.outcome.infrastructure]
    if not kept:
        raise DataError("nothing to put beside the published results: no sample of the run ended in a result")
    return {section.batch.family: _figures(section.summary) for section in _sections(kept, protocol)}


def _figures(summary: Mapping[str, Any]) -> dict[str, Figures]:
    match summary["task_type"]:
        case "Detection":
            sides = summary["printed_table"]
            return {part: _cells(sides[side], _BOXES, sides[side]["total_samples"]) for part, side in _SIDES.items()}
        case "TL":
            line = summary["aggregate"]
            names = {name: f"weighted_avg_{name.lower()}" for name in ("MAE", "MRE", "SR")}
            names |= {name: f"weighted_{name.lower()}" for name in ("MRE<0.1", "MRE<0.2", "MRE<0.3")}
            return {"Tumor/Lesion": _cells(line, names, line["total_samples"])}
        case _:
            averages = summary["group_averages"]
            names = {name: name for name in ("MAE", "MRE", "SR", "MRE<0.1")}
            return {part: _cells(averages[group], names, averages[group]["samples"]) for part, group in _GROUPS.items()}


def _cells(figures: Mapping[str, Any], names: Mapping[str, str], n: int) -> Figures:
    """Return figures in the page's units: percent for all but MAE. Infinite ones, which are texts, are none."""
    found = {name: figures.get(source) for name, source in names.items()}
    values = {
        name: float(value) * (1 if name == "MAE" else 100) if isinstance(value, int | float) else None
        for name, value in found.items()
    }
    return Figures(values, n)


def differences(run: Run, protocol: Protocol) -> list[str]:
    """Return what is not the same in the run and in the published results, one line each."""
    return [*_asking(run, protocol), *_samples(run)]


def _asking(run: Run, protocol: Protocol) -> Iterator[str]:
    identity = run.identity
    recipe, form, reshape = identity.recipe, identity.form, identity.reshape
    if protocol.name != _RULES:
        yield f"scoring: {protocol.name} here, {_RULES} there (--protocol {_RULES} applies it)"
    if recipe != _RULES or form != "direct" or reshape:
        size = f", reshaped to {reshape[0]} x {reshape[1]}" if reshape else ""
        yield f"recipe: {recipe}, form {form}{size} here; {_RULES}, form direct there"
    own = identity.prompt_file_sha256
    words = f"a prompt file of your own ({own[:12]}), unknown to this program," if own else "this program's own"
    yield f"prompt wording: {words} here; MedVision's there"
    if (frame := identity.model.get("frame", MEDVISION.name)) != MEDVISION.name:
        yield f"coordinate convention: {frame} here (boxes are converted); MedVision's own there"
    own_code = "the provider's code execution" if identity.provider_code else "none"
    tools = ", ".join(identity.tools) or own_code
    yield f"tools: {tools} here; none there, or the provider's own where a row says 'w tool'"
    limits = ", ".join(f"{name} {value:g}" for name, value in identity.limits if value is not None)
    yield f"limits of a sample: {limits} here; others there, not stated on the page"


def _samples(run: Run) -> Iterator[str]:
    scored = [record.sample for record in run.records if not record.outcome.infrastructure]
    subjects = len({sample.subject for sample in scored})
    chosen = run.config.get("selection", {}).get("limit")
    limit = f", at most {chosen} of each task" if chosen else ""
    datasets = ", ".join(sorted({sample.dataset for sample in scored}))
    yield (
        f"samples: {len(scored)} of {subjects} subjects in {datasets}{limit} here; test samples of all its data sets, "
        "at most 1,000 of each task, there"
    )
    if len(scored) < len(run.samples):
        yield f"samples left out here: {len(run.samples) - len(scored)} unfinished or ended in infrastructure failures"
    splits = {sample.medvision.config.rpartition("_")[2] for sample in scored if sample.medvision}
    if splits != {"Test"}:
        yield f"split: {', '.join(sorted(splits))} here; Test there"
    if run.config.get("reading", {}).get("filters") is False:
        yield "filters: samples that MedVision filters out are among these here"
    versions = sorted({sample.medvision.annotation_version for sample in scored if sample.medvision})
    same = versions == [_ANNOTATIONS]
    yield (
        f"annotation version: {', '.join(versions)} here; not stated on the page, {_ANNOTATIONS} at its time"
        + (" (probably the same)" if same else "")
    )
