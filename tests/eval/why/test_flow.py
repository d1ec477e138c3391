"""What an answer was made of: planted conversations whose making is known, one for each way, right and wrong."""

import json
import time

import pytest
from talks import answered, done, protractor, ruler, scene

from medvision_agent.eval.tasks import TASKS
from medvision_agent.eval.why.calls import Call, calls_of
from medvision_agent.eval.why.coded import coded_points
from medvision_agent.eval.why.measured import measurements
from medvision_agent.eval.why.samples import Parts
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.quantity import LENGTH_MM, NUMBER
from medvision_agent.tools.base import Measurand, Measures
from medvision_agent.tools.view.frames import FRAMES

LINE = (0.1, 0.5, 0.707, 0.5)
"""121.4 mm in an image of 200 x 200 mm; the planted truth is 122.7 mm."""
HALVES = ((0.1, 0.5, 0.404, 0.5), (0.404, 0.5, 0.707, 0.5))
"""60.8 and 60.6 mm."""
TRUTH = 122.7


def parts(one, target=TRUTH):
    found = Parts.of(one, target)
    return [pytest.approx(value, abs=1e-9) for value in (found.unit, found.arithmetic, found.seeing)]


@pytest.fixture
def where():
    return scene()


@pytest.fixture
def halves(where):
    return [ruler(where, *half) for half in HALVES]


def test_two_halves_added_correctly_are_seeing_alone(where, halves):
    (one,) = answered("distance", "121.4", halves, where)
    assert parts(one) == [0, 0, -1.3]
    assert (one.source, len(one.measurements)) == ("ruler", 2)
    ends = sorted((point.x, point.y) for point in one.points)
    assert ends == [pytest.approx((20, 100)), pytest.approx((141.4, 100))]


def test_two_halves_added_wrongly_in_words_are_arithmetic(where, halves):
    (one,) = answered("distance", "60.8 mm + 60.6 mm = 131.4 mm <answer>131.4</answer>", halves, where)
    assert parts(one) == [0, 10, -1.3]
    # Nothing says how the number was made: it is no guess that it was a sum.
    assert answered("distance", "131.4", halves, where) == [Missing.IGNORED]


def test_lines_that_share_no_end_are_added_only_where_it_is_written(where):
    apart = [ruler(where, 0.1, 0.5, 0.404, 0.5), ruler(where, 0.5, 0.1, 0.5, 0.403)]
    assert answered("distance", "121.4", apart, where) == [Missing.IGNORED]
    (one,) = answered("distance", "60.8+60.6 = 121.4 <answer>121.4</answer>", apart, where)
    assert (one.seen, one.points) == (pytest.approx(121.4), ())
    code = done(where, "python", code="60.8 + 60.6")
    (two,) = answered("distance", "121.4", [*apart, code], where)
    assert two.seen == pytest.approx(121.4)


@pytest.mark.parametrize(("answer", "unit"), [("12.14", -109.26), ("0.1214", -121.2786), ("1214", 1092.6)])
def test_an_answer_in_another_unit_is_unit_alone(where, answer, unit):
    (one,) = answered("distance", answer, [ruler(where, *LINE)], where)
    assert parts(one) == [unit, 0, -1.3]


def test_python_on_own_points_is_traced_to_them(where):
    code = "x1, y1 = 0.1, 0.5\nx2, y2 = 0.707, 0.5\nmath.hypot((x2 - x1) * 200 * 1.0, (y2 - y1) * 200 * 1.0)"
    (one,) = answered("distance", "121.4", [done(where, "python", code=code)], where)
    assert parts(one) == [0, 0, -1.3]
    assert one.source == "python"
    half = code.replace("200 * 1.0, (", "100 * 1.0, (")  # the wrong width
    (two,) = answered("distance", "60.7", [done(where, "python", code=half)], where)
    assert parts(two) == [0, -60.7, -1.3]
    (three,) = answered("distance", "12.14", [done(where, "python", code=f"{code} / 10")], where)
    assert parts(three) == [-109.26, 0, -1.3]


def test_code_that_the_provider_ran_is_traced_alike(where, halves):
    def ran(code, text):
        trace = {"tool_calls": [{"tool": "code_execution", "arguments": {"code": code}, "ok": True, "text": text}]}
        return calls_of(trace, {})

    code = "import numpy as np\na, b = np.array([0.1, 0.5]), np.array([0.707, 0.5])\nprint(np.linalg.norm(b - a) * 200)"
    for text in ("121.4", "The distance is 121.4 mm.", "dx 0.607, dy 0.0, distance 121.40"):
        (one,) = answered("distance", "121.4", ran(code, text), where)
        assert parts(one) == [0, 0, -1.3]
        assert one.source == "code_execution"
    (two,) = answered("distance", "121.4", [*halves, *ran("print(f'{60.8 + 60.6:.1f}')", "121.4\n")], where)
    assert (two.source, two.seen) == ("ruler", pytest.approx(121.4))
    assert answered("distance", "121.4", ran("print(121.4)", "121.4"), where) == [Missing.NO_POINTS]
    # Three numbers of which none is near to what the points give: the answer is worked out of the points all the same.
    (three,) = answered("distance", "99.9", ran(code, "99.9, 3, 5"), where)
    assert parts(three) == [0, -21.5, -1.3]


