"""The canvas of stored conversations: everything lies where it was meant, whatever convention it was given in."""

import json

import numpy as np
import pytest
from archive import unpack
from canvases import ALL, Asked, call, length, named
from forged import retold

from medvision_agent.eval.browse.scene import scene_of_sample
from medvision_agent.eval.store.files import picture_path
from medvision_agent.eval.store.read import open_run, read_trace
from medvision_agent.eval.why.stored import tools_of
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.png import encode_png


def arguments(frame, size, **units):
    """Return arguments of a frame for points given in shares of a view, x right and y down."""
    pairs = {name: name.replace("x", "y") for name in units if "x" in name}
    found = {}
    for x, y in pairs.items():
        found[x], found[y] = FRAMES[frame].from_unit(units[x], units[y], size)
    return found


@pytest.fixture
def asked(tmp_path):
    return Asked(tmp_path / "asked")


@pytest.mark.parametrize("frame", FRAMES)
def test_every_tool_is_drawn_where_it_measured_in_every_convention(asked, frame):
    # The first run tells the size of the slice, the second speaks of it.
    plain = asked.run(["<answer>1, 1</answer>"], frame=frame)
    size = Size(plain.shown.height, plain.shown.width)
    asked.folder = asked.folder / "second"

    def at(**units):
        return arguments(frame, size, **units)

    turns = [
        [call("crop", **at(x0=0.25, y0=0.25, x1=0.75, y1=0.75), zoom=1)],
        [call("pixel_spacing", view="v1"), call("mark", name="A", view="v0", **at(x=0.5, y=0.5))],
        [call("window", by="percentile", low_percent=5, high_percent=95), call("neighbours", away=1)],
        [
            call("ruler", **at(x0=0.1, y0=0.2), mark1="A"),
            call("statistics", view="v3", **at(x0=0.2, y0=0.3, x1=0.4, y1=0.6)),
        ],
        [call("protractor", **at(ax0=0.1, ay0=0.1, ax1=0.5, ay1=0.2, bx0=0.1, by0=0.3, bx1=0.4, by1=0.9))],
        [call("fit_contour", **at(x0=0.3, y0=0.3, x1=0.7, y1=0.7)), call("segment", **at(inside_x=0.5, inside_y=0.5))],
        [call("python", code="1 + 1"), call("ruler", view="v9", x0=0, y0=0, x1=1, y1=1)],
        "<answer>20.00, 10.00</answer>",
    ]
    scene = asked.run(turns, frame=frame)
    width, height = scene.shown.width, scene.shown.height

    def unit(points):
        return [pytest.approx((x * width, y * height), abs=1e-9) for x, y in points]

    placed = [(one.turn, one.call) for one in scene.marks if one.layer in {"tool", "view"}]
    # Calls count through the conversation; turns 1 and 2 are the system's and the user's, and pictures have their own.
    assert placed == sorted(placed)
    assert placed[0] == (3, 1)
    crop, window, beside = (one for one in scene.marks if one.layer == "view")
    assert (crop.turn, crop.call, crop.tool) == (3, 1, "crop")
    widened = np.abs(np.ravel(crop.points) - [0.25 * width, 0.25 * height, 0.75 * width, 0.75 * height])
    assert (widened < 1).all()
    assert list(window.points) == list(beside.points) == unit([(0, 0), (1, 1)])
    assert "1 slice after" in beside.name
    (mark,) = named(scene, "A", "point")
    assert list(mark.points) == unit([(0.5, 0.5)])
    (ruler,) = named(scene, "ruler")
    assert ruler.name == "ruler, point to A"
    assert list(ruler.points) == unit([(0.1, 0.2), (0.5, 0.5)])
    assert ruler.value == f"{length(scene, ruler.points):.2f} mm"
    (angle,) = named(scene, "protractor")
    assert list(angle.points) == unit([(0.1, 0.1), (0.5, 0.2), (0.1, 0.3), (0.4, 0.9)])
    (values,) = named(scene, "statistics")
    assert list(values.points) == unit([(0.2, 0.3), (0.4, 0.6)])
    assert "1 slice after" in values.name
    (given,) = named(scene, "region given")
    assert list(given.points) == unit([(0.3, 0.3), (0.7, 0.7)])
    (inside,) = named(scene, "point inside given")
    assert list(inside.points) == unit([(0.5, 0.5)])
    kinds = {(one.tool, one.kind) for one in scene.marks}
    assert {
        ("fit_contour", "outline"),
        ("segment", "outline"),
        ("fit_contour", "ellipse"),
        ("segment", "ellipse"),
    } <= kinds
    for ellipse in (one for one in scene.marks if one.kind == "ellipse" and one.layer == "tool"):
        axes = length(scene, ellipse.points[:2]), length(scene, ellipse.points[2:])
        assert ellipse.value == f"{axes[0]:.2f} x {axes[1]:.2f} mm"
    assert not [one for one in scene.marks if one.call == 13]  # refused: it drew nothing


