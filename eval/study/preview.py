"""What a study would ask, what that might take, and how small a difference it could show: before the first request.

Contract: nothing is asked of anybody. Cells, samples and subjects are exact; tokens and money are estimates: by a
pilot's means where one was asked as the arm is, else by the rules of thumb of ``eval/asking/estimate.py``; the smallest
detectable difference is that of one declared test at 80 % power, at the study's alpha and at the share of it that a
primary test starts with, or each test where none is primary (the guard of a verdict is not in it). Without a pilot it
is in standard deviations of one paired difference, for subjects whose samples are unrelated (icc 0) and for the worst
case (icc 1). Named besides: what a study's repeats cannot show, which is the noise of a sampler whose draws are fixed.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medvision_agent.eval.asking.estimate import Estimate, Spending, estimate
from medvision_agent.eval.asking.probing import key_of
from medvision_agent.eval.compare.statistics.power import Detectable, Pilot, detectable
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.study.cells import Cell
from medvision_agent.eval.study.noise import without_noise
from medvision_agent.eval.study.pilots import measured, open_pilots, spread, spread_note
from medvision_agent.eval.study.plan import Plan, PlannedSource, widest
from medvision_agent.eval.tasks import TaskName
from medvision_agent.frozen import Frozen

__all__ = ["CellPreview", "PowerPreview", "Preview", "preview"]


POWER = 0.8


class CellPreview(Frozen):
    """One arm of one model over one source, with all its wordings and epochs."""

    model: str
    arm: str
    source: str
    condition: str
    epochs: int
    wordings: int
    spending: tuple[Spending, ...]
    """Of one epoch in all wordings, from the least to the most; one where it was measured."""
    measured_in: str | None
    """The pilot whose means these are; None where they are rules of thumb."""


class PowerPreview(Frozen):
    """The smallest difference that a test of one task detects."""

    source: str
    task: TaskName
    samples: int
    icc: float
    from_pilot: bool
    icc_measured: bool
    """By the pilot; it is assumed where a pilot has no two samples of a subject, or no spread."""
    alone: Detectable
    """At the study's alpha."""
    in_family: Detectable
    """At the share of alpha that a primary test starts with, or each test where none is primary."""


class Preview(Frozen):
    """What would be asked."""

    name: str
    sha256: str
    cells: tuple[CellPreview, ...]
    sources: tuple[PlannedSource, ...]
    contrasts: tuple[str, ...]
    tests: int
    """The size of the family."""
    primaries: tuple[str, ...]
    """The contrasts whose tests start with all of alpha; without any, all tests start alike."""
    probes: Spending | None
    """What the probes of tools' declarations take, one for each model and set of tools; None where there is none."""
    canaries: Spending | None
    """What the canaries take at most; None where there are none."""
    least: Spending
    likely: Spending
    most: Spending
    """Of all cells, the probes and canaries included."""
    assumed: str
    power: tuple[PowerPreview, ...]
    power_note: dict[str, str]
    """What the smallest differences of each source rest on."""
    noise: tuple[str, ...]
    """Models whose repeats show no noise of a sampler."""


