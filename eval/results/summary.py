"""Summaries of answers as MedVision makes them, with our sound figures added.

Contract: a section has the structure of MedVision's own figures; all our additions are under the key
``medvision_agent``: what was left out and why, the sound figures, the convention ceiling, and the statistics of all
samples together. Strict JSON.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from medvision_agent.eval.scorer.answers import Answers
from medvision_agent.eval.scorer.batch import Batch, score_batch
from medvision_agent.eval.scorer.ceiling import answers_ceiling
from medvision_agent.eval.scorer.medvision.boxsize import box_ratios, box_size_tables
from medvision_agent.eval.scorer.medvision.keys import Grouping, Removed, group_batch
from medvision_agent.eval.scorer.medvision.models import (
    group_averages,
    landmark_line,
    lesion_line,
    printed_table,
    sides,
)
from medvision_agent.eval.scorer.medvision.sound import sound_figures
from medvision_agent.eval.scorer.medvision.statistics import (
    Statistics,
    box_statistics,
    error_statistics,
    parse_iou,
    parse_results,
    rows_by,
)
from medvision_agent.eval.scorer.nmae import diagonals
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.tasks import Family
from medvision_agent.frozen import strict
from medvision_agent.text import plural

__all__ = ["Section", "sample_lines", "section", "sections"]

OURS = "medvision_agent"


@dataclass(frozen=True, slots=True)
class Section:
    """The summary of one family's answers, with the scores and groups from which it was made."""

    batch: Batch
    grouping: Grouping
    protocol: Protocol
    summary: dict[str, Any]


def sections(
    answers: Iterable[Answers], protocol: Protocol, *, removed: Collection[Removed] = (), box_sizes: bool = False
) -> list[Section]:
    """Return a section for each family among *answers*, scored by *protocol*.

    Samples in *removed* enter no group of sizes; *box_sizes* adds the tables by box size to detection.
    """
    batches = [score_batch(own, protocol) for own in Answers.by_family(answers)]
    return [section(batch, protocol, removed, box_sizes=box_sizes) for batch in batches]


def section(batch: Batch, protocol: Protocol, removed: Collection[Removed] = (), *, box_sizes: bool = False) -> Section:
    """Return the section of one family's scores; *removed* and *box_sizes* are as for ``sections``."""
    grouping = group_batch(batch, protocol, removed if batch.family == "TL" else ())
    statistics = box_statistics if batch.family == "Detection" else error_statistics
    rows = rows_by(grouping.keys, grouping.counted)
    groups = {name: statistics(batch, own, protocol) for name, own in rows.items()}
    summary: dict[str, Any] = {
        "version": protocol.version,
        "task_type": batch.family,
        "numpy": "1.26.4" if protocol.numpy1 else "2.2.6",
        "n_inputs": len(batch),
        "parse_stage_results": parse_results(batch, protocol),
        "groups": groups,
        **_lines(batch.family, groups, protocol),
    }
    if box_sizes and batch.family == "Detection":
        summary["boxsize"] = box_size_tables(batch, grouping.counted, protocol)
    summary[OURS] = {
        "protocol": protocol.name,
        "notes": [*_stops(batch, grouping, protocol), *_drawn(batch, protocol)],
        "left_out": grouping.left_out,
        "sound": sound_figures(batch),
        "all_samples": statistics(batch, np.arange(len(batch), dtype=np.intp), protocol),
    }
    if batch.family == "Detection":
        summary[OURS]["convention_ceiling"] = answers_ceiling(batch.target, batch.answers.column("doc.size"), protocol)
    return Section(batch, grouping, protocol, strict(summary))


def _lines(family: Family, groups: Mapping[str, Statistics], protocol: Protocol) -> dict[str, Any]:
    if family == "Detection":
        both = sides(groups)
        return {"anatomy_vs_TL": both, "printed_table": printed_table(both, protocol)}
    if family == "TL":
        return {"aggregate": lesion_line(groups, protocol)}
    return {"aggregate": landmark_line(groups, protocol), "group_averages": group_averages(groups, protocol)}


def _stops(batch: Batch, grouping: Grouping, protocol: Protocol) -> list[str]:
    """Return a sentence for each reason why MedVision's own summary would have stopped with an error; ours goes on."""
    notes = []
    errors = batch.metrics["MAE" if batch.family == "Detection" else "MRE"][grouping.counted]
    infinite, negative = int(np.isinf(errors).sum()), int((errors <= -1.1).sum())
    if infinite and not protocol.skip_infinite:
        notes.append(f"{infinite} infinite errors: MedVision's own summary stops at the first one (OverflowError)")
    if negative:
        notes.append(f"{negative} errors of -1.1 or less are in no bucket: MedVision's own summary stops (IndexError)")
    notes += [
        f"{count} samples {reason}: MedVision's own summary stops (ValueError); here they are left out"
        for reason, count in grouping.left_out.items()
        if reason.startswith("whose label")
    ]
    return notes


def _drawn(batch: Batch, protocol: Protocol) -> list[str]:
    """Return a sentence with the range from which factors of the pixel size were drawn; none if none was drawn."""
    if not batch.drawn_scales:
        return []
    low, high = protocol.scaled_pixel_size
    samples = plural(batch.drawn_scales, "sample")
    return [f"pixel size factors of {samples} of scaledPS tasks are not stored: drawn between {low:g} and {high:g}"]


def sample_lines(section: Section) -> Iterator[dict[str, Any]]:
    """Yield one JSON object for each answer: its extracted numbers, success, metrics and group.

    The keys are those of the reference results computed by MedVision's own package.
    """
    batch, grouping = section.batch, section.grouping
    boxes = batch.family == "Detection"
    columns: dict[str, Sequence[Any]] = {
        "id": batch.answers.column("id"),
        "extracted": batch.extracted,
        "success": batch.success.tolist(),
        **{name: values.tolist() for name, values in batch.metrics.items()},
        "group": grouping.keys.by_row(),
        "counted": grouping.counted.tolist(),
    }
    if boxes:
        columns["parse_stage_IoU"] = parse_iou(batch, section.protocol).tolist()
        columns["box_img_ratio"] = box_ratios(batch)
    elif batch.nmae is not None:
        columns["nMAE_success"] = batch.nmae.success.tolist()
        columns["parse_stage_nMAE"] = batch.nmae.parsed.tolist()
        columns["parse_stage_nMAE_success"] = batch.nmae.parsed_success.tolist()
        columns["physical_diagonal"] = diagonals(batch.answers, section.protocol.scaled_pixel_size).tolist()
    if batch.family == "AD" and section.protocol.near_zero is not None:
        columns["near_zero_excluded"] = grouping.near_zero.tolist()
    for values in zip(*columns.values(), strict=True):
        yield {
            name: strict(value) if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in zip(columns, values, strict=True)
        }
