"""Telescoping for any points and any answer; which measurement is cited; which points are read from a text."""

import pytest
import talks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from talks import RULES, done

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.tasks import TASKS
from medvision_agent.eval.why.flow import Traced, trace
from medvision_agent.eval.why.numbers import Number, numbers_in
from medvision_agent.eval.why.samples import Parts, corner_errors, landmark_error
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.eval.why.stated import stated_points
from medvision_agent.tools.view.frames import FRAMES, MEDVISION
from medvision_agent.tools.view.geometry import Point, Spacing
from medvision_agent.tools.view.perceived import Fixed


def scene(frame=MEDVISION, spacing=(2.0, 0.5), rule=None):
    return talks.scene(frame, spacing, (40, 80), rule)


def traced(record, calls, where):
    response = record.response if record.outcome is Outcome.ANSWERED else None
    return trace(record.sample.asks, response, calls, where, RULES)


unit = st.floats(0, 1)
side = st.floats(0.1, 5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(unit, min_size=8, max_size=8), side, side, st.floats(-1e4, 1e4), st.floats(0, 1e3), st.integers(0, 6))
def test_parts_add_up_to_the_error_for_any_points_and_answer(make, at, height, width, answer, target, decimals):
    where = scene(spacing=(height, width))
    written = f"{answer:.{decimals}f}"
    names = ("ax0", "ay0", "ax1", "ay1", "bx0", "by0", "bx1", "by1")
    calls = {
        "distance": [done(where, "ruler", **dict(zip(("x0", "y0", "x1", "y1"), at[:4], strict=True)))],
        "angle": [done(where, "protractor", **dict(zip(names, at, strict=True)))],
    }
    calls["size"] = [
        *calls["distance"],
        done(where, "ruler", **dict(zip(("x0", "y0", "x1", "y1"), at[4:], strict=True))),
    ]
    for task, made in calls.items():
        truth = (target, target) if task == "size" else (target,)
        record = make("s", task, ", ".join([written] * len(truth)), target=truth)
        found = trace(record.sample.asks, record.response, made, where, RULES)
        for one in found:
            if isinstance(one, Traced):
                part = Parts.of(one, target)
                assert part.unit + part.arithmetic + part.seeing == pytest.approx(float(written) - target, abs=1e-9)


@pytest.fixture
def make(make_record):
    return make_record


@pytest.mark.parametrize(
    ("text", "value", "half"),
    [("12.30", 12.3, 0.005), ("12", 12, 0.5), ("12.", 12, 0.5), ("1.5e2", 150, 5), ("1,234.5", 1234.5, 0.05)],
)
def test_numbers_as_written(text, value, half):
    number = Number.read(text)
    assert (number.value, number.half_unit) == (value, pytest.approx(half))


def test_absurd_numbers_are_read_without_fault():
    for rules in PROTOCOLS.values():
        for text in ("1e" + "9" * 5000, "9" * 5000, "1e-" + "9" * 5000):
            (number,) = numbers_in(f"<answer>{text}</answer>", 1, rules)
            assert not number.rounds(3.0)


def test_a_huge_answer_has_no_parts(make):
    record = make("s", "distance", "1e300")
    assert traced(record, [], scene()) == [Missing.TOO_LARGE]
    assert traced(make("s", "distance", None), [], scene()) == [Missing.NO_ANSWER]
    assert traced(make("s", "distance", "none"), [], scene()) == [Missing.NO_NUMBERS]


STEPS = {k: f"<step-{k}-answer>(0.{k}, 0.{k})</step-{k}-answer>" for k in (1, 2)}
P, Q, R, S = Point(8, 36), Point(16, 32), Point(24, 28), Point(32, 24)
"""(0.1, 0.1), (0.2, 0.2), (0.3, 0.3), (0.4, 0.4) of a picture of 80 x 40."""


