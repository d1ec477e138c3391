"""Lengths and boxes whose ends are each placed in a crop of its own, through the graph, in every convention."""

import asyncio
import json
from dataclasses import replace

import pytest
from fake.replies import calls, text
from fake.server import FakeServer

from medvision_agent.agent.answer import answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Point, Region, Size, distance_mm

TIP, BASE = Point(10.3, 12.7), Point(66.9, 45.2)
AROUND = {"A": (TIP, Region(4, 6, 18, 20)), "B": (BASE, Region(60, 38, 74, 52))}
ZOOM = 4


def coordinates(frame, region, point, size):
    return frame.from_unit(*region.unit(point), size)


def turns(frame, image, *, marked=True):
    """Return the calls of a model that crops around each end, and measures between marks or points of the crops."""
    crops, marks, texts = [], [], []
    for number, (name, (point, region)) in enumerate(AROUND.items(), 1):
        ends = [
            coordinates(frame, image.region, corner, image.size)
            for corner in (Point(region.x0, region.y0), Point(region.x1, region.y1))
        ]
        corners = dict(zip(("x0", "y0", "x1", "y1"), (*ends[0], *ends[1]), strict=True))
        crops.append(("crop", {"view": "v0", **corners, "zoom": ZOOM}))
        size = Size(round(region.height * ZOOM), round(region.width * ZOOM))
        x, y = coordinates(frame, region, point, size)
        marks.append(("mark", {"name": name, "view": f"v{number}", "x": x, "y": y}))
        texts.append(f"v{number}: x={x!r}, y={y!r}")
    if not marked:
        return crops, [("ruler", {"mark0": texts[0], "mark1": texts[1]})]
    return crops, [*marks, ("ruler", {"mark0": "A", "mark1": "B"})]


def check(given, question, frame):
    """The ruler read the distance of the slice points, and the marks say where they lie in v0."""
    assert given.outcome is Outcome.ANSWERED
    assert [(call.tool, call.ok) for call in given.trace.tool_calls] == [
        (name, True) for name in ("crop", "crop", "mark", "mark", "ruler")
    ]
    results = [json.loads(call.text) for call in given.trace.tool_calls]
    image = question.image
    assert results[-1]["distance_mm"] == pytest.approx(distance_mm(TIP, BASE, image.spacing), abs=1e-3)
    assert results[-1]["view"] == "v0"
    for result, point in zip(results[2:4], (TIP, BASE), strict=True):
        place = coordinates(frame, image.region, point, image.size)
        assert (result["v0_x"], result["v0_y"]) == pytest.approx(place, rel=1e-5, abs=1e-5)
    assert all(call.picture for call in given.trace.tool_calls)


@pytest.mark.parametrize("name", FRAMES)
async def test_a_scripted_model_measures_between_two_crops(question, scripted, name):
    frame = FRAMES[name]
    chat = scripted(*turns(frame, question.image), "<answer>42.8</answer>", frame=name)
    given = await answer(question, Condition.parse("on"), chat, Limits())
    check(given, question, frame)


async def test_a_server_gets_and_makes_the_same_calls(question):
    frame = FRAMES["norm1000-yx"]
    crops, marked = turns(frame, question.image)
    row = {"provider": "openai", "model": "fake-vlm", "perceived": {"rule": "native"}, "frame": frame.name}
    async with FakeServer() as server:
        server.script([calls(*crops), calls(*marked), text("<answer>42.8</answer>")])
        config = MODEL_CONFIG.validate_python({**row, "base_url": server.openai_url})
        async with asyncio.timeout(60), open_model(config, environ={"OPENAI_API_KEY": "none"}) as chat:
            given = await answer(question, Condition.parse("on"), chat, Limits())
        declared = {one["function"]["name"]: one["function"]["parameters"] for one in server.requests[0].body["tools"]}
    check(given, question, frame)
    assert declared["mark"]["required"] == ["name", "x", "y"]
    assert declared["ruler"]["properties"]["mark0"]["type"] == "string"
    assert "required" not in declared["ruler"] or not declared["ruler"]["required"]


@pytest.mark.parametrize("name", FRAMES)
async def test_a_scripted_model_measures_between_plain_points_of_two_crops(question, scripted, name):
    frame, image = FRAMES[name], question.image
    chat = scripted(*turns(frame, image, marked=False), "<answer>42.8</answer>", frame=name)
    given = await answer(question, Condition.parse("on"), chat, Limits())
    measured = json.loads(given.trace.tool_calls[-1].text)
    assert measured["distance_mm"] == pytest.approx(distance_mm(TIP, BASE, image.spacing), abs=1e-3)
    for at, point in enumerate((TIP, BASE)):
        place = coordinates(frame, image.region, point, image.size)
        assert (measured[f"v0_x{at}"], measured[f"v0_y{at}"]) == pytest.approx(place, rel=1e-5, abs=1e-5)


