"""Marks: one place in all views, and what measures between them, whichever view they were placed in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phantoms import EllipsePhantom

from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Point, Spacing, acute_angle_deg, distance_mm
from medvision_agent.tools.view.marks import MOST
from medvision_agent.tools.view.perceived import Fixed, LongestSide, Native
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

inner = st.floats(0.01, 0.99)
places = st.tuples(inner, inner)
spacings = st.builds(Spacing, st.floats(0.1, 6), st.floats(0.1, 6))
rules = st.sampled_from([Native(), Fixed(height=896, width=448), LongestSide(limit=64)])


@st.composite
def cropped(draw):
    """Views in any frame: a whole slice, and three crops, each of any view before it."""
    shape = draw(st.integers(40, 90)), draw(st.integers(40, 90))
    image = grey_slice(np.random.default_rng(0).integers(0, 256, shape), draw(spacings))
    views = ViewSet(image, draw(rules), draw(st.sampled_from(list(FRAMES.values()))))
    for _ in range(3):
        source = draw(st.sampled_from(list(views)))
        a, b = (source.region.at(*draw(places)) for _ in range(2))
        if abs(a.x - b.x) > 0.1 and abs(a.y - b.y) > 0.1:
            corners = *views.coordinates(source, a), *views.coordinates(source, b)
            TOOLS["crop"].call(views, {"view": source.id, **dict(zip(("x0", "y0", "x1", "y1"), corners, strict=True))})
    return views


def put(views, name, view, place):
    """Place a mark at unit coordinates of a view; return where it lies in the slice, and the reply."""
    point = view.region.at(*place)
    x, y = views.coordinates(view, point)
    reply = TOOLS["mark"].call(views, {"name": name, "view": view.id, "x": x, "y": y})
    assert reply.ok, reply.text
    return point, reply


@given(cropped(), st.data())
def test_a_mark_of_any_view_is_the_point_of_the_slice(views, data):
    view = data.draw(st.sampled_from(list(views)))
    point, reply = put(views, "A", view, data.draw(places))
    assert reply.result["view"] == view.id
    back = views.point(views.whole, reply.result["v0_x"], reply.result["v0_y"])
    assert (back.x, back.y) == pytest.approx((point.x, point.y), abs=1e-4)
    kept = views.marks.get("A").point
    assert (kept.x, kept.y) == pytest.approx((point.x, point.y), abs=1e-9)


@given(cropped(), st.data())
def test_between_marks_the_tools_measure_what_lies_between_the_points(views, data):
    names, drawn = "ABCD", st.sampled_from(list(views))
    points = [put(views, name, data.draw(drawn), data.draw(places))[0] for name in names]
    spacing = views.slice.spacing
    length = distance_mm(*points[:2], spacing)
    if min(length, distance_mm(*points[2:], spacing)) < 1e-3:
        return
    ruler = TOOLS["ruler"].call(views, {"mark0": "A", "mark1": "B"}).result
    assert ruler["distance_mm"] == pytest.approx(length, abs=1e-4)
    ends = [views.point(views.whole, ruler[f"v0_x{k}"], ruler[f"v0_y{k}"]) for k in (0, 1)]
    assert [(end.x, end.y) for end in ends] == [pytest.approx((one.x, one.y), abs=1e-4) for one in points[:2]]
    shown = views.get(ruler["view"])
    assert all(shown.region.holds(point) for point in points[:2])
    marks = dict(zip(("mark_a0", "mark_a1", "mark_b0", "mark_b1"), names, strict=True))
    angle = TOOLS["protractor"].call(views, marks).result
    assert angle["acute_angle_deg"] == pytest.approx(acute_angle_deg(*points, spacing), abs=1e-3)


def written(views, view, place):
    """Return the text of a point at unit coordinates of a view, and where it lies in the slice."""
    point = view.region.at(*place)
    x, y = views.coordinates(view, point)
    return f"{view.id}: x={x!r}, y={y!r}", point


@given(cropped(), st.data())
def test_points_written_as_text_are_measured_like_marks(views, data):
    drawn = st.sampled_from(list(views))
    texts, points = zip(*(written(views, data.draw(drawn), data.draw(places)) for _ in range(4)), strict=True)
    spacing = views.slice.spacing
    length = distance_mm(*points[:2], spacing)
    if min(length, distance_mm(*points[2:], spacing)) < 1e-3:
        return
    ruler = TOOLS["ruler"].call(views, {"mark0": texts[0], "mark1": texts[1]}).result
    assert ruler["distance_mm"] == pytest.approx(length, abs=1e-4)
    ends = [views.point(views.whole, ruler[f"v0_x{k}"], ruler[f"v0_y{k}"]) for k in (0, 1)]
    assert [(end.x, end.y) for end in ends] == [pytest.approx((one.x, one.y), abs=1e-4) for one in points[:2]]
    given_as = dict(zip(("mark_a0", "mark_a1", "mark_b0", "mark_b1"), texts, strict=True))
    angle = TOOLS["protractor"].call(views, given_as).result
    assert angle["acute_angle_deg"] == pytest.approx(acute_angle_deg(*points, spacing), abs=1e-3)


@pytest.mark.parametrize("text", ["v1: x=0.25, y=0.75", "v1:y=.75,x=2.5e-1", "  v1 :  x = +0.25 ,  y = 0.750  "])
def test_names_say_which_coordinate_is_which(text):
    views = make()
    result = TOOLS["ruler"].call(views, {"mark0": text, "x1": 0.0, "y1": 0.0}).result
    assert (result["v0_x0"], result["v0_y0"]) == (0.05, 0.95)


def test_a_point_as_text_is_drawn_like_the_same_point_in_numbers():
    views = make()
    numbers = {"view": "v1", "x0": 0.2, "y0": 0.2, "x1": 0.8, "y1": 0.4}
    plain = TOOLS["ruler"].call(views, numbers)
    texts = {"mark0": "v1: x=0.2, y=0.2", "mark1": "v1: x=0.8, y=0.4"}
    assert np.array_equal(TOOLS["ruler"].call(views, texts).picture.pixels, plain.picture.pixels)
    put(views, "A", views.get("v1"), (0.2, 0.8))
    mixed = TOOLS["ruler"].call(views, {"mark0": "A", "mark1": texts["mark1"]})
    assert np.array_equal(mixed.picture.pixels, plain.picture.pixels)  # the end that has no name is called B
    assert mixed.result == plain.result


def make(rule=None):
    """A slice of 100 x 50 px (h, w), 200 x 25 mm, with two crops: v1 at its top left, v2 at its bottom right."""
    views = ViewSet(grey_slice(np.zeros((100, 50)), Spacing(2.0, 0.5)), rule or Native())
    TOOLS["crop"].call(views, {"x0": 0.0, "y0": 0.8, "x1": 0.2, "y1": 1.0, "zoom": 8})
    TOOLS["crop"].call(views, {"x0": 0.8, "y0": 0.0, "x1": 1.0, "y1": 0.2, "zoom": 8})
    return views


def test_a_name_placed_again_moves_its_mark():
    views = make()
    put(views, "tip", views.get("v1"), (0.5, 0.5))
    put(views, "tip", views.get("v2"), (0.25, 0.75))
    assert [(one.mark, one.view, one.point) for one in views.marks] == [("tip", "v2", Point(42.5, 95))]


def test_each_end_in_a_crop_of_its_own_is_shown_on_the_smallest_view_that_holds_both():
    views = make()
    put(views, "A", views.get("v1"), (0.5, 0.5))
    put(views, "B", views.get("v2"), (0.5, 0.5))
    reply = TOOLS["ruler"].call(views, {"mark0": "A", "mark1": "B"})
    assert (reply.result["view"], reply.result["dx_mm"], reply.result["dy_mm"]) == ("v0", 20.0, 160.0)
    TOOLS["crop"].call(views, {"x0": 0.05, "y0": 0.05, "x1": 0.95, "y1": 0.95})
    assert TOOLS["ruler"].call(views, {"mark0": "A", "mark1": "B"}).result["view"] == "v3"
    put(views, "C", views.get("v1"), (0.9, 0.9))
    assert TOOLS["ruler"].call(views, {"mark0": "A", "mark1": "C"}).result["view"] == "v1"
    mixed = TOOLS["ruler"].call(views, {"x0": 0.1, "y0": 0.9, "mark1": "B"}).result
    assert (mixed["view"], mixed["dx_mm"], mixed["dy_mm"]) == ("v0", 20.0, 160.0)


@pytest.mark.parametrize("name", ["fit_contour", "segment"])
def test_what_marks_enclose_is_outlined_like_the_same_region(name):
    phantom = EllipsePhantom(Spacing(1.0, 1.0), 30, 34, 14, 9, 0.4)
    views = ViewSet(phantom.slice(180, 60), Native())
    TOOLS["crop"].call(views, {"x0": 0.1, "y0": 0.1, "x1": 0.6, "y1": 0.6})
    seed = "inside" if name == "segment" else "seed"
    region = {"x0": 0.2, "y0": 0.25, "x1": 0.75, "y1": 0.7}
    given = TOOLS[name].call(views, {**region, f"{seed}_x": 0.47, f"{seed}_y": 0.46}).result
    corners = [views.point(views.whole, region[f"x{k}"], region[f"y{k}"]) for k in (0, 1)]
    put(views, "A", views.get("v1"), views.get("v1").region.unit(corners[0]))
    put(views, "B", views.whole, views.whole.region.unit(corners[1]))
    put(views, "C", views.whole, (0.47, 0.54))
    text = written(views, views.get("v1"), views.get("v1").region.unit(views.marks.get("C").point))[0]
    numbers = {key: value for key, value in given.items() if isinstance(value, float)}
    for point in ("C", text):
        marked = TOOLS[name].call(views, {"mark0": "A", "mark1": "B", f"{seed}_mark": point}).result
        assert {key: marked[key] for key in numbers} == pytest.approx(numbers, abs=1e-4)
        assert marked["view"] == "v0"


def test_the_picture_of_a_mark_shows_it_and_leaves_its_point_free():
    views = make()
    point, reply = put(views, "tip", views.get("v1"), (0.5, 0.5))
    view = views.get("v1")
    assert reply.picture.caption.startswith("overlay on v1: mark tip, yellow")
    pixels = reply.picture.pixels
    assert max(pixels.shape) == 256  # larger than the view as perceived, so that the mark hides little of it
    scale = pixels.shape[1] / view.size.width
    x, y = (int(value * scale) for value in view.pixel(point))
    assert not pixels[y - 1 : y + 2, x - 1 : x + 2].any()
    assert pixels[y, x + 1 : x + 15].any()


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("mark", {"name": "left end", "x": 0.5, "y": 0.5}, "'left end' is no name of a mark; a name has at most"),
        ("mark", {"name": "7", "x": 0.5, "y": 0.5}, "'7' is no name of a mark"),
        ("mark", {"name": "a" * 13, "x": 0.5, "y": 0.5}, "a name has at most 12 characters, a letter first, then"),
        ("mark", {"name": "", "x": 0.5, "y": 0.5}, "'' is no name of a mark"),
        ("mark", {"name": "And", "x": 0.5, "y": 0.5}, "'And' is no name of a mark"),
        ("mark", {"name": "B", "x": 1.5, "y": 0.5}, "point (1.5, 0.5) lies outside view v0"),
        ("mark", {"name": "B", "view": "v7", "x": 0.5, "y": 0.5}, "no view 'v7'"),
        ("ruler", {"mark0": "A", "mark1": "B"}, "no mark 'B'; the marks are A"),
        ("ruler", {"mark0": "A", "mark1": "0.2, 0.3"}, "'0.2, 0.3' is neither a mark nor a point; write a point of a"),
        ("ruler", {"mark0": "A", "mark1": "v1: 0.2, 0.3"}, "write a point of a view as 'v1: x=..., y=...'"),
        ("ruler", {"mark0": "A", "mark1": "v1: x=0.2, x=0.3"}, "is neither a mark nor a point"),
        ("ruler", {"mark0": "A", "mark1": "v1: x=nan, y=0.3"}, "is neither a mark nor a point"),
        ("ruler", {"mark0": "A", "mark1": "v1: x=0.2, y=0.3, z=1"}, "is neither a mark nor a point"),
        ("ruler", {"mark0": "A", "mark1": "v1: x=" + "1" * 5000 + ", y=0.3"}, "is neither a mark nor a point"),
        ("ruler", {"mark0": "A", "mark1": "v9: x=0.2, y=0.3"}, "no view 'v9'; the views are v0, v1, v2"),
        (
            "ruler",
            {"mark0": "A", "mark1": "v1: x=0.2, y=1.3"},
            "point (0.2, 1.3) lies outside view v1; x and y",
        ),
        ("ruler", {"mark0": "v1: x=0.5, y=1", "mark1": "v1: y=1.0, x=0.5"}, "both points of the line lie at (0.5, 1)"),
        ("ruler", {"mark0": "A"}, "a point is missing: give x1 and y1, or mark1"),
        ("ruler", {"mark0": "A", "x0": 0.1, "y0": 0.2, "mark1": "A"}, "give mark0, or x0 and y0, not both"),
        ("ruler", {"mark0": "A", "mark1": "A"}, "both points of the line lie at mark A"),
        ("ruler", {"x0": 0.1, "mark1": "A"}, "a point needs both x0 and y0"),
        ("fit_contour", {"mark0": "A"}, "a region needs two opposite corners"),
        ("fit_contour", {"mark0": "A", "mark1": "A"}, "the region is empty"),
        ("segment", {"mark0": "A", "x1": 1, "y1": 1, "inside_mark": "Z"}, "no mark 'Z'"),
    ],
)
def test_a_model_is_told_what_was_wrong(name, arguments, text):
    views = make()
    put(views, "A", views.whole, (0.5, 0.5))
    reply = TOOLS[name].call(views, arguments)
    assert not reply.ok
    assert reply.text.startswith("Error: ")
    assert text in reply.text
    assert [one.mark for one in views.marks] == ["A"]


def test_the_number_of_marks_is_bounded():
    views = make()
    for number in range(MOST):
        put(views, f"m{number}", views.whole, (0.5, 0.5))
    reply = TOOLS["mark"].call(views, {"name": "more", "x": 0.5, "y": 0.5})
    assert reply.text == "Error: there are 20 marks already; move one by placing its name again"
    put(views, "m3", views.whole, (0.1, 0.1))