@pytest.mark.parametrize(
    ("task", "text", "expected"),
    [
        ("distance", "From (0.1, 0.1) to (0.2,0.2). <answer>3</answer>", (P, Q)),
        ("distance", "From [0.1, 0.1] to [0.2, 0.2]; (0.1, 0.1) again", (P, Q)),
        ("distance", "(0.1, 0.1), (0.2, 0.2), so (dx, dy) = (14.5, 8.0) mm", (P, Q)),
        ("distance", "x1 = 0.1, y1=0.1, x2 = 0.2, y2 = 0.2.", (P, Q)),
        ("distance", "x1 = 0.1, y1=0.1, x2 = 0.2, y2 = 0.2 - 0.1", Missing.NO_POINTS),
        ("distance", "x1 = 0.1, x1 = 0.3, y1=0.1, x2 = 0.2, y2 = 0.2", Missing.NO_POINTS),
        ("distance", "(0.1, 0.1), (0.2, 0.2) or rather (0.3, 0.3)", Missing.UNCLEAR_POINTS),
        ("distance", "(0.1, 0.1)", Missing.UNCLEAR_POINTS),
        ("distance", "about 3 <answer>(0.1, 0.1), (0.2, 0.2)</answer>", Missing.NO_POINTS),
        ("distance", "<step-1>x1 = 0.1, y1 = 0.1</step-1><step-2>x2 = 0.2, y2 = 0.2</step-2>(0.9, 0.9)", (P, Q)),
        (
            "distance",
            " then ".join(f"<step-{k}-reasoning>(0.9, 0.9)?</step-{k}-reasoning>{STEPS[k]}" for k in (1, 2)),
            (P, Q),
        ),
        # All points in the first step, and none in the second; but where the second names one, they are too many.
        ("distance", "<step-1-answer>(0.1, 0.1), (0.2, 0.2)</step-1-answer><step-2-answer>3</step-2-answer>", (P, Q)),
        (
            "distance",
            "<step-1-answer>(0.1, 0.1), (0.2, 0.2)</step-1-answer><step-2-answer>(0.3, 0.3)</step-2-answer>",
            Missing.UNCLEAR_POINTS,
        ),
        (
            "size",
            "<step-1-answer>(0.1, 0.1), (0.2, 0.2)</step-1-answer><step-2-answer>3</step-2-answer>",
            Missing.UNCLEAR_POINTS,
        ),
        ("angle", "(0.1, 0.1) (0.2, 0.2) and (0.1, 0.1) (0.4, 0.4)", (P, Q, P, S)),  # the lines share an end
        ("angle", "(0.1, 0.1) (0.2, 0.2) and (0.1, 0.1) (0.2, 0.2)", Missing.UNCLEAR_POINTS),
        ("size", "(0.1, 0.1) (0.2, 0.2) (0.3, 0.3) (0.4, 0.4)", (P, Q, R, S)),
        ("size", "(0.1, 0.1) (0.2, 0.2) (0.3, 0.3)", Missing.UNCLEAR_POINTS),
        (
            "angle",
            "<step-1>x1 = 0.1, y1 = 0.1; x2 = 0.2, y2 = 0.2</step-1><step-2>(0.3, 0.3), (0.4, 0.4)</step-2>",
            (P, Q, R, S),
        ),
        (
            "angle",
            "<step-1>(0.1, 0.1)</step-1><step-2>(0.2, 0.2), (0.3, 0.3), (0.4, 0.4)</step-2>",
            Missing.UNCLEAR_POINTS,
        ),
    ],
)
def test_points_stated_in_a_text(task, text, expected):
    found = stated_points(TASKS[task], text, scene())
    if isinstance(expected, Missing):
        assert found is expected
    else:
        assert [(p.x, p.y) for p in found] == [pytest.approx((p.x, p.y)) for p in expected]


def test_points_stated_are_in_the_models_own_convention_of_the_whole_picture():
    yx = stated_points(TASKS["distance"], "(900, 100) (800, 200)", scene(FRAMES["norm1000-yx"]))
    pixels = scene(FRAMES["pixel"], rule=Fixed(height=80, width=160))
    px = stated_points(TASKS["distance"], "(16, 72), (32, 64)", pixels)
    for points in (yx, px):
        assert [(p.x, p.y) for p in points] == [pytest.approx((P.x, P.y)), pytest.approx((Q.x, Q.y))]
    several = Scene(scene().views, (), cropped=True)
    assert stated_points(TASKS["distance"], "(0.1, 0.1) (0.2, 0.2)", several) is Missing.SEVERAL_VIEWS


def test_stated_points_that_coincide_have_no_angle(make):
    # Both lie on the border, one by the rounding that is forgiven.
    text = "(0, 0.5) (-0.0000005, 0.5) (0.1, 0.1) (0.2, 0.2) <answer>5</answer>"
    record = make("s", "angle", "5").model_copy(update={"response": text})
    assert traced(record, [], scene()) == [Missing.SAME_POINTS]


def test_a_failed_call_measures_nothing_and_a_crop_counts_where_it_lies(make):
    where = scene()
    failed = done(where, "ruler", x0=0, y0=0, x1=5, y1=0)
    assert not failed.ok
    assert traced(make("s", "distance", "10"), [failed], where) == [Missing.NO_POINTS]
    crop = done(where, "crop", x0=0, y0=0, x1=0.5, y1=0.5, zoom=2)
    ruler = done(where, "ruler", view="v1", x0=0, y0=0, x1=1, y1=1)
    (one,) = traced(make("s", "distance", "44.7"), [failed, crop, ruler], where)
    assert one.seen == pytest.approx(2000**0.5)  # 20 mm across, 40 mm down


def test_landmark_errors_by_hand():
    spacing = Spacing(2, 1)
    truth = [Point(0, 0), Point(10, 0), Point(5, -5), Point(5, 5)]
    swapped = [Point(5, 6), Point(5, -5), Point(10, 0), Point(0, 0)]  # one end 1 pixel lower: 2 mm
    found = landmark_error(swapped, truth, spacing)
    assert (found.mean_mm, found.largest_mm, found.swapped) == (0.5, 2.0, True)
    crossed = [truth[0], truth[2], truth[1], truth[3]]  # not the same lines
    assert landmark_error(crossed, truth, spacing).mean_mm > 1
    assert landmark_error(truth[:2], truth, spacing) is None
    assert corner_errors((0.6, 0.5, 0.1, 0.1), (0.1, 0.1, 0.5, 0.5), (50, 100)) == pytest.approx((0, 10))