def written_box(frame, image):
    """Return the box of both ends as the prompt asks for it, from MedVision's convention."""
    width, height = image.size.width, image.size.height
    box = TIP.x / width, 1 - BASE.y / height, BASE.x / width, 1 - TIP.y / height
    numbers = frame.box_from_medvision(box, image.size)
    return ", ".join(f"{number:.{frame.box_decimals}f}" for number in numbers)


def detection(question):
    return replace(question, template="detection", label="liver", landmarks=(), asks_box=True)


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("tools", ["on", "blind"])
async def test_a_final_box_may_be_the_names_of_two_marks_of_two_crops(question, scripted, name, tools):
    frame, said = FRAMES[name], "<think>Both ends.</think> <answer>A, B</answer> Done."
    chat = scripted(*turns(frame, question.image), said, frame=name)
    given = await answer(detection(question), Condition.parse(tools), chat, Limits())
    assert given.outcome is Outcome.ANSWERED
    assert given.response == said.replace("A, B", written_box(frame, question.image))
    assert given.as_written == said
    assert given.trace.messages[-1]["content"] == said


@pytest.mark.parametrize("name", FRAMES)
async def test_a_final_box_may_be_points_of_two_crops_and_marks_beside_them(question, scripted, name):
    frame = FRAMES[name]
    crops, [(_, measured)] = turns(frame, question.image, marked=False)
    _, marks = turns(frame, question.image)
    for both in (f"{measured['mark0']}; {measured['mark1']}", f"A and {measured['mark1']}"):
        chat = scripted(crops, marks[:1], f"<answer>{both}</answer>", frame=name)
        given = await answer(detection(question), Condition.parse("on"), chat, Limits())
        assert given.response == f"<answer>{written_box(frame, question.image)}</answer>"


@pytest.mark.parametrize(
    "answered",
    ["A, B", "[A, B]", "(A; B)", '["B", "A"]', "A and B", " B A ", "A, B, A", "{A}, {B}"],
)
async def test_names_are_read_however_they_are_joined(question, scripted, answered):
    chat = scripted(*turns(FRAMES["medvision"], question.image), f"<answer>{answered}</answer>")
    given = await answer(detection(question), Condition.parse("on"), chat, Limits())
    assert given.response == f"<answer>{written_box(FRAMES['medvision'], question.image)}</answer>"


@pytest.mark.parametrize(
    "said",
    [
        "<answer>A</answer>",
        "<answer>A, A</answer>",
        "<answer>A, C</answer>",
        "<answer>a, b</answer>",
        "<answer>A, B, 0.5</answer>",
        "<answer>from A to B</answer>",
        "<answer>0.1, 0.2, 0.3, 0.4</answer> A, B",
        "<answer></answer>",
        "<answer>A, B",
        "the marks A, B",
        "and, and",
        "<answer>v1: x=0.5, y=0.5</answer>",
        "<answer>A; v1: x=900, y=0.5</answer>",
        "<answer>A; v9: x=0.5, y=0.5</answer>",
        "<answer>A; v1: x=0.5, x=0.5</answer>",
        "<answer>A; v1: x=0.5, y=</answer>",
    ],
)
async def test_what_does_not_name_a_box_is_left_as_it_is(question, scripted, said):
    chat = scripted(*turns(FRAMES["medvision"], question.image), said)
    given = await answer(detection(question), Condition.parse("on"), chat, Limits())
    assert (given.response, given.as_written) == (said, None)


async def test_without_tags_the_whole_reply_is_the_answer(question, scripted):
    chat = scripted(*turns(FRAMES["norm1000-yx"], question.image), "A, B", frame="norm1000-yx")
    given = await answer(detection(question), Condition.parse("on"), chat, Limits())
    assert given.response == written_box(FRAMES["norm1000-yx"], question.image)


async def test_names_of_marks_are_no_length_and_need_the_tool(question, scripted):
    turned = turns(FRAMES["medvision"], question.image)
    length = await answer(question, Condition.parse("on"), scripted(*turned, "<answer>A, B</answer>"), Limits())
    without = scripted(*turned, "<answer>A, B</answer>")
    unmarked = await answer(detection(question), Condition.parse("crop,ruler"), without, Limits())
    assert {(one.response, one.as_written) for one in (length, unmarked)} == {("<answer>A, B</answer>", None)}