def test_a_point_in_a_crop_of_a_crop_lies_where_the_crop_lies(asked):
    corners = {"x0": 0.2, "y0": 0.3, "x1": 0.8, "y1": 0.9}
    turns = [
        [call("crop", **corners, zoom=3)],
        [call("crop", view="v1", **corners, zoom=4)],
        [call("crop", view="v2", **corners, zoom=2)],
        [call("ruler", view="v3", x0=0.1, y0=0.2, x1=0.9, y1=0.7)],
        "<answer>1, 1</answer>",
    ]
    scene = asked.run(turns)
    frames = [one.points for one in scene.marks if one.layer == "view"]
    (x0, y0), (x1, y1) = frames[2]
    wide, high = x1 - x0, y1 - y0
    (ruler,) = named(scene, "ruler")
    # y up, from the lower edge of the crop.
    assert ruler.points[0] == pytest.approx((x0 + 0.1 * wide, y1 - 0.2 * high), abs=1e-9)
    assert ruler.points[1] == pytest.approx((x0 + 0.9 * wide, y1 - 0.7 * high), abs=1e-9)
    assert ruler.value == f"{length(scene, ruler.points):.2f} mm"


def test_the_truth_and_what_the_answer_was_made_of_are_drawn(asked, tmp_path):
    first = asked.run(["<answer>1, 1</answer>"])
    truth = named(first, "ground truth", "line")
    assert [one.value for one in truth] == [f"{value:.2f} mm" for value in asked.record.sample.target]
    assert [length(first, one.points) for one in truth] == pytest.approx(asked.record.sample.target, rel=0.05)
    (ellipse,) = named(first, "ground truth", "ellipse")
    assert ellipse.points == truth[0].points + truth[1].points
    assert all(one.turn is None for one in (*truth, ellipse))
    points = [(x / first.shown.width, 1 - y / first.shown.height) for one in truth for x, y in one.points]
    major = dict(zip(("x0", "y0", "x1", "y1"), np.ravel(points[:2]).tolist(), strict=True))
    exact = length(first, truth[0].points)
    asked.folder = tmp_path / "second"
    scene = asked.run([[call("ruler", **major)], f"<answer>{exact:.2f}, 999.00</answer>"])
    (answer,) = (one for one in scene.marks if one.layer == "answer")
    assert answer.name == "answer: major axis, ruler"
    assert (answer.turn, answer.call) == (5, None)  # system, question, call, picture, answer
    assert np.ravel(answer.points) == pytest.approx(np.ravel(truth[0].points), abs=1e-6)
    assert scene.missing == (
        "the answer is not drawn (minor axis): a number of the answer is made of nothing that was measured",
    )


def test_points_that_the_answer_states_are_drawn(asked):
    text = (
        "<step-1>(0.2, 0.4) and (0.6, 0.4)</step-1><step-2>(0.4, 0.1) and (0.4, 0.3)</step-2><answer>1.0, 2.0</answer>"
    )
    scene = asked.run([text], form="cot", tools="off")
    width, height = scene.shown.width, scene.shown.height
    answers = [one for one in scene.marks if one.layer == "answer"]
    assert answers[0].points[0] == pytest.approx((0.2 * width, 0.6 * height))
    assert answers[1].points[1] == pytest.approx((0.4 * width, 0.7 * height))


def test_a_box_answer_is_drawn_by_its_own_numbers(asked):
    scene = asked.run(
        ["<answer>0.10, 0.20, 0.50, 0.60</answer>"], data="demo", selection={"tasks": ("detection",), "limit": 1}
    )
    width, height = scene.shown.width, scene.shown.height
    (answer,) = (one for one in scene.marks if one.layer == "answer")
    assert np.ravel(answer.points) == pytest.approx([0.1 * width, 0.8 * height, 0.5 * width, 0.4 * height], rel=1e-6)
    (truth,) = (one for one in scene.marks if one.layer == "truth")
    x1, y1, x2, y2 = asked.record.sample.target
    assert np.ravel(truth.points) == pytest.approx([x1 * width, (1 - y1) * height, x2 * width, (1 - y2) * height])


@pytest.mark.parametrize("box", ["1e9, 0, 2e9, 1", "nan, 0, 1, 1", "nothing"])
def test_a_box_that_lies_nowhere_is_refused_with_a_reason(asked, box):
    scene = asked.run([f"<answer>{box}</answer>"], data="demo", selection={"tasks": ("detection",), "limit": 1})
    assert not [one for one in scene.marks if one.layer == "answer"]
    assert any(reason.startswith("the answer is not drawn: ") for reason in scene.missing)


