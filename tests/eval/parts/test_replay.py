"""The parts of one loss: planted kinds of wrong answers, sums for any answer, and the replay worked out by hand."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from talks import RULES, done, protractor, ruler, scene

from medvision_agent.eval.parts.replay import CAUSES, Case, Cause, Kind, explain
from medvision_agent.eval.scorer.score import score
from medvision_agent.eval.tasks import TASKS
from medvision_agent.eval.why.scene import Missing

ENDS = ((0.1, 0.5), (0.7, 0.5))
"""120 mm in an image of 200 x 200 mm."""
TRUE = (0.1, 0.5, 0.7, 0.5)
NEAR = (0.1, 0.5, 0.76, 0.5)
"""132 mm, in the right place."""
ELSEWHERE = (0.1, 0.1, 0.6, 0.1)
"""100 mm on another structure."""


@pytest.fixture(scope="module")
def where():
    return scene(truth=ENDS)


def asked(where, response, *calls, task="distance", target=(120.0,)):
    text = response if response is None or "<answer>" in response else f"<answer>{response}</answer>"
    return explain(Case(TASKS[task], target, calls, where, RULES), text)


def test_every_kind_of_wrong_answer_is_told_from_the_others(where):
    near, elsewhere, true = (ruler(where, *line) for line in (NEAR, ELSEWHERE, TRUE))
    slanted = ruler(where, 0.1, 0.5, 0.6, 0.1)
    kinds = {
        Kind.RIGHT: asked(where, "120.0", true),
        Kind.IMPRECISE: asked(where, "132.0", near),
        Kind.WRONG_OBJECT: asked(where, "100.0", elsewhere),
        Kind.COPIED: asked(where, "100.0", true, elsewhere),
        Kind.UNIT: asked(where, "13.2", near),
        Kind.ARITHMETIC: asked(where, "(0.1, 0.5), (0.76, 0.5) <answer>60.0</answer>"),
        Kind.IGNORED: asked(where, "99.9", true),
        Kind.NOWHERE: asked(where, "99.9"),
        Kind.AMBIGUOUS: asked(where, "100", ruler(where, 0.1, 0.5, 0.6, 0.5), elsewhere),
        Kind.NO_ANSWER: asked(where, None, true),
        Kind.UNKNOWN: asked(Missing.NO_PICTURE, "99.9"),
    }
    assert {wanted: found.kind for wanted, found in kinds.items()} == {kind: kind for kind in Kind}
    assert asked(where, "80.0", slanted).kind is Kind.COPIED
    assert asked(where, "no number", true).kind is Kind.NO_ANSWER
    # A number that is right by luck was measured elsewhere all the same.
    lucky = asked(where, "100.0", elsewhere, target=(100.0,))
    assert (lucky.kind, lucky.loss) == (Kind.WRONG_OBJECT, 0.0)


def test_a_loss_in_one_part_is_in_that_part_alone(where):
    for line, cause, loss in ((NEAR, Cause.SEEING, 0.1), (ELSEWHERE, Cause.WRONG_OBJECT, 1 / 6)):
        found = asked(where, f"{200 * (line[2] - line[0]):.1f}", ruler(where, *line))
        assert found.loss == pytest.approx(loss)
        assert found.parts[cause] == pytest.approx(loss)
        assert {one for one in CAUSES if found.parts[one] != 0} <= {cause, Cause.ARITHMETIC}
    for response in (None, "no number"):
        assert asked(where, response).parts == {Cause.NO_ANSWER: 1.0}
    found = asked(where, "90.0")
    assert found.parts == {Cause.NOT_DECOMPOSED: 0.25}
    assert (found.decomposed, found.reason) == (False, Missing.NO_POINTS)


def test_two_errors_share_what_is_capped_and_may_make_up_for_each_other(where):
    # 132 mm in cm: the loss is .89. With the points corrected it is .9, with the unit corrected .1, with both 0.
    found = asked(where, "13.2", ruler(where, *NEAR))
    assert found.loss == pytest.approx(0.89)
    assert found.parts[Cause.UNIT] == pytest.approx((0.89 - 0.1 + 0.9) / 2)
    assert found.parts[Cause.SEEING] == pytest.approx((0.89 - 0.9 + 0.1) / 2)
    # Points 10 % too long, and a sum 1/11 too short: the loss is 0, and one part is negative.
    lucky = asked(where, "(0.1, 0.5), (0.76, 0.5) <answer>120.0</answer>")
    assert lucky.parts[Cause.SEEING] == pytest.approx((0.1 - 1 / 11) / 2)
    assert lucky.parts[Cause.ARITHMETIC] == pytest.approx(-lucky.parts[Cause.SEEING])


def test_of_a_mean_of_readings_each_is_corrected_where_it_was_measured(where):
    calls = [ruler(where, *line) for line in (NEAR, ELSEWHERE, TRUE)]
    found = asked(where, "117.33", *calls)
    assert found.parts[Cause.WRONG_OBJECT] > 0 > found.parts[Cause.SEEING]
    # Without the 100 mm: 124 mm; without the 132 mm: 113.33 mm.
    loss, without_object, without_seeing = 8 / 360, 12 / 360, 20 / 360
    rounded = pytest.approx((loss - without_object + without_seeing) / 2, abs=1e-4)
    assert found.parts[Cause.WRONG_OBJECT] == rounded


def test_angles_keep_the_difference_and_the_form_of_their_arithmetic():
    truth = ((0.1, 0.1), (0.9, 0.1), (0.1, 0.1), (0.5, 0.5))
    where = scene(truth=truth)
    lines = protractor(where, *(value for point in truth for value in point))
    found = asked(where, "135.0", lines, task="angle", target=(45.0,))
    assert (found.kind, found.parts[Cause.UNIT]) == (Kind.UNIT, pytest.approx(1.0))
    stated = " ".join(f"({x}, {y})" for x, y in truth)
    wrong = asked(where, f"{stated} <answer>55</answer>", task="angle", target=(36.0,))
    assert wrong.loss == pytest.approx(19 / 90)
    assert (wrong.parts[Cause.ARITHMETIC], wrong.parts[Cause.SEEING]) == (pytest.approx(10 / 90), pytest.approx(9 / 90))


BOX = (0.2, 0.2, 0.6, 0.6)


@pytest.mark.parametrize(
    ("answer", "kind", "cause"),
    [
        ("0.2, 0.2, 0.6, 0.6", Kind.RIGHT, None),
        ("0.6, 0.6, 0.2, 0.2", Kind.RIGHT, None),
        ("0.2, 0.2, 0.6, 0.5", Kind.IMPRECISE, Cause.SEEING),
        ("0.7, 0.7, 0.9, 0.9", Kind.WRONG_OBJECT, Cause.WRONG_OBJECT),
        ("200, 200, 600, 600", Kind.UNIT, Cause.UNIT),  # beyond the 200 pixels of the image
        ("20, 20, 60, 60", Kind.AMBIGUOUS, Cause.NOT_DECOMPOSED),  # per cent, thousandths or pixels
        ("-5, 2000, 60, 60", Kind.WRONG_OBJECT, Cause.WRONG_OBJECT),
        ("0.2, 0.2, 0.6, 1.3", Kind.IMPRECISE, Cause.SEEING),
    ],
)
def test_the_corners_of_a_box_are_seen_or_in_another_unit(where, answer, kind, cause):
    found = asked(where, answer, task="detection", target=BOX)
    assert found.kind is kind
    assert sum(found.parts.values()) == pytest.approx(found.loss, abs=1e-12)
    if cause is not None:
        assert found.parts[cause] == pytest.approx(found.loss)


def test_the_box_of_a_tool_tells_the_unit_of_an_answer(where):
    fit = done(where, "fit_contour", x0=0.1, y0=0.1, x1=0.9, y1=0.9)
    box = dict(fit.result) | dict(zip(("v0_box_x0", "v0_box_y0", "v0_box_x1", "v0_box_y1"), BOX, strict=True))
    fit = type(fit)("fit_contour", {}, "{}", True, False, 0.0, box, fit.measures)
    found = asked(where, "20, 20, 60, 60", fit, task="detection", target=BOX)
    assert (found.kind, found.parts[Cause.UNIT]) == (Kind.UNIT, pytest.approx(1.0))


unit = st.floats(0.01, 0.99)
answers = st.floats(-1e4, 1e4)


@settings(deadline=None, max_examples=150)
@given(
    task=st.sampled_from(["distance", "size", "angle", "detection"]),
    at=st.lists(unit, min_size=8, max_size=8),
    true=st.lists(unit, min_size=8, max_size=8),
    target=st.lists(st.floats(0.1, 90), min_size=2, max_size=2),
    answer=st.one_of(answers, st.sampled_from(["measured", "cm", "mean", "none"])),
    stated=st.booleans(),
)
def test_parts_add_up_to_the_loss_whatever_was_answered(task, at, true, target, answer, stated):
    count = {"angle": 8}.get(task, 4 * len(TASKS[task].numbers) if task != "detection" else 0)
    where = scene(spacing=(0.7, 1.3), truth=list(zip(true[:count:2], true[1:count:2], strict=True)))
    calls = [protractor(where, *at)] if task == "angle" else [ruler(where, *at[:4]), ruler(where, *at[4:])]
    values = [call.number(name) for call in calls for name in ("distance_mm", "acute_angle_deg")]
    values = [value for value in values if value is not None] or [1.0]
    said = {"measured": values[-1], "cm": values[-1] / 10, "mean": sum(values) / len(values)}.get(answer, answer)
    numbers = len(TASKS[task].numbers)
    text = "" if said == "none" else ", ".join([f"{said:.3f}"] * numbers)
    points = " ".join(f"({x}, {y})" for x, y in zip(at[::2], at[1::2], strict=True)) if stated else ""
    wanted = BOX if task == "detection" else tuple(target[:numbers])
    found = asked(where, f"{points} <answer>{text}</answer>", *([] if stated else calls), task=task, target=wanted)
    assert abs(sum(found.parts.values()) - found.loss) < 1e-12
    assert found.loss == score(task, f"<answer>{text}</answer>", wanted, RULES).loss


def test_the_parts_are_those_of_all_orders_of_correction(where):
    """By another route: the mean over all orders, each loss worked out by the rule of the loss."""
    near, elsewhere = ruler(where, *NEAR), ruler(where, *ELSEWHERE)
    text = "(132.0 + 100.0) / 2 = 126.0 <answer>126.0</answer>"
    found = asked(where, text, near, elsewhere)

    def loss(corrected):
        seen = (120 if Cause.SEEING in corrected else 132) + (120 if Cause.WRONG_OBJECT in corrected else 100)
        value = seen / 2 * (1 if Cause.ARITHMETIC in corrected else 126 / 116)
        return min(abs(value - 120) / 120, 1)

    expected = dict.fromkeys(CAUSES, 0.0)
    orders = list(permutations(CAUSES))
    for order in orders:
        for place, cause in enumerate(order):
            expected[cause] += (loss(order[:place]) - loss(order[: place + 1])) / len(orders)
    assert found.parts == {cause: pytest.approx(value, abs=1e-9) for cause, value in expected.items()}


def test_what_an_answer_would_have_cost_is_told_for_any_causes(where):
    found = asked(where, "13.2", ruler(where, *NEAR))  # 132 mm in cm, of 120
    assert found.corrected(()) == found.loss == pytest.approx(0.89)
    assert found.corrected({Cause.SEEING, Cause.WRONG_OBJECT}) == pytest.approx(0.9)
    assert found.corrected({Cause.UNIT}) == pytest.approx(0.1)
    assert found.corrected({Cause.ARITHMETIC}) == pytest.approx(0.89)
    assert found.corrected(CAUSES) == pytest.approx(0)
    assert asked(where, "99.9").corrected({Cause.UNIT}) is None
    assert asked(where, None).corrected(CAUSES) is None


def test_a_box_in_unknown_units_needs_the_size_at_which_the_model_saw_the_image(where):
    box = {"task": "detection", "target": (0.1, 0.2, 0.3, 0.4)}
    known, unknown = scene(size=(448, 448)), replace(scene(size=(448, 448)), sized=False)
    for here in (unknown, Missing.NO_IMAGE_SIZE):
        for numbers in ("44.8, 89.6, 134.4, 179.2", "100, 200, 300, 400", "10, 20, 30, 40"):
            found = asked(here, numbers, **box)
            assert (found.kind, found.reason) == (Kind.UNKNOWN, Missing.NO_PERCEIVED)
        assert asked(here, "0.1, 0.2, 0.3, 0.4", **box).kind is Kind.RIGHT
        assert asked(here, "-10, 20, 30, 40", **box).kind is Kind.WRONG_OBJECT
        assert asked(here, "100000, 200, 300, 400", **box).kind is Kind.WRONG_OBJECT
    right = {"task": "detection", "target": (0.5, 0.2, 0.6, 0.4)}
    assert asked(known, "500, 200, 600, 400", **right).kind is Kind.UNIT  # thousandths, for they are no pixels
