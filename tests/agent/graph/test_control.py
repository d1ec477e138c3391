"""Controls change what comes back from tools and nothing else; ``again`` adds turns and nothing else."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from medvision_agent.agent.answer import answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.control import Blank, Blind, Misled, SameRegion
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.limits import Limits
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.one import brief_of
from medvision_agent.eval.tasks import TASKS
from medvision_agent.tools.registry import TOOLS, installed
from medvision_agent.tools.view.geometry import Size, Spacing
from medvision_agent.tools.view.perceived import Native
from medvision_agent.tools.view.png import decode_png
from medvision_agent.tools.view.slice import Slice, Stack, Units, Window, as_displayed
from medvision_agent.tools.view.views import ViewSet

CALLS = {
    "pixel_spacing": {"view": "v0"},
    "crop": {"view": "v0", "x0": 0.1, "y0": 0.2, "x1": 0.6, "y1": 0.7, "zoom": 2},
    "ruler": {"view": "v0", "x0": 0.25, "y0": 0.5, "x1": 0.75, "y1": 0.5},
    "protractor": {"ax0": 0.1, "ay0": 0.1, "ax1": 0.9, "ay1": 0.1, "bx0": 0.1, "by0": 0.1, "bx1": 0.9, "by1": 0.8},
    "fit_contour": {"x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.9},
    "window": {"view": "v0", "by": "HU", "level": 100, "width": 200},
    "statistics": {"view": "v0", "of": "line", "x0": 0.25, "y0": 0.5, "x1": 0.75, "y1": 0.5},
    "neighbours": {"view": "v0", "away": -1},
}
BARE = {"x0": 0.0, "y0": 0.0, "x1": 0.1, "y1": 0.1}
"""A region of one grey level: there is nothing to find."""


CONTROLS = ["blind", "blind:numbers", "blind:pictures", "same-region", "blank", "misled"]


def image(units: Units = Units.HU, reach: int = 1) -> Slice:
    """Return a slice with a bright box, and as many slices on each side of it as it *reaches*."""
    pixels = np.zeros((60, 80))
    pixels[20:45, 30:50] = np.linspace(150, 250, 20)
    values = pixels.astype(np.float32)
    stack = Stack(-reach, reach, 3.0, lambda away: np.roll(values, away)) if reach else None
    return Slice(values, Spacing(2.0, 0.5), as_displayed, units, stack)


@pytest.fixture
def views() -> ViewSet:
    return ViewSet(image(), Native())


def numbers(value: object) -> list[object]:
    return [part for part in json.loads(str(value)).values() if not isinstance(part, str)]


@pytest.mark.parametrize("name", CALLS)
def test_blind_tells_ids_and_nothing_else(views, name):
    tool = installed().tool(name)
    plain = tool.call(views, CALLS[name])
    assert numbers(plain.text)
    blind = Blind().shown(tool, CALLS[name], plain, views)
    assert blind.ok
    assert blind.picture is None
    told = {key: value for key, value in json.loads(blind.text).items() if value != "withheld"}
    assert told == {key: plain.result[key] for key in ("view", "of") if key in plain.result}
    assert set(json.loads(blind.text)) == set(plain.result) | ({"picture"} if plain.picture else set())


@pytest.mark.parametrize("name", CALLS)
def test_blind_to_one_leaves_the_other(views, name):
    tool = installed().tool(name)
    plain = tool.call(views, CALLS[name])
    no_numbers = Blind("numbers").shown(tool, CALLS[name], plain, views)
    assert not numbers(no_numbers.text)
    if plain.picture is not None:
        assert np.array_equal(no_numbers.picture.pixels, plain.picture.pixels) != tool.solver
        assert no_numbers.picture.caption == "withheld"
    no_pictures = Blind("pictures").shown(tool, CALLS[name], plain, views)
    assert no_pictures.picture is None
    assert plain.result.items() <= json.loads(no_pictures.text).items()


@pytest.mark.parametrize("what", ["all", "numbers"])
def test_nothing_found_looks_like_something_found_without_overlays(views, what):
    tool = TOOLS["fit_contour"].without_overlay()
    nothing, found = tool.call(views, BARE), tool.call(views, CALLS["fit_contour"])
    shown = [Blind(what).shown(tool, BARE, reply, views) for reply in (nothing, found)]
    assert (shown[0].ok, shown[0].text) == (shown[1].ok, shown[1].text)
    assert shown[0].picture is shown[1].picture is None


@pytest.mark.parametrize("what", ["all", "numbers"])
def test_nothing_found_looks_like_something_found(views, what):
    tool = TOOLS["fit_contour"]
    nothing, found = tool.call(views, BARE), tool.call(views, CALLS["fit_contour"])
    assert not nothing.ok
    shown = [Blind(what).shown(tool, BARE, reply, views) for reply in (nothing, found)]
    assert shown[0].ok
    assert shown[0].text == shown[1].text
    assert (shown[0].picture is None) == (shown[1].picture is None) == (what == "all")
    if what == "numbers":
        assert np.array_equal(shown[0].picture.pixels, shown[1].picture.pixels), "no outline: nothing was found"
        assert shown[0].picture.caption == shown[1].picture.caption


@pytest.mark.parametrize("what", ["all", "numbers"])
@pytest.mark.parametrize("name", ["fit_contour", "segment"])
def test_nothing_found_between_marks_looks_like_something_found(views, what, name):
    tool, shown = installed().tool(name), []
    view = installed().tool("crop").call(views, {**CALLS["crop"], "x0": 0.0, "y0": 0.0, "x1": 0.9, "y1": 0.9}).result
    for x0, y0, x1, y1 in (BARE.values(), (0.3, 0.2, 0.8, 0.8)):
        for mark, x, y in (("a", x0, y0), ("b", x1, y1)):
            installed().tool("mark").call(views, {"name": mark, "view": view["view"], "x": x, "y": y})
        call = {"mark0": "a", "mark1": "b"}
        shown.append((plain := tool.call(views, call), Blind(what).shown(tool, call, plain, views)))
    (nothing, first), (found, second) = shown
    assert (nothing.ok, found.ok, found.result["view"]) == (False, True, "v1")
    assert first.text == second.text
    assert what == "all" or np.array_equal(first.picture.pixels, second.picture.pixels)


@pytest.mark.parametrize("what", ["all", "numbers", "pictures"])
@pytest.mark.parametrize(
    ("name", "call", "there", "lacking"),
    [
        ("window", {"by": "HU", "level": 100, "width": 200}, image(), image(Units.GREY)),
        ("neighbours", {"away": 2}, image(reach=2), image()),
        ("neighbours", {"away": -1}, image(), image(reach=0)),
    ],
    ids=["no HU", "past the end", "no volume"],
)
def test_no_refusal_tells_what_the_image_is(what, name, call, there, lacking):
    tool, ruler, heard = installed().tool(name), TOOLS["ruler"], []
    control = Blind(what)
    for one in (there, lacking):
        views = ViewSet(one, Native(), refuses=control.refuses)
        reply = control.shown(tool, call, tool.call(views, call), views)
        inside = {**CALLS["ruler"], "view": "v1"}
        then = control.shown(ruler, inside, ruler.call(views, inside), views)
        heard.append((reply.ok, reply.text, reply.picture is None, then.text))
    assert (heard[0] == heard[1]) == (what != "pictures")


def test_nothing_found_between_points_of_another_view_looks_like_something_found(views):
    tool = TOOLS["fit_contour"]
    views.crop(views.whole.region, 2.0)
    raws = [{"mark0": f"v1: x={a}, y={a}", "mark1": f"v1: x={b}, y={b}"} for a, b in ((0.0, 0.1), (0.1, 0.9))]
    nothing, found = (tool.call(views, raw) for raw in raws)
    assert not nothing.ok
    assert found.result["view"] == "v1"
    shown = [Blind().shown(tool, raw, reply, views) for raw, reply in zip(raws, (nothing, found), strict=True)]
    assert (shown[0].ok, shown[0].text) == (shown[1].ok, shown[1].text)


@pytest.mark.parametrize("control", [Blind(), Blind("numbers"), Blind("pictures"), SameRegion(), Blank(), Misled()])
def test_errors_in_the_arguments_come_back(views, control):
    for arguments in ({"view": "v9", "x0": 0, "y0": 0, "x1": 1, "y1": 1}, {"x0": 7, "y0": 0, "x1": 1, "y1": 1}, {}):
        reply = TOOLS["ruler"].call(views, arguments)
        assert not reply.ok
        assert control.shown(TOOLS["ruler"], arguments, reply, views) == reply


def test_arithmetic_is_no_matter_of_the_image(views):
    reply = TOOLS["python"].call(views, {"code": "3 * 4"})
    assert Blind().shown(TOOLS["python"], {}, reply, views) == reply


@pytest.mark.parametrize("name", ["crop", "ruler", "fit_contour"])
def test_misled_shows_the_whole_image_at_the_size_of_the_picture(views, name):
    tool = installed().tool(name)
    plain = tool.call(views, CALLS[name])
    misled = Misled().shown(tool, CALLS[name], plain, views)
    assert (misled.text, misled.picture.caption) == (plain.text, plain.picture.caption)
    assert misled.picture.pixels.shape == plain.picture.pixels.shape
    height, width = plain.picture.pixels.shape[:2]
    grey = misled.picture.pixels if misled.picture.pixels.ndim == 2 else misled.picture.pixels[:, :, 1]
    whole = cv2.resize(views.whole.pixels, (width, height), interpolation=cv2.INTER_LINEAR)
    assert np.abs(grey.astype(int) - whole).mean() < 3


@pytest.mark.parametrize("name", ["crop", "ruler", "window", "neighbours", "statistics"])
def test_blank_pictures_are_uniform_and_say_so(views, name):
    tool = installed().tool(name)
    plain = tool.call(views, CALLS[name])
    blank = Blank().shown(tool, CALLS[name], plain, views)
    assert (blank.text, blank.picture.pixels.shape) == (plain.text, plain.picture.pixels.shape)
    assert np.ptp(blank.picture.pixels) == 0
    assert blank.picture.caption == "a blank picture: what it would show is withheld"


class Half:
    """Perceives pictures at half their size."""

    def perceived(self, sent):
        return Size(max(1, sent.height // 2), max(1, sent.width // 2))

    canvas = perceived


def fine(perceives) -> dict[bool, ViewSet]:
    """Return the views of stripes one pixel wide, with and without new detail."""
    stripes = np.tile(np.arange(80) % 2 * 200, (60, 1)).astype(np.float32)
    stack = Stack(-1, 1, 3.0, lambda away: stripes[:, ::-1])
    one = Slice(stripes, Spacing(2.0, 0.5), Window(0, 255), Units.HU, stack)
    return {new: ViewSet(one, perceives, new_detail=new) for new in (True, False)}


def test_the_same_region_has_the_pixels_of_v0():
    same, crop = fine(Native())[False], installed().tool("crop")
    picture = crop.call(same, CALLS["crop"]).picture
    x0, y0, x1, y1 = same.get("v1").region.pixels(same.slice.size)
    part = same.whole.pixels[y0:y1, x0:x1]
    enlarged = cv2.resize(part, picture.pixels.shape[::-1], interpolation=cv2.INTER_LINEAR)
    assert np.abs(picture.pixels.astype(int) - enlarged).max() <= 1


def test_the_same_region_shows_no_detail_that_the_encoder_did_not_see_in_v0():
    for new, views in fine(Half()).items():
        reply = installed().tool("crop").call(views, CALLS["crop"])
        assert (np.ptp(reply.picture.pixels) > 150) == new
        ruler = TOOLS["ruler"].call(views, {**CALLS["ruler"], "view": "v1"})
        assert (np.ptp(ruler.picture.pixels[:4]) > 100) == new, "what is drawn on shows no more"
        assert (ruler.picture.pixels[:, :, 0] != ruler.picture.pixels[:, :, 2]).any(), "the line stays"


@pytest.mark.parametrize("name", CALLS)
def test_the_same_region_leaves_every_number(name):
    tool, both = installed().tool(name), fine(Half())
    plain, same = (tool.call(views, CALLS[name]) for views in both.values())
    assert same.text == plain.text
    if plain.picture is not None:
        other = name in {"window", "neighbours"}
        assert (same.picture.caption == plain.picture.caption) != other
        assert not other or same.picture.caption == "view v1, shown with the pixels of v0"


@pytest.mark.parametrize("text", CONTROLS)
def test_only_the_control_differs_from_tools_on(text):
    controlled, on = Condition.parse(text).identity(), Condition.parse("on").identity()
    different = {key for key in on if controlled[key] != on[key]}
    assert different == {"condition", "control"}


@pytest.mark.parametrize(("then", "now"), [("sham", "misled"), ("sham/crop,ruler", "misled/crop,ruler")])
def test_misled_was_once_called_sham(then, now):
    found = Condition.parse(then)
    assert found.identity() == Condition.parse(now).identity()
    assert (found.name, found.control) == (now, Misled())


def test_a_control_of_some_tools():
    condition = Condition.parse("blind:numbers/ruler,crop")
    assert (condition.name, len(condition.tools)) == ("blind:numbers/crop,ruler", 2)
    assert Condition.parse("blind").name == "blind:all"


@pytest.mark.parametrize(
    "text",
    [
        "blind:nubers",
        "blind/nothing",
        "blind/sham",
        "sham/blind/crop",
        "again",
        "again:0",
        "again:x",
        "again:99",
        "shams",
    ],
)
def test_what_there_is_not_is_refused(text):
    with pytest.raises(ConfigError):
        Condition.parse(text)


async def test_a_blind_conversation(question, scripted):
    inside = ("ruler", {"view": "v1", "x0": 0.0, "y0": 0.0, "x1": 1.0, "y1": 0.0})
    crop = ("crop", {"view": "v0", "x0": 0.0, "y0": 0.0, "x1": 0.5, "y1": 0.5})
    given = await answer(
        question, Condition.parse("blind"), scripted([crop], [inside], "<answer>20</answer>"), Limits()
    )
    assert [call.ok for call in given.trace.tool_calls] == [True, True]
    assert json.loads(given.trace.tool_calls[0].text)["view"] == "v1"
    assert json.loads(given.trace.tool_calls[1].text)["distance_mm"] == "withheld"
    assert len(given.trace.pictures) == 1  # the question's


async def test_a_conversation_in_the_same_region(question, scripted):
    calls = [[("window", {"by": "percentile"})], [("crop", CALLS["crop"])], "<answer>20</answer>"]
    given = await answer(question, Condition.parse("same-region"), scripted(*calls), Limits())
    window, crop = (decode_png(given.trace.pictures[call.picture]) for call in given.trace.tool_calls)
    assert np.array_equal(window, question.image.grey)
    assert crop.size


async def test_a_misled_conversation_shows_v0_again(question, scripted):
    crop = ("crop", {"view": "v0", "x0": 0.0, "y0": 0.0, "x1": 0.5, "y1": 0.5, "zoom": 2})
    given = await answer(question, Condition.parse("misled"), scripted([crop], "<answer>20</answer>"), Limits())
    shown = decode_png(given.trace.pictures[given.trace.tool_calls[0].picture])
    assert shown.shape == question.image.grey.shape  # half of it, twice as large
    assert np.array_equal(shown, question.image.grey)


async def test_again_asks_to_check_and_the_last_answer_counts(question, scripted):
    chat = scripted("<answer>1</answer>", "<answer>2</answer>", "<answer>3</answer>")
    given = await answer(question, Condition.parse("again:2"), chat, Limits())
    assert given.response == "<answer>3</answer>"
    assert [message["type"] for message in given.trace.messages] == ["system", "human", *["ai", "human"] * 2, "ai"]
    asked = [message["content"] for message in given.trace.messages if message["type"] == "human"][1:]
    assert len(set(map(str, asked))) == 1
    off = await answer(question, Condition.parse("off"), scripted("<answer>1</answer>"), Limits())
    assert given.prompt_with_tools_sha256 == off.prompt_with_tools_sha256


async def test_again_does_not_ask_after_no_answer(question, scripted):
    given = await answer(question, Condition.parse("again:3"), scripted("  ", "<answer>2</answer>"), Limits())
    assert given.outcome is Outcome.NO_ANSWER
    assert given.usage.model_calls == 1


@pytest.mark.parametrize("policy", ["baseline-cv", "oracle"])
@pytest.mark.parametrize("frame", ["medvision", "pixel"])
async def test_blind_policies_answer_as_without_tools(question, policy_chat, policy, frame):
    asked = replace(question, template="size", label="a bright disc", landmarks=())
    truth = ((0.2, 0.2), (0.8, 0.2), (0.5, 0.4), (0.5, 0.1))
    answers = []
    for text in ("off", "blind"):
        condition = Condition.parse(text)
        async with policy_chat(policy, frame) as chat:
            brief = brief_of(TASKS["size"], condition, truth)
            given = await answer(asked, condition, chat, Limits(), brief=brief)
        assert given.outcome is Outcome.ANSWERED, given.detail
        answers.append(given.response)
    assert answers[0] == answers[1]