def test_a_blind_arm_is_drawn_and_says_that_the_model_was_not_told(asked):
    line = {"x0": 0.1, "y0": 0.2, "x1": 0.5, "y1": 0.6}
    scene = asked.run(
        [[call("ruler", **line), call("fit_contour", **line)], "<answer>1, 1</answer>"], tools=f"blind/{ALL}"
    )
    (ruler,) = named(scene, "ruler")
    assert ruler.value == "withheld from the model"
    assert ruler.points[0] == pytest.approx((0.1 * scene.shown.width, 0.8 * scene.shown.height))
    found = named(scene, "fit_contour")
    assert {one.kind for one in found} == {"outline", "ellipse", "box"}
    assert {one.value for one in found} == {"withheld from the model"}


def test_reshaped_images_keep_their_millimetres(asked):
    line = {"x0": 0.1, "y0": 0.2, "x1": 0.7, "y1": 0.9}
    script = [[call("ruler", **line)], "<answer>1, 1</answer>"]
    plain = asked.run(script)
    asked.folder = asked.folder / "reshaped"
    scene = asked.run(script, reshape=(50, 90))
    assert (scene.shown.height, scene.shown.width) == (50, 90)
    (before,), (after,) = named(plain, "ruler"), named(scene, "ruler")
    assert length(scene, after.points) == pytest.approx(length(plain, before.points), rel=1e-9)
    truths = [[length(one, each.points) for each in named(one, "ground truth", "line")] for one in (plain, scene)]
    assert truths[0] == pytest.approx(truths[1], rel=1e-9)
    assert "resampled to 50 x 90" in scene.shown.about


def test_what_tools_found_is_kept_in_the_trace_and_never_told(asked):
    asked.run([[call("fit_contour", x0=0.3, y0=0.3, x1=0.7, y1=0.7)], "<answer>1, 1</answer>"])
    trace = read_trace(asked.stored.folder, asked.record.sample.id)
    assert {one["kind"] for one in trace["tool_calls"][0]["drawn"]} == {"outline", "ellipse", "box"}
    assert trace["tool_calls"][0]["turn"] == 3
    assert "drawn" not in json.dumps(trace["messages"])
    assert "drawn" not in trace["tool_calls"][0]["text"]


def test_runs_of_earlier_versions_are_drawn_by_what_their_results_say(tmp_path):
    folder = unpack(tmp_path)
    drawn = 0
    for file in sorted(folder.rglob("run.sqlite")):
        run = open_run(file.parent)
        for record in run.records:
            scene = scene_of_sample(run, record, tools_of(run))
            if isinstance(scene, str):
                continue
            own = [one for one in scene.marks if one.layer in {"tool", "view"}]
            drawn += len(own)
            assert all(one.turn and one.call for one in own)
            assert not [reason for reason in scene.missing if reason.startswith("call ")]
            for ellipse in (one for one in own if one.kind == "ellipse"):
                axes = length(scene, ellipse.points[:2]), length(scene, ellipse.points[2:])
                stated = [float(part.split()[0]) for part in ellipse.value.split(" x ")]
                assert axes == pytest.approx(stated, rel=1e-3, abs=6e-3)
    assert drawn > 20


def test_a_damaged_trace_leaves_the_truth_and_a_damaged_image_leaves_nothing(asked):
    asked.run([[call("ruler", x0=0.1, y0=0.2, x1=0.7, y1=0.9)], "<answer>1, 1</answer>"])
    retold(asked.folder / "run", "0.9", "0.8")
    scene = asked.read()
    assert {one.layer for one in scene.marks} == {"truth"}
    assert any("was changed after it was stored" in reason for reason in scene.missing)
    path = picture_path(asked.stored.folder, asked.record.v0_sha256)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"x")
    assert "was changed after it was stored" in asked.read()


def test_names_of_hostile_data_are_text(asked, tmp_path):
    (tmp_path / "one.png").write_bytes(encode_png(np.arange(2400, dtype=np.uint8).reshape(40, 60)))
    names = ["<img src=x onerror=alert(1)>", "\u202eleft\u0007"]
    sample = {"id": "a", "task": "distance", "image": "one.png", "pixel_size": {"height_mm": 1, "width_mm": 2}}
    sample |= {"modality": "CT", "plane": "axial", "landmarks": names, "target": [20.0], "convention": "edge"}
    sample |= {"truth_points": [{"name": name, "x": 10 * k + 10, "y": 5} for k, name in enumerate(names)]}
    sample |= {"dataset": "own", "subject": "own/1"}
    (tmp_path / "own.jsonl").write_text(json.dumps(sample))
    scene = asked.run(["<answer>1</answer>"], data=str(tmp_path / "own.jsonl"), selection={})
    points = [one.name for one in scene.marks if one.kind == "point"]
    assert points[0] == names[0]
    assert points[1].isprintable()
