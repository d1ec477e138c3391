"""A length whose two ends are each placed in a crop of its own, through the graph, in every coordinate convention."""

import asyncio
import json

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


def turns(frame, image):
    """Return the calls of a model that crops around each end, marks it there, and measures between the marks."""
    crops, marks = [], []
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
