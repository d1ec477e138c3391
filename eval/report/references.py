"""References that need no run: random boxes as upstream defines them, the convention ceiling, published rows.

Contract: a reference that is not shown is named, with the reason; nothing is left out silently.
"""

from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any, NamedTuple

import numpy as np

from medvision_agent.errors import DataError
from medvision_agent.eval.findings.inputs import ArmIn
from medvision_agent.eval.findings.questions import asked_in
from medvision_agent.eval.published.differences import differences
from medvision_agent.eval.published.figures import run_figures
from medvision_agent.eval.published.versions import Table, Version, version_of, versions
from medvision_agent.eval.report.arm_task import REFERENCES
from medvision_agent.eval.report.model import Published, Reference
from medvision_agent.eval.report.unseen import CONSTANT, constant, is_own_prior, on_donors
from medvision_agent.eval.scorer.ceiling import ceiling
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.random_boxes import NAME, random_boxes
from medvision_agent.eval.summary.summary import Mean
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.eval.why.stored import picture_size

__all__ = ["published", "references"]

_RUN = {
    "oracle": "oracle (tool ceiling): no such run here; `medvision-agent run --model oracle --tools on` makes one",
    "prior": "baseline-prior (no model): no such run here; `medvision-agent run --model baseline-prior` makes one",
    "cv": "baseline-cv (no model): no such run here; `medvision-agent run --model baseline-cv` makes one",
}
_OWN_PRIOR = "the model's own prior: no such run here; `medvision-agent run --tools off --picture none` makes one"
_EDGE = "convention ceiling: these targets lie at true edges, so that a perfect answer has a loss of 0"


def references(task: TaskName, arms: Sequence[ArmIn], rules: Protocol) -> tuple[list[Reference], list[str]]:
    """Return the references of a task over the samples of all arms, and a text for each reference that is missing.

    *rules* is the protocol that scores them.
    """
    own = [arm for arm in arms if any(one.task == task for one in asked_in(arm.first))]
    there = {arm.offline for arm in own}
    missing = [_RUN[name] for name in REFERENCES if name not in there]
    missing += [] if any(map(is_own_prior, own)) else [_OWN_PRIOR]
    found, absent = _of_boxes(own, task, rules) if TASKS[task].is_box else ([], [])
    asked = {one.id: one for arm in own for one in asked_in(arm.first) if one.task == task}
    if (fixed := constant(task, list(asked.values()), rules)) is not None:
        found.append(fixed)
    else:
        absent.append(f"{CONSTANT}: there is one subject only")
    return [*found, *on_donors(task, own, rules)], [*missing, *absent]


class _Box(NamedTuple):
    """The true box of a sample."""

    id: str
    subject: str
    target: tuple[float, ...]
    inclusive: bool
    """Whether it ends at its last row and column (MedVision's convention)."""


def _of_boxes(own: Sequence[ArmIn], task: TaskName, rules: Protocol) -> tuple[list[Reference], list[str]]:
    """Return the references of random boxes and of boxes at the true edges, and a text for each that is missing.

    *own* are the arms with the task.
    """
    found, missing = list[Reference](), list[str]()
    boxes, sizes = _boxes(own, task)
    if known := [box for box in boxes if box.id in sizes]:
        targets = np.array([box.target for box in known], dtype=np.float64)
        figures = random_boxes([one.id for one in known], targets, [sizes[one.id] for one in known], rules)
        found.append(_reference(NAME, known, {name: Mean.of(values.tolist()) for name, values in figures.items()}))
    else:
        missing.append("random boxes: the sizes of the images are not known")
    short = [box for box in known if box.inclusive]
    if short:
        targets = np.array([box.target for box in short], dtype=np.float64)
        best = ceiling(targets, np.array([sizes[one.id] for one in short], dtype=np.float64), rules)
        means = {name: Mean(mean=best[name], n=len(short)) for name in ("IoU", "IoU>=0.5", "Precision", "Recall", "F1")}
        means["loss"] = Mean(mean=1 - best["IoU"], n=len(short))
        found.append(_reference("convention ceiling (boxes at the true edges)", short, means))
    else:
        missing.append(_EDGE)
    return found, missing


def _boxes(own: Sequence[ArmIn], task: TaskName) -> tuple[list[_Box], dict[str, tuple[int, int]]]:
    """Return the true boxes of the samples of a task, and height and width in pixels of their native images, by id.

    A size is left out if neither MedVision nor the stored image states it.
    """
    boxes, sizes = dict[str, _Box](), dict[str, tuple[int, int]]()
    for sample in (one for arm in own for one in arm.first.samples if one.task == task):
        inclusive = sample.convention == "inclusive-index"
        boxes[sample.id] = _Box(sample.id, intern(sample.subject), sample.target, inclusive)
        if sample.medvision is not None:
            height, width, *_ = sample.medvision.image_size_2d
            sizes[sample.id] = height, width
    for run in (run for arm in own for run in arm.runs if not run.identity.reshape):
        for record in run.each() if len(sizes) < len(boxes) else ():
            one = record.sample.id
            if one in boxes and one not in sizes and (found := picture_size(run, record)):
                sizes[one] = (found.height, found.width)
    return list(boxes.values()), sizes


def _reference(name: str, samples: Sequence[_Box], means: dict[str, Mean]) -> Reference:
    return Reference(name=name, n=len(samples), subjects=len({one.subject for one in samples}), means=means)


def published(arms: Sequence[ArmIn], rules: Protocol) -> tuple[list[Published], str]:
    """Return the published tables for which an arm has figures, and a text that says why there are none.

    The text is empty if there are some.
    """
    figures: dict[str, Mapping[str, Any]] = {}
    for arm in arms:
        if any(one.group.annotation_version is not None for one in asked_in(arm.first)):
            try:
                figures[arm.name] = run_figures(arm.first.each(), rules)
            except DataError:
                continue  # no sample ended in a result; the tables of endings state this
    if not figures:
        return [], "No published row: published results are about MedVision's own samples, and these are none."
    asked = {arm.name: version_of(arm.first.identity) for arm in arms if arm.name in figures}
    not_the_same = {arm.name: differences(arm.first, rules, asked[arm.name]) for arm in arms if arm.name in figures}
    made = [
        _published(version, table, part, own, not_the_same)
        for version in versions()
        if (own := {arm: found for arm, found in figures.items() if asked[arm] is version})
        for table in version.tables
        for part in table.parts
    ]
    found = [one for one in made if one is not None]
    return found, "" if found else "No published row: none of the parts of the published tables has samples here."


def _published(
    version: Version, table: Table, part: str, figures: Mapping[str, Any], differ: Mapping[str, Sequence[str]]
) -> Published | None:
    own = [
        (arm, tuple(one.values.get(column) for column in table.columns), one.n)
        for arm, found in figures.items()
        if (one := found.get(table.family, {}).get(part)) is not None and one.n
    ]
    if not own:
        return None
    lines = dict.fromkeys(line for arm, _, _ in own for line in differ[arm])
    return Published(
        title=f"{version.name}, {table.title}, {part}",
        version=version.name,
        samples=table.parts[part] or "not stated",
        note=table.note,
        source=version.source,
        columns=table.columns,
        rows=tuple((row.model, row.figures[part]) for row in table.rows),
        own=tuple(own),
        not_the_same=tuple(lines),
    )
