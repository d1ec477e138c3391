"""The samples with the largest differences between two arms, each with ground truth, and every arm's answer and marks.

Contract: the choice of samples depends only on the losses: the largest difference first, equal ones by id. For a lone
arm, the answers with the largest losses are shown. Points of tool calls are mapped by the same reconstruction of views
as in the decomposition of errors (``why/scene``); if that fails, the reason is shown instead of a drawing.
"""

import base64
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest

import cv2
import numpy as np

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.figures.arms import arm_places, colour_on_image
from medvision_agent.eval.findings.inputs import ArmIn, ChapterIn
from medvision_agent.eval.findings.scores import Epochs, lines_of
from medvision_agent.eval.report.model import Mark, Panel, Picture
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.score import SampleScore, Score, Scored
from medvision_agent.eval.store.damage import read_picture
from medvision_agent.eval.store.files import is_hash
from medvision_agent.eval.store.read import read_trace, records_of
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.why.calls import calls_of
from medvision_agent.eval.why.flow import Traced, trace
from medvision_agent.eval.why.measured import Measurement, measurements
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.eval.why.stored import reply_of, scene_of, tools_of
from medvision_agent.side_by_side import paired
from medvision_agent.text import significant
from medvision_agent.tools.view.geometry import Point, Region
from medvision_agent.tools.view.png import decode_png, encode_png

__all__ = ["pictures"]

_CONTRASTS = 3
"""Number of contrasts that get images: the first ones."""
_FAR = 4.0
_MOST_PIXELS = 768
"""Longest side of an image in a report, in pixels."""


def pictures(chapter: ChapterIn, scores: Mapping[str, Epochs], rules: Protocol, most: int) -> list[Picture]:
    """Return at most *most* samples with their images for each of the first contrasts.

    Without a contrast, they are those of the first arm. *scores* are the scored samples of each arm, and *rules* is the
    protocol. Arms that were not shown the sample's own image get none: the ground truth has no place in what they were
    shown.
    """
    pairs = [(one.name, (one.a, one.b)) for one in chapter.contrasts if one.a.shows_own and one.b.shows_own]
    single = [("", (arm,)) for arm in chapter.arms if arm.shows_own]
    chosen: list[tuple[str, tuple[ArmIn, ...]]] = [*(pairs[:_CONTRASTS] or single[:1])]
    names = [arm.name for arm in chapter.arms]
    place = arm_places(names if chapter.kind == "study" else sorted(names))
    colours = {name: colour_on_image(at) for name, at in place.items()}
    found = []
    for name, arms in chosen:
        epochs = [scores[arm.name][0] for arm in arms]
        shown = _most(epochs, most)
        known = [{sample.id: score for sample, score in epoch if sample.id in shown} for epoch in epochs]
        records = [records_of(arm.first, shown) for arm in arms]
        for one in shown:
            own = [(stored[one], found[one]) for stored, found in zip(records, known, strict=True)]
            found.append(_picture(name, arms, own, rules, colours))
    return found


def _most(epochs: Sequence[Iterable[SampleScore]], most: int) -> list[str]:
    """Return the ids of the samples in which the losses of two arms differ most, largest first; *most* at most.

    Equal losses are left out. For one arm, it is the loss of each answer that could be read. *epochs* holds the scored
    samples of each arm.
    """

    def apart() -> Iterator[tuple[float, str]]:
        if len(epochs) == 1:
            yield from ((score.loss, one.id) for one, score in epochs[0] if score is not None and score.success)
            return
        for (sample, a), (_, b) in paired(epochs[0], epochs[1], lambda one: one[0].id):
            if a is not None and b is not None:
                yield abs(b.loss - a.loss), sample.id

    found = nsmallest(most, ((-size, name) for size, name in apart() if size > 0))
    return [name for _, name in found]


def _picture(
    contrast: str, arms: Sequence[ArmIn], own: Sequence[Scored], rules: Protocol, colours: Mapping[str, str]
) -> Picture:
    record = own[0][0]
    sample, run = record.sample, arms[0].first
    scene = scene_of(run, record, [])
    height, width = (1.0, 1.0) if isinstance(scene, Missing) else scene.views.whole.field_mm
    return Picture(
        sample=sample.id,
        task=sample.task,
        subject=sample.subject,
        asked=sample.label or sample.measurement or lines_of(sample),
        target=_numbers(sample.target) + sample.asks.unit_after,
        png=_embedded(run, record),
        aspect=width / height,
        truth=_truth(sample, scene),
        panels=tuple(
            _panel(arm, found, score, rules, colours[arm.name])
            for arm, (found, score) in zip(arms, own, strict=True)
            if score is not None
        ),
        licence=sample.licence,
        contrast=contrast,
    )


