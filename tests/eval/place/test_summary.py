"""Shares, chance rates, bounds and gains of samples whose places are known, worked out by hand beside them."""

import pytest

from medvision_agent.eval.data.sample import Landmark, PixelSize, Sample
from medvision_agent.eval.place.chance import Chances
from medvision_agent.eval.place.compare import compare_places
from medvision_agent.eval.place.located import Found, Located
from medvision_agent.eval.place.rule import Place, Target
from medvision_agent.eval.place.summary import Places
from medvision_agent.eval.tasks import TASKS
from medvision_agent.tools.view.geometry import Point, Spacing

UNKNOWN = "nothing was measured and no points are stated"


def task_place(located, *, without_place=0):
    """Return where the answers to one task were measured."""
    places = Places()
    for one in located:
        places.add(one)
    return places.summary(without_place=without_place)


def chances(located):
    """Return the chance rate of each answer with a known place, by sample id."""
    every = Chances()
    for one in located:
        if isinstance(one.found, Found):
            every.add(one.sample, one.found)
    return dict(every.rates())


def a_sample(number, subject, at, label="lesion"):
    """Return a lesion of 20 x 20 mm around a point of an image of 100 x 100 mm."""
    ends = {"major 1": (at - 10, 50), "major 2": (at + 10, 50), "minor 1": (at, 40), "minor 2": (at, 60)}
    return Sample(
        id=f"s{number}",
        task="size",
        image="a.png",
        pixel_size=PixelSize(height_mm=1, width_mm=1),
        modality="CT",
        plane="axial",
        label=label,
        target=(20.0, 20.0),
        convention="edge",
        truth_points=tuple(Landmark(name=name, x=x, y=y) for name, (x, y) in ends.items()),
        dataset="d",
        subject=subject,
    )


def located(sample, loss, measured_at):
    """Return a sample measured around x = *measured_at*, with a reason instead, or failed (None)."""
    if not isinstance(measured_at, int):
        return Located(sample, loss, measured_at)
    points = tuple(Point(one.x, one.y) for one in sample.truth_points)
    target = Target(TASKS["size"], points, Spacing(1, 1))
    return Located(sample, loss, Found.of(((measured_at / 100, 0.5),) * 4, target, (100.0, 100.0)))


def test_the_chance_rate_is_that_of_other_subjects_places():
    # Subject a measured at 20 and 90, b at 25, c at 70; the lesions lie around 20, 80, 30 and 70.
    samples = [a_sample(0, "a", 20), a_sample(1, "a", 80), a_sample(2, "b", 30), a_sample(3, "c", 70)]
    own = [located(sample, 0.1, at) for sample, at in zip(samples, (20, 90, 25, 70), strict=True)]
    expected = {
        "s0": (1 + 0) / 2,  # b's 25 lies in 10..30, c's 70 does not
        "s1": (0 + 1) / 2,  # c's 70 lies in 70..90
        "s2": (0.5 + 0) / 2,  # one of a's two places lies in 20..40
        "s3": (0 + 0) / 2,
    }
    assert chances(own) == pytest.approx(expected)
    place = task_place(own)
    assert (place.right, place.elsewhere, place.share.mean) == (4, 0, 1.0)
    assert (place.chance.mean, place.chance.n) == (pytest.approx(sum(expected.values()) / 4), 4)


def test_there_is_no_chance_rate_without_another_subject_of_that_label():
    own = [located(a_sample(0, "a", 20), 0.1, 20), located(a_sample(1, "a", 30), 0.1, 30)]
    own.append(located(a_sample(2, "b", 30, label="cyst"), 0.1, 30))
    assert chances(own) == {"s0": None, "s1": None, "s2": None}
    assert (task_place(own).chance.mean, task_place(own).chance.n) == (None, 0)


def test_a_model_that_always_points_at_one_spot_is_no_better_than_chance():
    own = [located(a_sample(k, f"p{k}", 20 if k % 3 else 80), 0.1, 20) for k in range(90)]
    place = task_place(own)
    assert place.share.mean == pytest.approx(2 / 3)
    assert place.chance.mean == pytest.approx(2 / 3)
    assert place == task_place(own)


@pytest.mark.parametrize("unknown", [2, 3])
def test_under_four_fifths_located_there_are_only_bounds(unknown):
    right = [located(a_sample(k, f"p{k}", 50), 0.2, 50) for k in range(4)]
    wrong = [located(a_sample(4 + k, f"p{4 + k}", 50), 0.1, 90) for k in range(6 - unknown + 2)]
    open_ = [located(a_sample(20 + k, f"p{20 + k}", 50), 0.4, UNKNOWN) for k in range(unknown)]
    failed = [located(a_sample(30, "p30", 50), 1.0, None)]
    own = [*right, *wrong, *open_, *failed]
    place = task_place(own, without_place=3)
    assert (place.n, place.failed, place.without_place) == (len(own), 1, 3)
    assert place.not_locatable == {UNKNOWN: unknown}
    lowest = (4 * 0.2 + len(wrong) + unknown * 0.4 + 1) / len(own)
    highest = (4 * 0.2 + len(wrong) + unknown + 1) / len(own)
    assert (place.lowest_loss, place.highest_loss) == (pytest.approx(lowest), pytest.approx(highest))
    assert place.grounded_loss == (pytest.approx(lowest) if (4 + len(wrong)) / (len(own) - 1) >= 0.8 else None)
    assert place.share.n == 4 + len(wrong)


def test_gains_by_place_add_up_to_the_difference():
    samples = [a_sample(k, f"p{k}", 50) for k in range(6)]
    losses_a, places_a = (0.5, 0.6, 1.0, 0.1, 0.3, 0.2), (50, 50, None, 50, 90, 50)
    losses_b, places_b = (0.1, 0.2, 0.4, 0.6, 1.0, 0.2), (50, 90, UNKNOWN, 50, None, 90)
    a = [located(*one) for one in zip(samples, losses_a, places_a, strict=True)]
    b = [located(*one) for one in zip(samples, losses_b, places_b, strict=True)]
    found = compare_places(a, b)["size"]
    parts = [getattr(gains, name) for gains in (found.gains_b, found.gains_a) for name in type(gains).model_fields]
    assert [part.pairs for part in parts] == [1, 1, 1, 1, 1, 0]
    assert [6 * part.difference for part in parts] == pytest.approx([-0.4, -0.4, -0.6, 0.5, 0.7, 0])
    assert sum(part.difference for part in parts) == pytest.approx(found.difference)
    assert found.gains_b.elsewhere.apart_mm == pytest.approx((40, 40))
    # A: .5 .6 1 .1 1 .2; B: .1 1 .4 (or 1) .6 1 1, of whose five answers four are located.
    assert found.grounded_difference == pytest.approx((0.1 + 1 + 0.4 + 0.6 + 1 + 1 - 3.4) / 6)
    assert (found.lowest, found.highest) == (found.grounded_difference, pytest.approx((4.7 - 3.4) / 6))


def test_arms_are_bounded_where_one_locates_too_little():
    samples = [a_sample(k, f"p{k}", 50) for k in range(3)]
    a = [located(sample, 0.4, UNKNOWN) for sample in samples]
    b = [located(sample, 0.2, 50) for sample in samples]
    found = compare_places(a, b)["size"]
    assert found.grounded_difference is None
    assert (found.lowest, found.highest) == (pytest.approx(-0.8), pytest.approx(-0.2))
    assert [one.place for one in a] == [Place.UNKNOWN] * 3