def test_python_on_results_is_traced_to_their_points(where, halves):
    total = done(where, "python", code="round(60.8 + 60.6, 1)")
    (one,) = answered("distance", "121.4", [*halves, total], where)
    assert parts(one) == [0, 0, -1.3]
    in_cm = done(where, "python", code="(60.8 + 60.6) / 10")
    (two,) = answered("distance", "12.14", [*halves, in_cm], where)
    assert parts(two) == [-109.26, 0, -1.3]
    (three,) = answered("distance", "121.4", [*halves, in_cm], where)  # back in mm
    assert parts(three) == [0, 0, -1.3]
    other = done(where, "python", code="60.8 * 60.6")
    assert answered("distance", "3684.5", [*halves, other], where) == [Missing.IGNORED]


def test_the_mean_of_three_readings_is_traced_to_all_of_them(where):
    readings = [ruler(where, 0.1, 0.5, 0.1 + mm / 200, 0.5) for mm in (120.0, 121.1, 123.1)]
    (one,) = answered("distance", "121.4", readings, where)
    assert parts(one) == [0, 0, -1.3]
    assert len(one.readings) == 3
    assert one.points == ()
    text = "(120.0 + 121.1 + 123.1) / 3 = 122.4. <answer>122.4</answer>"
    (two,) = answered("distance", text, readings, where)
    assert parts(two) == [0, 1, -1.3]


def test_an_angle_of_two_lines_and_its_slips(where):
    lines = protractor(where, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.5, 0.5)  # 45 degrees
    for answer, unit in (("45.0", 0), ("135.0", 90), ("0.785", 0.785 - 45)):
        (one,) = answered("angle", answer, [lines], where)
        found = Parts.of(one, 40)
        assert (found.seeing, found.unit + found.arithmetic) == (pytest.approx(5), pytest.approx(unit))
        assert abs(found.arithmetic) < 0.03


def test_an_angle_of_points_in_code(where):
    code = "angle(0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.5, 0.5)"
    assert coded_points(TASKS["angle"], code, where) == [
        tuple(scene().views.point(where.views.whole, x, y) for x, y in ((0.1, 0.1), (0.9, 0.1), (0.1, 0.1), (0.5, 0.5)))
    ]


@pytest.mark.parametrize(
    "code",
    [
        "a = (0.1, 0.5)\nb = [0.707, 0.6]\nmath.dist(a, b)",
        "a = (0.1, 0.5)\nb = [0.707, 0.6]\n((b[0] - a[0])**2 + (b[1] - a[1])**2)**0.5",
        "((0.707 - 0.1)**2 + (0.6 - 0.5)**2)**0.5",
        "y1, x1, x2, y2 = 0.5, 0.1, 0.707, 0.6\n(y2 - y1)**2 + (x2 - x1)*(x2 - x1)",
        "def f(a, b, c, d):\n  return a\nf(0.1, 0.5, 0.707, 0.6)",
    ],
)
def test_points_are_read_in_code_however_they_stand_there(where, code):
    (line,) = coded_points(TASKS["distance"], code, where)
    assert [(point.x, point.y) for point in line] == [pytest.approx((20, 100)), pytest.approx((141.4, 80))]


def test_points_in_code_are_in_the_models_own_convention_of_the_whole_picture(where):
    (line,) = coded_points(TASKS["distance"], "(900, 100), (800, 200)", scene(FRAMES["norm1000-yx"]))
    assert [(point.x, point.y) for point in line] == [pytest.approx((20, 180)), pytest.approx((40, 160))]
    for code in ("(0.1, 1.5), (0.2, 0.2)", "(0.1, 0.2)", "f(", "x" * 5000, "(" * 4000, "-" * 4000 + "1", "1\\d", "\0"):
        assert coded_points(TASKS["distance"], code, where) == []
    cropped = Scene(where.views, (), cropped=True)
    assert coded_points(TASKS["distance"], "(0.1, 0.2), (0.2, 0.2)", cropped) == []


def test_marks_state_points_too(where):
    marks = [done(where, "mark", name=name, x=x, y=0.5) for name, x in (("A", 0.1), ("B", 0.7), ("B", 0.707))]
    (one,) = answered("distance", "131.4", marks, where)
    assert parts(one) == [0, 10, -1.3]
    assert one.source == "stated points"


def test_a_number_of_the_conversation_that_measures_something_else_is_copied(where):
    slanted = ruler(where, 0.1, 0.5, 0.6, 0.1)
    assert slanted.result["dy_mm"] == pytest.approx(80)
    assert answered("distance", "80.0", [slanted], where) == [Missing.COPIED]
    assert answered("distance", "200", [], where) == [Missing.COPIED]  # the width that the prompt states
    assert answered("distance", "200", [ruler(where, *LINE)], where) == [Missing.COPIED]