def _embedded(run: Run, record: Record) -> str:
    """Return the image sent for a record as a PNG in base64, reduced to 768 pixels if it is larger.

    Empty if none was stored, or if it cannot be decoded. Raises DamageError if it differs from what was stored.
    """
    if not is_hash(record.v0_sha256):
        return ""
    data = read_picture(run.folder, record.v0_sha256, record.sample.id)
    try:
        grey = decode_png(data)
    except DataError:
        return ""
    longest = max(grey.shape)
    if longest > _MOST_PIXELS:
        height, width = (max(1, round(side * _MOST_PIXELS / longest)) for side in grey.shape)
        data = encode_png(np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8))
    return base64.b64encode(data).decode("ascii")


def _panel(arm: ArmIn, record: Record, score: Score, rules: Protocol, colour: str) -> Panel:
    marks, note = _drawn(arm.first, record, score, rules)
    return Panel(
        arm=arm.name,
        answer=_numbers(score.values) + record.sample.asks.unit_after if score.success else "no answer could be read",
        outcome=record.outcome.value,
        loss=float(score.loss),
        marks=marks,
        note=note,
        response=record.response,
        colour=colour,
    )


def _truth(sample: Sample, scene: Scene | Missing) -> tuple[Mark, ...]:
    if sample.asks.is_box:
        return (_box(sample.target, "ground truth"),)
    if isinstance(scene, Missing) or len(scene.truth) < 2:
        return ()
    ends = zip(scene.truth[::2], scene.truth[1::2], strict=False)
    named = zip(ends, sample.asks.lines, strict=False)
    return tuple(_line(pair, scene, f"ground truth, {name}") for pair, name in named)


def _drawn(run: Run, record: Record, score: Score, rules: Protocol) -> tuple[tuple[Mark, ...], str]:
    """Return the marks of what an arm answered and measured for a sample, and a text.

    The text says why nothing can be drawn; it is empty if something is.
    """
    calls = calls_of(read_trace(run.folder, record.sample.id), tools_of(run))
    scene = scene_of(run, record, calls)
    box = (_box(score.values, "answer"),) if record.sample.asks.is_box and score.success else ()
    if isinstance(scene, Missing):
        return box, "" if box else str(scene)
    views = _views(scene, sum(call.ok and call.tool == "crop" for call in calls))
    if record.sample.asks.is_box:
        return (*views, *box), ""
    parts = trace(record.sample.asks, reply_of(record), calls, scene, rules)
    cited = [one for part in parts if isinstance(part, Traced) for one in part.measurements]
    measured = measurements(record.sample.asks, calls, scene)
    known = [(one.source, one.value, one.points) for one in cited]
    every = [] if isinstance(measured, Missing) else measured
    others = [one for one in every if (one.source, one.value, one.points) not in known]
    marks = [mark for one in others for mark in _lines(one, scene, final=False)]
    marks += [mark for one in cited for mark in _lines(one, scene, final=True)]
    reasons = dict.fromkeys(str(part) for part in parts if isinstance(part, Missing))
    return (*views, *marks), "" if marks else "; ".join(reasons) or "nothing to draw"


def _lines(one: Measurement, scene: Scene, *, final: bool) -> list[Mark]:
    words = f"{one.source}: {significant(one.value, 4)}"
    pairs = zip(one.points[::2], one.points[1::2], strict=False)
    return [_line(pair, scene, words, final=final) for pair in pairs]


def _line(ends: tuple[Point, Point], scene: Scene, words: str, *, final: bool = True) -> Mark:
    whole = scene.views.whole.region
    placed = [whole.unit(point) for point in ends]
    return Mark(shape="line", points=(_near(placed[0]), _near(placed[1])), words=words, final=final)


def _views(scene: Scene, count: int) -> tuple[Mark, ...]:
    return tuple(
        Mark(shape="view", points=_corners(scene, scene.views.get(f"v{number}").region), words=f"crop v{number}")
        for number in range(1, count + 1)
    )


def _corners(scene: Scene, region: Region) -> tuple[tuple[float, float], ...]:
    whole = scene.views.whole.region
    return tuple(_near(whole.unit(point)) for point in (Point(region.x0, region.y0), Point(region.x1, region.y1)))


def _box(box: Sequence[float], words: str) -> Mark:
    """Return the mark of a box that is given in MedVision's convention (shares of the image, origin lower left)."""
    x1, y1, x2, y2 = (float(value) for value in box)
    return Mark(shape="box", points=(_near((x1, 1 - y1)), _near((x2, 1 - y2))), words=words)


def _near(point: tuple[float, float]) -> tuple[float, float]:
    """Return a point (x right, y down, 0 to 1 in the image) moved to at most 4 image sizes outside the image."""
    x, y = (min(max(value, -_FAR), 1 + _FAR) if math.isfinite(value) else -_FAR for value in point)
    return x, y


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(significant(value, 4) for value in values)
