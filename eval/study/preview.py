"""The requests of a study, their likely cost, and the smallest detectable difference: before the first request.

Contract: no request is sent. Cells, samples and subjects are exact. Tokens and money are estimates: a pilot's means if
it was asked exactly like the arm, otherwise the rules of thumb of ``eval/asking/estimate.py``. The smallest detectable
difference is that of one declared test at 80% power, at the study's alpha and at the share of alpha that a primary
test starts with (or each test, if none is primary); the guard of a verdict is not included. Without a pilot it is in
standard deviations of one paired difference, for subjects whose samples are unrelated (icc 0) and for the worst case
(icc 1). The preview also names models whose repeats cannot show sampling noise, because their draws are fixed.
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
    """The expected cost of one arm of one model over one source, in all its wordings and epochs."""

    model: str
    arm: str
    source: str
    condition: str
    epochs: int
    wordings: int
    spending: tuple[Spending, ...]
    """Estimates for one epoch in all wordings, from the lowest to the highest; a single one if it was measured."""
    measured_in: str | None
    """The pilot whose means these are; None if they are rules of thumb."""


class PowerPreview(Frozen):
    """The smallest difference that a test on one task can detect, for one correlation within subjects (icc)."""

    source: str
    task: TaskName
    samples: int
    icc: float
    from_pilot: bool
    icc_measured: bool
    """Whether icc comes from the pilot; it is assumed if a pilot has no subject with two samples, or no spread."""
    alone: Detectable
    """The difference at the study's alpha."""
    in_family: Detectable
    """The difference at the share of alpha that a primary test starts with, or each test if none is primary."""


class Preview(Frozen):
    """A study before its first request: what it asks, what it may cost, and what it can detect."""

    name: str
    sha256: str
    cells: tuple[CellPreview, ...]
    sources: tuple[PlannedSource, ...]
    contrasts: tuple[str, ...]
    tests: int
    """Number of tests in the family."""
    primaries: tuple[str, ...]
    """The contrasts whose tests start with all of alpha; empty: all tests start equally."""
    probes: Spending | None
    """Cost of checking tool declarations, once for each model and set of tools; None without such checks."""
    canaries: Spending | None
    """The largest possible cost of the canaries; None without canaries."""
    least: Spending
    likely: Spending
    most: Spending
    """The maximum over all cells, including probes and canaries."""
    assumed: str
    power: tuple[PowerPreview, ...]
    power_note: dict[str, str]
    """What the smallest differences of each source are based on."""
    noise: tuple[str, ...]
    """Models whose repeats show no sampling noise."""


def preview(
    plan: Plan,
    cells: Sequence[Cell],
    protocol: Protocol,
    pilots: Sequence[Path] = (),
    canaries: Sequence[Cell] = (),
) -> Preview:
    """Return the preview of prepared cells; *pilots* are the folders of stored runs: zero, one or two for each source.

    For two runs of the same samples, spread and correlation are those of the paired differences. For one run they are
    those of its loss, with the spread multiplied by the square root of 2, as if the arms were uncorrelated. Raises
    ConfigError if a pilot does not fit the study.
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
    """The estimated cost of one epoch of an arm, by wording, and the pilot in which it was measured."""

    pilot: str | None
    wordings: list[Estimate] = field(default_factory=list[Estimate])

    @property
    def spending(self) -> tuple[Spending, ...]:
        """The estimated cost of one epoch in all wordings together, from the lowest to the highest estimate."""
        return tuple(_total(rows[0].basis, rows) for rows in zip(*(one.spending for one in self.wordings), strict=True))


def _probes(cells: Sequence[Cell], found: Mapping[tuple[str, str, str], _Estimated]) -> list[Spending]:
    """Return the cost of each probe of a study: one for each model, endpoint and set of tools."""
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
    sd = (found.sd or None) if found is not None else None  # a pilot without spread gives no estimate
    known = found is not None and found.icc is not None
    made = any(sample.marks.synthetic for sample in samples)
    iccs = [found.icc] if found is not None and found.icc is not None else [0.0, 1.0]
    if max(sizes) == 1 or len(sizes) == 1:
        iccs = iccs[:1]  # the correlation within subjects has no effect
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
    """Return *found*, with the reason why nothing is tested if images are synthetic (*made*)."""
    reasons = [found.withheld, "synthetic data have intervals, no p-values"] if made else [found.withheld]
    return found.but(withheld="; ".join(filter(None, reasons)))
