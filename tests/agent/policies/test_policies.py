"""The offline policies through the graph: what each knows, what it uses, that it always answers."""

import math

import numpy as np
import pytest

from medvision_agent.agent.answer import answer
from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models import Offline
from medvision_agent.agent.policies.open import build
from medvision_agent.agent.words.question import Question
from medvision_agent.eval.asking.one import brief_of
from medvision_agent.eval.scorer.numbers import extract, parse
from medvision_agent.eval.scorer.protocol import protocol
from medvision_agent.eval.tasks import TASKS
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import grey_slice

SPACING = Spacing(height_mm=1.2, width_mm=0.8)
HEIGHT, WIDTH = 150, 200
ALL_TOOLS = ["off", "on", "crop", "ruler", "crop,fit_contour", "fit_contour", "pixel_spacing"]


def lesion(centre=(110.0, 60.0), axes_mm=(36.0, 22.0), angle=0.5, bright=True):
    """An ellipse with soft pixel edges (8 x 8 samples a pixel) in noise; slice frame, axes in mm."""
    steps = (np.arange(8) + 0.5) / 8
    y = (np.arange(HEIGHT)[:, None] + steps).ravel()[:, None]
    x = (np.arange(WIDTH)[:, None] + steps).ravel()[None, :]
    dx, dy = (x - centre[0]) * SPACING.width_mm, (y - centre[1]) * SPACING.height_mm
    along, across = dx * math.cos(angle) + dy * math.sin(angle), dy * math.cos(angle) - dx * math.sin(angle)
    inside = (along / axes_mm[0] * 2) ** 2 + (across / axes_mm[1] * 2) ** 2 <= 1
    share = inside.reshape(HEIGHT, 8, WIDTH, 8).mean(axis=(1, 3))
    noise = np.random.default_rng(0).normal(0, 3, share.shape)
    pixels = 90 + (70 if bright else -70) * share + noise
    return grey_slice(np.clip(pixels, 0, 255).astype(np.uint8), SPACING)


async def ask(name, tools, task, image, truth=(), share=None):
    config = Offline(name=name, perceived={"rule": "native"})
    landmarks = ("a", "b", "c", "d") if task == "angle" else ("a", "b")
    question = Question(task, image, "", "lesion", landmarks)
    condition = Condition.parse(tools)
    brief = brief_of(TASKS[task], condition, tuple(truth), share)
    given = await answer(question, condition, Chat(config, build(config)), Limits(), brief=brief)
    assert given.outcome is Outcome.ANSWERED, given.detail
    count = len(TASKS[task].numbers)
    values = parse(extract(given.response, count, protocol("medvision-1.2")), count)
    assert values is not None, given.response
    return values, [call.tool for call in given.trace.tool_calls]


@pytest.mark.parametrize("tools", ALL_TOOLS)
@pytest.mark.parametrize("task", list(TASKS))
@pytest.mark.parametrize("name", ["prior", "cv"])
async def test_every_baseline_answers_every_task_under_every_condition(name, task, tools):
    values, used = await ask(name, tools, task, lesion())
    offered = {tool.name for tool in Condition.parse(tools).tools}
    assert set(used) <= offered
    assert np.isfinite(values).all()


@pytest.mark.parametrize("bright", [True, False])
async def test_cv_measures_a_lesion_with_tools_and_only_guesses_without(bright):
    image = lesion(bright=bright)
    measured, used = await ask("cv", "on", "size", image)
    assert used == ["crop", "fit_contour"]
    assert measured == pytest.approx([36.0, 22.0], abs=0.5)
    guessed, used = await ask("cv", "off", "size", image)
    assert used == []
    assert np.abs(guessed - [36.0, 22.0]).max() > 0.5


async def test_cv_measures_an_area_with_tools_and_takes_that_of_an_ellipse_without():
    measured, used = await ask("cv", "on", "area", lesion())
    assert used == ["crop", "fit_contour"]
    assert measured == pytest.approx([math.pi / 4 * 36.0 * 22.0], rel=0.03)
    (major, minor), _ = await ask("cv", "off", "size", lesion())
    guessed, used = await ask("cv", "off", "area", lesion())
    assert used == []
    assert guessed == pytest.approx([math.pi / 4 * major * minor], rel=1e-3)


@pytest.mark.parametrize("tools", ["off", "on"])
async def test_the_oracle_works_an_area_out_from_the_share_of_the_picture(tools):
    found, used = await ask("oracle", tools, "area", lesion(), share=0.25)
    assert used == []
    assert found == pytest.approx([0.25 * HEIGHT * 1.2 * WIDTH * 0.8], rel=1e-4)


async def test_cv_takes_segment_where_fit_contour_is_missing():
    measured, used = await ask("cv", "crop,segment", "size", lesion())
    assert used == ["crop", "segment"]
    assert measured == pytest.approx([36.0, 22.0], abs=0.7)


async def test_cv_boxes_a_lesion():
    box, _ = await ask("cv", "on", "detection", lesion(angle=0.0, axes_mm=(36.0, 24.0)))
    # 36 mm across at 0.8 mm/px are 45 px around x = 110; 24 mm down at 1.2 mm/px are 20 px around y = 60.
    assert box == pytest.approx([87.5 / 200, 1 - 70 / 150, 132.5 / 200, 1 - 50 / 150], abs=0.005)


TRUTH = ((0.31, 0.22), (0.74, 0.61), (0.42, 0.80), (0.55, 0.25))


def mm(a, b):
    return math.hypot((b[0] - a[0]) * WIDTH * SPACING.width_mm, (b[1] - a[1]) * HEIGHT * SPACING.height_mm)


@pytest.mark.parametrize("tools", ["off", "on", "ruler", "crop"])
async def test_oracle_is_exact(tools):
    image = lesion()
    distance, used = await ask("oracle", tools, "distance", image, TRUTH[:2])
    assert distance == pytest.approx([mm(*TRUTH[:2])], rel=1e-4)
    assert ("ruler" in used) == (tools in ("on", "ruler"))
    size, _ = await ask("oracle", tools, "size", image, TRUTH)
    assert size == pytest.approx([mm(*TRUTH[:2]), mm(*TRUTH[2:])], rel=1e-4)
    box, _ = await ask("oracle", tools, "detection", image, ((0.3, 0.8), (0.7, 0.2)))
    assert box == pytest.approx([0.3, 0.2, 0.7, 0.8], abs=2e-6)
    angle, _ = await ask("oracle", tools, "angle", image, TRUTH)
    a, b = [
        np.subtract(q, p) * (WIDTH * SPACING.width_mm, HEIGHT * SPACING.height_mm) for p, q in (TRUTH[:2], TRUTH[2:])
    ]
    expected = math.degrees(math.acos(abs(a @ b) / math.hypot(*a) / math.hypot(*b)))
    assert angle == pytest.approx([expected], abs=0.01)


async def test_oracle_without_truth_says_so_and_gives_no_number():
    config = Offline(name="oracle", perceived={"rule": "native"})
    question = Question("distance", lesion(), "", None, ("a", "b"))
    condition = Condition.parse("on")
    brief = brief_of(TASKS["distance"], condition)
    given = await answer(question, condition, Chat(config, build(config)), Limits(), brief=brief)
    assert "<answer>" not in given.response