def test_a_result_that_is_not_used_is_ignored_and_what_has_no_origin_is_from_nowhere(where):
    assert answered("distance", "99.9", [ruler(where, *LINE)], where) == [Missing.IGNORED]
    assert answered("distance", "99.9", [], where) == [Missing.NO_POINTS]
    (major, minor) = answered("size", "121.40, 50.00", [ruler(where, *LINE)], where)
    assert (parts(major), minor) == ([0, 0, -1.3], Missing.IGNORED)


def test_stated_points_count_beside_a_tool_only_where_the_answer_is_near_them(where):
    text = "(0.1, 0.5) to (0.6, 0.5): <answer>{}</answer>"
    (one,) = answered("distance", text.format("100.3"), [ruler(where, *LINE)], where)
    assert one.source == "stated points"
    assert answered("distance", text.format("110.3"), [ruler(where, *LINE)], where) == [Missing.IGNORED]
    (two,) = answered("distance", text.format("110.3"), [], where)
    assert parts(two, 100) == [0, 10.3, 0]


def test_ways_of_different_kinds_are_ambiguous(where):
    # 30.0 is the mean of 29 and 31, and the difference of 60 and 30.
    lines = [ruler(where, 0.1, 0.5, 0.1 + mm / 200, 0.5) for mm in (29.0, 31.0, 90.01, 60.0)]
    assert answered("distance", "30.00", lines, where) == [Missing.AMBIGUOUS]


@pytest.mark.parametrize(
    ("answer", "lines", "expected"),
    [
        ("12.3", (12.3456, 12.3111, 50), [12.3111]),  # the nearest of two
        ("12.3", (12.31, 12.29), [12.29]),  # of equally near ones the last
        ("12.35", (12.345,), [12.345]),
        ("12", (12.49,), [12.49]),
        ("12.0", (12.49,), [None]),
        ("20.00, 10.00", (10.001, 20.002), [20.002, 10.001]),
        ("20.00, 20.00", (20.001, 20.002), [20.001, 20.002]),  # different ones where possible
        ("20.00, 20.00", (20.001,), [20.001, 20.001]),
        ("20.00, 16.00", (20, 10), [20, None]),
    ],
)
def test_which_value_a_number_is_made_of(where, answer, lines, expected):
    calls = [ruler(where, 0.1, 0.5, 0.1 + mm / 200, 0.5) for mm in lines]
    found = answered("size" if "," in answer else "distance", answer, calls, where)
    seen = [one.seen if not isinstance(one, Missing) else None for one in found]
    assert seen == [None if one is None else pytest.approx(one) for one in expected]


def test_axes_are_taken_for_what_the_tool_says_they_are_and_a_swap_is_found(where):
    measures = Measures(
        (Measurand(LENGTH_MM, ("major", "minor"), (("a", "b", "c", "d"), ("e", "f", "g", "h"))),), solver=True
    )
    ends = dict(zip("abcdefgh", (0.1, 0.5, 0.2, 0.5, 0.15, 0.475, 0.15, 0.525), strict=True))
    fit = Call("fit", {}, "{}", True, False, 0.0, {"view": "v0", "major": 20.0, "minor": 10.0, **ends}, measures)
    for answer, seen in (("20.00, 10.00", [20, 10]), ("10.00, 20.00", [10, 20])):
        found = answered("size", answer, [fit], where)
        assert [one.seen for one in found] == [pytest.approx(value) for value in seen]
        assert all(one.solver for one in found)


def test_tools_that_declare_another_number_of_points_measure_something_else(where):
    flat = {"x0": 0.1, "y0": 0.5, "x1": 0.2, "y1": 0.5, "x2": 0.3, "y2": 0.5}
    for names in (tuple(flat)[:2], tuple(flat)):
        for quantity in (LENGTH_MM, NUMBER):
            own = Measures((Measurand(quantity, ("value",), (names,)),), defaults={"view": "v0"})
            call = Call("own", flat, json.dumps(flat), True, False, 0.0, {"value": 12.3}, own)
            assert measurements(TASKS["distance"], [call], where) == []
            assert isinstance(answered("distance", "12.3", [call], where)[0], Missing)


HOSTILE = [
    " ".join(f"{k}.5" for k in range(100_000)),
    "+".join(["1.5"] * 100_000) + " = 3",
    "".join(f"({k % 97 / 100}, {k % 89 / 100})" for k in range(100_000)),
    "x1 = " + "1" * 100_000,
    "(" * 100_000,
    "(" + " " * 100_000 + "1",
    "1" + " " * 100_000 + "+",
    "60.8 + 60.6 = 121.4 " * 20_000,
    "1e" + "9" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_response_takes_bounded_time(where, halves, text):
    code = Call("python", {"code": text}, "{}", True, False, 0.0, {"value": text[:600], "printed": text[:1000]}, PYTHON)
    started = time.process_time()
    (one,) = answered("distance", f"{text} <answer>121.4</answer>", [*halves, code], where)
    assert time.process_time() - started < 5
    assert one.seen == pytest.approx(121.4)


PYTHON = Measures((Measurand(NUMBER, ("value",)),))
