"""What a tool measured is what the canvas reads between the points, in any view, on any pixels, in any convention."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from phantoms import EllipsePhantom

from medvision_agent.eval.browse.calls import CallMarks
from medvision_agent.eval.tasks import TASKS
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.scene import Scene, whole_scene
from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Point, Size, Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.views import ViewSet

share = st.floats(0.02, 0.98)
spacings = st.builds(Spacing, st.floats(0.05, 5.0), st.floats(0.05, 5.0))
ROUNDED = 5.1e-5
"""Results state four decimals."""


class Talk:
    """Calls tools for true, and draws them."""

    def __init__(self, scene):
        self.scene, self.marks = scene, CallMarks(TASKS["size"], scene, frozenset())

    def call(self, tool, **arguments):
        reply = TOOLS[tool].call(self.scene.views, arguments)
        assert reply.ok, reply.text
        entry = {"drawn": [{"kind": one.kind, "points": one.points} for one in reply.drawn]}
        done = Call(tool, arguments, "{}", True, False, 0.0, reply.result, TOOLS[tool].measuring)
        before = len(self.marks.marks)
        self.marks.add(1, 1, done, entry)
        assert not self.marks.missing
        return reply.result, self.marks.marks[before:]


def exact(points, spacing):
    """Return the length in mm of each line of points, by complex numbers: a route of its own."""
    at = [complex(x * spacing.width_mm, y * spacing.height_mm) for x, y in points]
    return [abs(b - a) for a, b in zip(at[::2], at[1::2], strict=True)]


@st.composite
def conversations(draw):
    size = Size(draw(st.integers(8, 300)), draw(st.integers(8, 300)))
    frame = FRAMES[draw(st.sampled_from(list(FRAMES)))]
    talk = Talk(whole_scene(size, draw(spacings), (), frame=frame))
    view = talk.scene.views.whole
    for _ in range(draw(st.integers(0, 3))):
        (u0, u1), (v0, v1) = ((draw(share), draw(share)) for _ in range(2))
        (x0, y0), (x1, y1) = (frame.from_unit(u, v, view.perceived) for u, v in ((u0, v0), (u1, v1)))
        assume(abs(u0 - u1) > 1e-3 and abs(v0 - v1) > 1e-3)  # else the region is empty
        result, _ = talk.call("crop", view=view.id, x0=x0, y0=y0, x1=x1, y1=y1, zoom=draw(st.floats(1, 16)))
        view = talk.scene.views.get(result["view"])
    return talk, view, frame


def placed(view, frame, u, v):
    """Return the coordinates of a point given in shares of a view, and where it lies in the slice."""
    region = view.region
    return frame.from_unit(u, v, view.perceived), (region.x0 + u * region.width, region.y0 + v * region.height)


@settings(max_examples=200, deadline=None)
@given(conversations(), st.tuples(*[share] * 4))
def test_a_ruler(conversation, shares):
    talk, view, frame = conversation
    (a, at_a), (b, at_b) = placed(view, frame, *shares[:2]), placed(view, frame, *shares[2:])
    spacing = talk.scene.spacing
    (true,) = exact((at_a, at_b), spacing)
    assume(true > 1e-3)
    result, (line,) = talk.call("ruler", view=view.id, x0=a[0], y0=a[1], x1=b[0], y1=b[1])
    (read,) = exact(line.points, spacing)
    assert read == pytest.approx(true, abs=1e-6)
    assert read == pytest.approx(result["distance_mm"], abs=ROUNDED)


@settings(max_examples=150, deadline=None)
@given(conversations(), st.tuples(*[share] * 4))
def test_a_ruler_from_a_mark_in_a_crop_to_a_point_of_the_whole_image(conversation, shares):
    talk, view, frame = conversation
    (a, at_a) = placed(view, frame, *shares[:2])
    (b, at_b) = placed(talk.scene.views.whole, frame, *shares[2:])
    (true,) = exact((at_a, at_b), talk.scene.spacing)
    assume(true > 1e-3)
    _, (mark,) = talk.call("mark", name="M", view=view.id, x=a[0], y=a[1])
    _, (first,) = talk.call("ruler", mark0="M", x1=b[0], y1=b[1])
    talk.call("mark", name="M", view="v0", x=b[0], y=b[1])  # moved: the ruler before stays where it was
    for line in (first, talk.call("ruler", view=view.id, x0=a[0], y0=a[1], mark1="M")[1][0]):
        assert exact(line.points, talk.scene.spacing) == pytest.approx([true], abs=1e-6)
    assert mark.points[0] == pytest.approx(at_a, abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(conversations(), st.tuples(*[share] * 8))
def test_a_protractor(conversation, shares):
    talk, view, frame = conversation
    spots = [placed(view, frame, *shares[k : k + 2]) for k in (0, 2, 4, 6)]
    spacing = talk.scene.spacing
    assume(min(exact([at for _, at in spots], spacing)) > 1e-2)
    names = ("ax0", "ay0", "ax1", "ay1", "bx0", "by0", "bx1", "by1")
    values = dict(zip(names, np.ravel([given for given, _ in spots]).tolist(), strict=True))
    result, (angle,) = talk.call("protractor", view=view.id, **values)
    a0, a1, b0, b1 = (complex(x * spacing.width_mm, y * spacing.height_mm) for x, y in angle.points)
    turn = abs(math.degrees(math.atan2(((a1 - a0) / (b1 - b0)).imag, ((a1 - a0) / (b1 - b0)).real)))
    assert min(turn, 180 - turn) == pytest.approx(result["acute_angle_deg"], abs=ROUNDED)
    assert np.ravel(angle.points) == pytest.approx(np.ravel([at for _, at in spots]), abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    st.builds(Spacing, st.floats(0.4, 1.5), st.floats(0.4, 1.5)),
    st.floats(0, 3),
    st.sampled_from(["fit_contour", "segment"]),
    st.booleans(),
)
def test_what_a_tool_found(spacing, angle, tool, kept):
    image = EllipsePhantom(spacing, 30, 34, 14, 9, angle).slice(180, 60, 4)
    talk = Talk(Scene(ViewSet(image, Native()), (), cropped=False))
    result, marks = talk.call(tool, x0=0.15, y0=0.15, x1=0.8, y1=0.8)
    if not kept:  # an earlier version's trace
        older = Call(
            tool, {"x0": 0.15, "y0": 0.15, "x1": 0.8, "y1": 0.8}, "{}", True, False, 0.0, result, TOOLS[tool].measuring
        )
        marks = CallMarks(TASKS["size"], talk.scene, frozenset())
        marks.add(1, 1, older, {})
        marks = marks.marks
    found = {one.kind: one for one in marks if one.name != "region given"}
    assert found.keys() == {"outline", "ellipse", "box"} if kept else {"ellipse", "box"}
    # Coordinates of results are rounded to a millionth of the view.
    off = ROUNDED if kept else 1e-3
    assert exact(found["ellipse"].points, spacing) == pytest.approx([result["major_mm"], result["minor_mm"]], abs=off)
    (x0, y0), (x1, y1) = found["box"].points
    size = (abs(x1 - x0) * spacing.width_mm, abs(y1 - y0) * spacing.height_mm)
    assert size == pytest.approx((result["box_width_mm"], result["box_height_mm"]), abs=off)
    if kept:
        x, y = (np.array(found["outline"].points) * (spacing.width_mm, spacing.height_mm)).T
        area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
        assert area == pytest.approx(result["area_mm2"], rel=0.02)
        assert len(x) <= 256


def test_a_tool_of_ones_own_is_drawn_by_what_it_declares():
    talk = Talk(whole_scene(Size(50, 80), Spacing(0.5, 2.0), ()))
    arguments = {"x0": 0.1, "y0": 0.2, "x1": 0.9, "y1": 0.2}
    result = TOOLS["ruler"].call(talk.scene.views, arguments).result
    marks = CallMarks(TASKS["distance"], talk.scene, frozenset({"caliper"}))
    marks.add(4, 7, Call("caliper", arguments, "{}", True, False, 0.0, result, TOOLS["ruler"].measuring), {})
    (line,) = marks.marks
    assert (line.name, line.turn, line.call) == ("caliper", 7, 4)
    assert exact(line.points, talk.scene.spacing) == pytest.approx([128.0])


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("ruler", {"view": "v7", "x0": 0, "y0": 0, "x1": 1, "y1": 1}),
        ("ruler", {"x0": 5, "y0": 0, "x1": 1, "y1": 1}),
        ("ruler", {}),
        ("mark", {"name": "!", "x": 0, "y": 0}),
        ("crop", {}),
        ("neighbours", {"away": "far"}),
        ("fit_contour", {"x0": 0.1}),
        ("caliper", {"x0": None}),
    ],
)
def test_a_call_that_cannot_be_drawn_says_so_and_the_others_are(tool, arguments):
    talk = Talk(whole_scene(Size(50, 80), Spacing(0.5, 2.0), ()))
    measures = TOOLS["ruler"].measuring
    talk.marks.add(1, 1, Call(tool, arguments, "{}", True, False, 0.0, {"view": "v1", "distance_mm": 3}, measures), {})
    assert [reason for reason in talk.marks.missing if reason.startswith(f"call 1 ({tool}) is not drawn: ")]
    talk.marks.missing.clear()
    assert talk.call("ruler", x0=0, y0=0, x1=1, y1=1)[1]
    assert Point(*talk.marks.marks[-1].points[0]) == Point(0, 50)
