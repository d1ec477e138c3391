"""Settings of the outline method: the settings that are tried, and the choice among them on given cases.

The tried ones are few and were written down before the choice. Regions: the prior, its flat part, the weight of the
region cost and the compression of values. Seeds: the prior, the region cost and the compression, the same for both
passes, and what it costs to border on the background. Everything else is as shipped.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from real_masks import REGIONS, SEEDS, Case

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.candidates import Candidate, Prompt, SeedSettings, candidates
from medvision_agent.tools.segment.contour import Measured
from medvision_agent.tools.segment.outline import Settings

BASE = Settings(near=0.7, inwards=0.3, most=3.0, bend=1.0, reach=4)
FIRST = Settings(near=0.8, far=1.1, inwards=1.0, most=2.0, bend=0.5, reach=4)
SECOND = Settings(near=0.85, far=1.15, inwards=1.0, most=2.0, bend=0.5, reach=4)

Finds = Callable[[Case, Prompt], list[Candidate]]
"""Returns what a method finds, the best first; raises ToolError where it fails."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Settings for regions and for seeds."""

    region: Settings
    seed: SeedSettings

    def find(self, case: Case, prompt: Prompt) -> list[Candidate]:
        """Return the candidates with these settings."""
        return candidates(case.image, prompt, self.region, self.seed)


def regional() -> list[Settings]:
    """Return the settings to try for regions."""
    return [
        replace(BASE, prior=prior, far=far, region=region, soft=soft)
        for prior, far, region, soft in product((0.5, 1.0, 2.0), (0.9, 1.0), (0.1, 0.4), (3.0, 6.0))
    ]


def seeded() -> list[SeedSettings]:
    """Return the settings to try for seeds."""
    return [
        SeedSettings(*(replace(one, prior=prior, region=region, soft=soft) for one in (FIRST, SECOND)), background)
        for prior, region, soft, background in product((0.5, 1.0, 2.0), (0.0, 0.1), (3.0, 6.0), (0.0, 0.25, 0.5))
    ]


def relative_error(measured: Measured, case: Case) -> float:
    """Return the mean relative error of both axes, each capped at 1."""
    return axes_error((measured.ellipse.major_mm, measured.ellipse.minor_mm), case)


def axes_error(axes: Iterable[float], case: Case) -> float:
    """Return the mean relative error of two axes in mm, each capped at 1."""
    pairs = zip(sorted(axes, reverse=True), case.axes, strict=True)
    return float(np.mean([min(1.0, abs(one - true) / true) for one, true in pairs]))


def loss(find: Finds, case: Case, prompt: Prompt) -> float:
    """Return the relative error of the first candidate; a failure costs 1."""
    try:
        return relative_error(find(case, prompt)[0].measured, case)
    except ToolError:
        return 1.0


@dataclass(frozen=True, eq=False)
class Trials:
    """The mean loss of every setting that is tried, by case: (settings, cases)."""

    cases: Sequence[Case]
    region: NDArray[np.float64]
    seed: NDArray[np.float64]

    def chosen(self, half: int | None) -> Chosen:
        """Return the settings with the least loss on one half of the subjects, or on all."""
        within = np.array([half is None or case.half == half for case in self.cases])
        best = [int(one[:, within].mean(axis=1).argmin()) for one in (self.region, self.seed)]
        return Chosen(regional()[best[0]], seeded()[best[1]])


def tried(cases: Sequence[Case]) -> Trials:
    """Return the losses of all settings on one prompt of each kind: for regions, and for seeds."""
    region = [_mean_losses(Chosen(one, SeedSettings()), cases, REGIONS) for one in regional()]
    seed = [_mean_losses(Chosen(BASE, one), cases, SEEDS) for one in seeded()]
    return Trials(cases, np.array(region), np.array(seed))


def _mean_losses(settings: Chosen, cases: Sequence[Case], kinds: Sequence[str]) -> list[float]:
    return [float(np.mean([loss(settings.find, case, case.prompt(kind)) for kind in kinds])) for case in cases]