def preview(
    plan: Plan,
    cells: Sequence[Cell],
    protocol: Protocol,
    pilots: Sequence[Path] = (),
    canaries: Sequence[Cell] = (),
) -> Preview:
    """Return the preview of prepared cells; *pilots* are stored runs, for each source no, one or two.

    Of two runs of the same samples, spread and correlation are those of the paired differences; of one run they are
    those of its loss, the spread times the square root of 2: as if the arms had nothing in common.
    """
    firsts = {one.source: widest(cells, one.source).prepared for one in plan.sources}
    known = open_pilots(pilots, firsts)
    found: dict[tuple[str, str, str], _Estimated] = {}
    for cell in (cell for cell in cells if cell.epoch == 1):
        run = measured(cell.prepared, known[cell.source])
        pilot = None if run is None else str(run.folder)
        of_arm = found.setdefault((cell.source, cell.model, cell.arm), _Estimated(pilot))
        of_arm.wordings.append(estimate(cell.prepared, run))
    epochs = int(plan.study["epochs"])
    every = [one for of_arm in found.values() for one in of_arm.wordings for _ in range(epochs)]
    watched = [estimate(cell.prepared, measured(cell.prepared, known[cell.source])) for cell in canaries]
    every += watched
    probes = _probes(cells, found)
    spreads = {one.source: spread(list(one.tasks), protocol, known[one.source], one.metrics) for one in plan.sources}
    return Preview(
        name=str(plan.study["name"]),
        sha256=plan.sha256,
        cells=tuple(
            CellPreview(
                model=model,
                arm=arm,
                source=source,
                condition=one.wordings[0].condition,
                epochs=epochs,
                wordings=len(one.wordings),
                spending=one.spending,
                measured_in=one.pilot,
            )
            for (source, model, arm), one in found.items()
        ),
        sources=plan.sources,
        contrasts=tuple(contrast.name for contrast in plan.contrasts),
        tests=len(plan.family),
        primaries=plan.primaries,
        probes=_total(f"the probes, {len(probes)}", probes) if probes else None,
        canaries=_total("the most", [one.spending[-1] for one in watched]) if watched else None,
        least=_total("the least", [*probes, *(one.least for one in every)]),
        likely=_total("the likely", [*probes, *(one.likely for one in every)]),
        most=_total("the most, every limit of calls reached", [*probes, *(one.most for one in every)]),
        assumed="; ".join(dict.fromkeys(one.assumed for one in every)),
        power=tuple(
            power
            for one in plan.sources
            for task in one.tasks
            for power in _power(plan, one.source, firsts[one.source].samples, task, spreads[one.source].get(task))
        ),
        power_note={one.source: spread_note(known[one.source]) for one in plan.sources},
        noise=tuple(without_noise(plan.arms, epochs, cells)),
    )


@dataclass(frozen=True)
class _Estimated:
    """What one epoch of an arm might take, wording by wording, and the pilot that it was measured in."""

    pilot: str | None
    wordings: list[Estimate] = field(default_factory=list[Estimate])

    @property
    def spending(self) -> tuple[Spending, ...]:
        """Of all wordings together."""
        return tuple(_total(rows[0].basis, rows) for rows in zip(*(one.spending for one in self.wordings), strict=True))


def _probes(cells: Sequence[Cell], found: Mapping[tuple[str, str, str], _Estimated]) -> list[Spending]:
    """Return the probes of a study: one for each model, endpoint and set of tools."""
    probes: dict[str, Spending] = {}
    for cell in cells:
        one = found[cell.source, cell.model, cell.arm].wordings[0]
        if one.probe is not None:
            probes.setdefault(key_of(cell.prepared.identity), one.probe)
    return list(probes.values())


def _total(basis: str, rows: Sequence[Spending]) -> Spending:
    known = [row.usd for row in rows if row.usd is not None]
    return Spending(
        basis=basis,
        input_tokens=sum(row.input_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        usd=math.fsum(known) if len(known) == len(rows) else None,
    )


def _power(
    plan: Plan, source: str, samples: Sequence[Sample], task: TaskName, found: Pilot | None
) -> list[PowerPreview]:
    sizes = list(Counter(sample.subject for sample in samples if sample.task == task).values())
    sd = (found.sd or None) if found is not None else None  # a pilot without any spread tells of none
    known = found is not None and found.icc is not None
    made = any(sample.marks.synthetic for sample in samples)
    iccs = [found.icc] if found is not None and found.icc is not None else [0.0, 1.0]
    if max(sizes) == 1 or len(sizes) == 1:
        iccs = iccs[:1]  # the correlation within subjects changes nothing
    rows = []
    for icc in iccs:
        alone, family = (
            _claimed(detectable(sizes, icc=icc, sd=sd, power=POWER, alpha=alpha), made=made)
            for alpha in (plan.alpha, plan.alpha / max(1, plan.first_tests))
        )
        rows.append(
            PowerPreview(
                source=source,
                task=task,
                samples=sum(sizes),
                icc=icc,
                from_pilot=found is not None,
                icc_measured=known,
                alone=alone,
                in_family=family,
            )
        )
    return rows


def _claimed(found: Detectable, *, made: bool) -> Detectable:
    """Return it with the reason why nothing is tested on synthetic images."""
    reasons = [found.withheld, "synthetic data have intervals, no p-values"] if made else [found.withheld]
    return found.but(withheld="; ".join(filter(None, reasons)))
