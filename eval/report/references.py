"""References that need no run: random boxes as upstream defines them, the convention ceiling, published rows.

Contract: a reference that is not shown is named, with the reason; nothing is left out silently.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.findings.inputs import ArmIn
from medvision_agent.eval.published.differences import differences
from medvision_agent.eval.published.figures import run_figures
from medvision_agent.eval.published.versions import Table, Version, version_of, versions
from medvision_agent.eval.report.arm_task import REFERENCES
from medvision_agent.eval.report.model import Published, Reference
from medvision_agent.eval.report.unseen import CONSTANT, constant, is_own_prior, on_donors
from medvision_agent.eval.scorer.ceiling import ceiling
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.random_boxes import NAME, random_boxes
from medvision_agent.eval.store.run import Run
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
    own = [arm for arm in arms if any(sample.task == task for sample in arm.first.samples)]
    there = {arm.offline for arm in own}
    missing = [_RUN[name] for name in REFERENCES if name not in there]
    missing += [] if any(map(is_own_prior, own)) else [_OWN_PRIOR]
    samples = {sample.id: sample for arm in own for sample in arm.first.samples if sample.task == task}
    found, absent = _of_boxes(own, samples, rules) if TASKS[task].is_box else ([], [])
    if (fixed := constant(task, list(samples.values()), rules)) is not None:
        found.append(fixed)
    else:
        absent.append(f"{CONSTANT}: there is one subject only")
    return [*found, *on_donors(task, own, rules)], [*missing, *absent]


def _of_boxes(
    own: Sequence[ArmIn], samples: Mapping[str, Sample], rules: Protocol
) -> tuple[list[Reference], list[str]]:
    """Return the references of random boxes and of boxes at the true edges, and a text for each that is missing.

    *own* are the arms with the task, and *samples* their samples by id.
    """
    found, missing = list[Reference](), list[str]()
    sizes = _sizes_of([run for arm in own for run in arm.runs], samples.values())
    if known := [sample for sample in samples.values() if sample.id in sizes]:
        targets = np.array([sample.target for sample in known], dtype=np.float64)
        figures = random_boxes([one.id for one in known], targets, [sizes[one.id] for one in known], rules)
        found.append(_reference(NAME, known, {name: Mean.of(values.tolist()) for name, values in figures.items()}))
    else:
        missing.append("random boxes: the sizes of the images are not known")
    short = [sample for sample in known if sample.convention == "inclusive-index"]
    if short:
        targets = np.array([sample.target for sample in short], dtype=np.float64)
        best = ceiling(targets, np.array([sizes[one.id] for one in short], dtype=np.float64), rules)
        means = {name: Mean(mean=best[name], n=len(short)) for name in ("IoU", "IoU>=0.5", "Precision", "Recall", "F1")}
        means["loss"] = Mean(mean=1 - best["IoU"], n=len(short))
        found.append(_reference("convention ceiling (boxes at the true edges)", short, means))
    else:
        missing.append(_EDGE)
    return found, missing


def _sizes_of(runs: Sequence[Run], samples: Iterable[Sample]) -> dict[str, tuple[int, int]]:
    """Return height and width in pixels of the samples' native images, by sample id.

    A sample is left out if neither MedVision nor the stored image states its size.
    """
    wanted = {sample.id: sample for sample in samples}
    sizes = {
        one.id: (one.medvision.image_size_2d[0], one.medvision.image_size_2d[1])
        for one in wanted.values()
        if one.medvision is not None
    }
    for run in runs:
        if run.identity.reshape:
            continue
        for record in run.each():
            one = record.sample.id
            if one in wanted and one not in sizes and (found := picture_size(run, record)):
                sizes[one] = (found.height, found.width)
    return sizes


def _reference(name: str, samples: Sequence[Sample], means: dict[str, Mean]) -> Reference:
    return Reference(name=name, n=len(samples), subjects=len({one.subject for one in samples}), means=means)


def published(arms: Sequence[ArmIn], rules: Protocol) -> tuple[list[Published], str]:
    """Return the published tables for which an arm has figures, and a text that says why there are none.

    The text is empty if there are some.
    """
    figures: dict[str, Mapping[str, Any]] = {}
    for arm in arms:
        if any(sample.medvision is not None for sample in arm.first.samples):
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
