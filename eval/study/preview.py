"""What a study would ask, what that might take, and how small a difference it could show: before the first request.

Contract: nothing is asked of anybody. Cells, samples and subjects are exact; tokens and money are estimates by the
rules of ``eval/estimate.py``; the smallest detectable difference is that of one declared test at 80 % power, without
and with the strictest step of Holm's correction. Without a pilot it is in standard deviations of one paired difference,
for subjects whose samples are unrelated (icc 0) and for the worst case (icc 1).
"""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from medvision_agent.errors import ConfigError
from medvision_agent.eval.estimate import Estimate, Spending, estimate
from medvision_agent.eval.sample import Sample, Task
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.statistics.power import Detectable, Pilot, detectable, pilot
from medvision_agent.eval.store import open_run
from medvision_agent.eval.study.cells import Cell
from medvision_agent.eval.study.plan import Plan

__all__ = ["CellPreview", "PowerPreview", "Preview", "preview"]

POWER = 0.8


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CellPreview(_Frozen):
    """One arm of one model, with all its epochs."""

    model: str
    arm: str
    condition: str
    epochs: int
    spending: tuple[Spending, ...]
    """Of one epoch, from the least to the most."""


class _Named(NamedTuple):
    """A sample of a pilot."""

    id: str
    task: Task
    subject: str


class PowerPreview(_Frozen):
    """The smallest difference that a test of one task detects."""

    task: Task
    samples: int
    icc: float
    from_pilot: bool
    alone: Detectable
    """At the study's alpha."""
    in_family: Detectable
    """At alpha divided by the size of the family: Holm's strictest step."""


class Preview(_Frozen):
    """What would be asked."""

    name: str
    sha256: str
    cells: tuple[CellPreview, ...]
    samples: int
    subjects: int
    tasks: dict[Task, int]
    contrasts: tuple[str, ...]
    tests: int
    """The size of the family."""
    least: Spending
    most: Spending
    assumed: str
    power: tuple[PowerPreview, ...]
    power_note: str


def preview(plan: Plan, cells: Sequence[Cell], protocol: Protocol, pilots: Sequence[Path] = ()) -> Preview:
    """Return the preview of prepared cells; *pilots* are no, one or two stored runs.

    Of two runs of the same samples, spread and correlation are those of the paired differences; of one run they are
    those of its loss, the spread times the square root of 2: as if the arms had nothing in common.
    """
    found = {(cell.model, cell.arm): estimate(cell.prepared) for cell in cells if cell.epoch == 1}
    epochs = int(plan.study["epochs"])
    every = [one for one in found.values() for _ in range(epochs)]
    pilots_by_task = _pilots(plan, protocol, pilots)
    samples = cells[0].prepared.samples
    return Preview(
        name=str(plan.study["name"]),
        sha256=plan.sha256,
        cells=tuple(
            CellPreview(model=model, arm=arm, condition=one.condition, epochs=epochs, spending=one.spending)
            for (model, arm), one in found.items()
        ),
        samples=plan.samples,
        subjects=plan.subjects,
        tasks=plan.tasks,
        contrasts=tuple(contrast.name for contrast in plan.contrasts),
        tests=len(plan.family),
        least=_total("the least", every, 0),
        most=_total("the most, every limit of calls reached", every, -1),
        assumed=every[0].assumed,
        power=tuple(power for task in plan.tasks for power in _power(plan, samples, task, pilots_by_task.get(task))),
        power_note=_note(pilots),
    )


def _total(basis: str, every: Sequence[Estimate], place: int) -> Spending:
    rows = [one.spending[place] for one in every]
    known = [row.usd for row in rows if row.usd is not None]
    return Spending(
        basis=basis,
        input_tokens=sum(row.input_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        usd=math.fsum(known) if len(known) == len(rows) else None,
    )


def _power(plan: Plan, samples: Sequence[Sample], task: Task, found: Pilot | None) -> list[PowerPreview]:
    sizes = list(Counter(sample.subject for sample in samples if sample.task == task).values())
    sd = found.sd if found is not None else None
    iccs = [found.icc] if found is not None and found.icc is not None else [0.0, 1.0]
    if max(sizes) == 1 or len(sizes) == 1:
        iccs = iccs[:1]  # the correlation within subjects changes nothing
    rows = []
    for icc in iccs:
        alone, family = (
            detectable(sizes, icc=icc, sd=sd, power=POWER, alpha=alpha)
            for alpha in (plan.alpha, plan.alpha / max(1, len(plan.family)))
        )
        rows.append(
            PowerPreview(
                task=task, samples=sum(sizes), icc=icc, from_pilot=found is not None, alone=alone, in_family=family
            )
        )
    return rows


def _pilots(plan: Plan, protocol: Protocol, folders: Sequence[Path]) -> dict[Task, Pilot]:
    """Return spread and correlation for each task the pilots have."""
    if not folders:
        return {}
    if len(folders) > 2:
        raise ConfigError("--pilot: give one run, or two runs of the same samples")
    losses = [_losses(folder, protocol) for folder in folders]
    found: dict[Task, Pilot] = {}
    for task in plan.tasks:
        common = [sample for sample in losses[0] if sample.task == task and all(sample in one for one in losses)]
        if not common:
            raise ConfigError(f"--pilot {folders[-1]}: no {task} sample in it that was scored; run a few first")
        values = [losses[1][one] - losses[0][one] if len(losses) == 2 else losses[0][one] for one in common]
        one = pilot(values, [sample.subject for sample in common])
        found[task] = one if len(losses) == 2 or one.sd is None else one.but(sd=one.sd * math.sqrt(2))
    return found


def _losses(folder: Path, protocol: Protocol) -> dict[_Named, float]:
    scores = [(record.sample, score_record(record, protocol)) for record in open_run(folder).records]
    return {_Named(s.id, s.task, s.subject): score.loss for s, score in scores if score is not None}


def _note(pilots: Sequence[Path]) -> str:
    if not pilots:
        return "in standard deviations of one paired difference; give --pilot RUN for the loss's own units"
    if len(pilots) == 1:
        return f"by the loss of {pilots[0]}, as if the arms had nothing in common: usually less is enough"
    return f"by the paired differences of {pilots[0]} and {pilots[1]}"
