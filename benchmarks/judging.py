"""Methods judged on cases: the loss of every answer, and its mean with an interval over subjects."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from outline_settings import Finds, axes_error, relative_error
from real_masks import PROMPTS, REGIONS, Case

from medvision_agent.errors import ToolError
from medvision_agent.tools.segment.candidates import Candidate, Prompt
from medvision_agent.tools.segment.methods import METHODS, thresholded
from medvision_agent.tools.view.geometry import Region

__all__ = ["BOX", "DRAWS", "OUTLINE", "Found", "Judged", "judge", "judged", "mean_interval", "methods"]

BOX, OUTLINE = "the box itself", "outline"
DRAWS = {"side": 2, "image": 2, "seed off": 2}
"""Draws of a noisy prompt that are judged; the choice of settings saw another."""
SLOW = "threshold"
"""The method that is judged on one draw alone, because it takes half a second."""
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer to one prompt."""

    group: str
    subject: str
    loss: float
    iou: float
    failed: bool
    ms: float


Found = Mapping[tuple[str, str], Sequence[Judged]]
"""What was judged, by kind of prompt and method."""


def methods(outline: Finds) -> dict[str, Finds]:
    """Return every method but the box; *outline* is the one of the tools, with its settings."""
    others = {name: _plain(name) for name in METHODS if name not in (OUTLINE, SLOW)}
    return {OUTLINE: outline, **others, SLOW: by_threshold}


def _plain(name: str) -> Finds:
    return lambda case, prompt: METHODS[name](case.image, prompt)


def by_threshold(case: Case, prompt: Prompt) -> list[Candidate]:
    """Return the outline by one threshold, where the method knows whether the structure is bright or dark."""
    mask = case.mask.astype(np.uint8)
    around = (cv2.dilate(mask, np.ones((9, 9), np.uint8)) > 0) & ~case.mask
    grey = case.image.grey
    bright = not around.any() or grey[case.mask].mean() >= grey[around].mean()
    return [Candidate(thresholded(case.image, prompt, "bright" if bright else "dark"), 0.0)]


def judged(cases: Sequence[Case], outline: Finds, kinds: Sequence[str] = PROMPTS) -> Found:
    """Return the losses of the box and every method by kind of prompt, without methods that refuse a whole kind."""
    found: dict[tuple[str, str], Sequence[Judged]] = {}
    for kind in kinds:
        if kind in REGIONS:
            found[kind, BOX] = _judge_box(cases, kind)
        for name, find in methods(outline).items():
            answers = judge(find, cases, kind, 1 if name == SLOW else DRAWS.get(kind, 1))
            if not all(one.failed for one in answers):
                found[kind, name] = answers
    return found


def judge(find: Finds, cases: Iterable[Case], kind: str, draws: int) -> list[Judged]:
    """Return the losses of one method on a kind of prompt."""
    found = []
    for case in cases:
        for draw in range(1, 1 + draws):
            prompt, start = case.prompt(kind, draw), time.process_time()
            try:
                best = find(case, prompt)[0].measured
            except ToolError:
                best = None
            ms = 1000 * (time.process_time() - start)
            error, iou = (1.0, 0.0) if best is None else (relative_error(best, case), _iou(best.box, case.box))
            found.append(Judged(case.group, case.subject, error, iou, best is None, ms))
    return found


def _judge_box(cases: Iterable[Case], kind: str) -> list[Judged]:
    """Return the losses of the box itself, with its sides as axes."""
    found = []
    for case in cases:
        for draw in range(1, 1 + DRAWS.get(kind, 1)):
            box, spacing = case.prompt(kind, draw).region or case.image.region, case.image.spacing
            sides = box.width * spacing.width_mm, box.height * spacing.height_mm
            found.append(Judged(case.group, case.subject, axes_error(sides, case), _iou(box, case.box), False, 0.0))
    return found


def mean_interval(found: Sequence[Judged]) -> tuple[float, float, float]:
    """Return the mean loss, and the ends of its 95% interval by a bootstrap over subjects."""
    subjects = sorted({one.subject for one in found})
    own = [[one.loss for one in found if one.subject == subject] for subject in subjects]
    sums, sizes = np.array([sum(one) for one in own]), np.array([len(one) for one in own])
    drawn = np.random.default_rng(0).integers(len(subjects), size=(RESAMPLES, len(subjects)))
    low, high = np.percentile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), (2.5, 97.5))
    return float(sums.sum() / sizes.sum()), float(low), float(high)


def _iou(one: Region, other: Region) -> float:
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    common = max(0.0, width) * max(0.0, height)
    return common / (one.width * one.height + other.width * other.height - common)
