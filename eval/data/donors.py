"""Donors: for each sample, a sample of another subject with the same question, whose image can replace its own.

Contract: each subject gives to one other subject and gets from one. The subjects with one question (task, label,
landmarks, measurement), modality and plane form a circle, in an order drawn from the seed, and each gets from the next.
A subject that is alone with a modality and a plane joins other such subjects, or else the most similar ones. A sample
has no donor only where no other subject has its question. The result does not depend on the order of the samples.
"""

import math
from collections.abc import Iterable, Mapping
from hashlib import sha256

from medvision_agent.eval.data.sample import Sample
from medvision_agent.quantity import AREA_MM2
from medvision_agent.tools.view.geometry import Point, Size, Spacing, acute_angle_deg, distance_mm

__all__ = ["donors", "truth_as_shown"]

_Circle = dict[str, list[Sample]]
"""Samples by subject."""
_Kind = tuple[str, str]
"""Modality and plane."""


def donors(samples: Iterable[Sample], seed: int) -> dict[str, Sample]:
    """Return, by the id of each sample, its donor: a sample of another subject whose image can be shown instead.

    A sample is left out if no other subject has its question. *seed* determines which subject gives to which.
    """
    questions: dict[tuple[object, ...], list[Sample]] = {}
    for one in sorted(samples, key=lambda sample: sample.id):
        questions.setdefault((one.task, one.label, one.landmarks, one.measurement), []).append(one)
    circles = [circle for same in questions.values() for circle in _circles(same)]
    return {target: donor for circle in circles for target, donor in _given(circle, seed).items()}


def _circles(same: Iterable[Sample]) -> list[_Circle]:
    """Group samples that ask the same question into circles of at least two subjects.

    Return none for a single subject.
    """
    kinds: dict[_Kind, _Circle] = {}
    for one in same:
        kinds.setdefault(_kind(one), {}).setdefault(one.subject, []).append(one)
    circles = {kind: circle for kind, circle in sorted(kinds.items()) if len(circle) > 1}
    alone: _Circle = {}
    for _, circle in sorted(item for item in kinds.items() if len(item[1]) == 1):
        _join(alone, circle)
    if len(alone) > 1:
        return [*circles.values(), alone]
    if alone and circles:
        [(first, *_)] = alone.values()
        _join(circles[min(circles, key=lambda kind: (kind[0] != first.modality, kind[1] != first.plane, kind))], alone)
    return list(circles.values())


def _kind(sample: Sample) -> _Kind:
    return sample.modality, sample.plane


def _join(circle: _Circle, others: Mapping[str, list[Sample]]) -> None:
    for subject, samples in others.items():
        circle.setdefault(subject, []).extend(samples)


def _given(circle: _Circle, seed: int) -> dict[str, Sample]:
    """Return the donor of each sample in one circle, by the sample's id.

    Each subject gets samples of the next one, of the same modality and plane if there are any.
    """
    order = sorted(circle, key=lambda subject: sha256(f"{seed}\0{subject}".encode()).digest())
    found: dict[str, Sample] = {}
    for subject, donor in zip(order, [*order[1:], order[0]], strict=True):
        for number, one in enumerate(circle[subject]):
            like = [other for other in circle[donor] if _kind(other) == _kind(one)] or circle[donor]
            found[one.id] = like[number % len(like)]
    return found


def truth_as_shown(donor: Sample, native: Size, field_mm: tuple[float, float]) -> tuple[float, ...] | None:
    """Return the ground truth of *donor* when its image is shown with the millimetres of another sample's image.

    The prompt states the pixel size of the image that is replaced, so that a correct measurement of the donor's image
    comes out in those millimetres. *native* is the size of the donor's image in pixels, *field_mm* the height and width
    in mm of the replaced image. A box stays a fraction of the image, lengths are in mm, angles in degrees, areas in
    mm2. None if it cannot be computed: the ground truth has no points, and the shape of the pixels changes.
    """
    if donor.asks.is_box:  # relative to the image
        return donor.target
    spacing = Spacing(field_mm[0] / native.height, field_mm[1] / native.width)
    points = [Point(one.x, one.y) for one in donor.truth_points]
    if donor.asks.lines and len(points) >= 2 * len(donor.asks.lines):
        lines = list(zip(points[::2], points[1::2], strict=False))
        if len(donor.target) < len(lines):
            return (acute_angle_deg(*lines[0], *lines[1], spacing),)
        return tuple(distance_mm(a, b, spacing) for a, b in lines[: len(donor.target)])
    down, across = spacing.height_mm / donor.pixel_size.height_mm, spacing.width_mm / donor.pixel_size.width_mm
    if donor.asks.quantity == AREA_MM2:  # for any shape of the pixels
        return tuple(number * down * across for number in donor.target)
    if not math.isclose(down, across, rel_tol=1e-6):
        return None
    return donor.target if donor.asks.loss == "angle" else tuple(number * down for number in donor.target)
