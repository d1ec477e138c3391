"""Every paraphrase says what the usual words say: each fact as often, in the same order, and nothing besides."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.words.question import Question
from medvision_agent.eval.asking.recipe import RECIPES
from medvision_agent.eval.tasks import TASKS
from medvision_agent.prompts.paraphrase import WORDINGS, draw_wordings, paraphrase, paraphrase_sha256
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.perceived import Fixed
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

IMAGE = grey_slice(np.zeros((100, 50)), Spacing(0.5, 2.0))
NAMES = ("left cusp", "right cusp", "apex", "root")
FORMS = [("medvision-1.2", "direct"), ("medvision-1.2", "cot"), ("paper-v1", "direct")]
PARAPHRASES = range(1, WORDINGS)
ADVICE = "careful(ly)?|accura(te|tely|cy)|precise(ly)?|exact(ly)?|expert|tools?|zoom|crop|sure|try|best"
ASKED = {
    "detection": ("liver", "bounding box"),
    "size": ("liver", "ellipse", "outline", "major", "minor"),
    "distance": ("aortic root diameter", *NAMES[:2]),
    "area": ("liver", "area", "parts", "holes"),
    "angle": ("aortic root diameter", *NAMES, "acute", "(0 to 90)"),
}
"""What the question names."""


def prompt(number, task, recipe="medvision-1.2", form="direct", *, frame="medvision", **facts):
    views = ViewSet(IMAGE, Fixed(height=448, width=300), FRAMES[frame], facts.get("display", "plain"))
    named = {name: facts.pop(name) for name in ("description", "measurement") if name in facts}
    wording = replace(RECIPES[recipe].wording(form), number=number, **facts)
    said = {"description": "An axial CT.", "measurement": "aortic root diameter", **named}
    question = Question(task, IMAGE, said["description"], "liver", NAMES, said["measurement"], wording=wording)
    return question.prompt(views, Condition.parse("crop,ruler").told(None))


def answer_format(text):
    """Return what follows the line that opens the answer's format, up to the steps."""
    return next(line for line in text.splitlines() if "final message" in line)


def once(task, recipe, frame, *, spacing):
    """Return facts that a question states once, in their order."""
    facts = ["An axial CT", ASKED[task][0]]
    if frame == "pixel" or (task != "detection" and recipe == "medvision-1.2"):
        facts.append("width_px = 300, height_px = 448.")
    if task != "detection":
        facts.append("width_mm_per_px = 0.333, height_mm_per_px = 0.112." if spacing else "not stated here.")
    return facts


@pytest.mark.parametrize("number", PARAPHRASES)
@pytest.mark.parametrize("task", TASKS)
def test_a_paraphrase_states_the_same_facts_in_the_same_order(task, number):
    for (recipe, form), frame, spacing in product(FORMS, FRAMES, (True, False)):
        if not spacing and form == "cot":
            continue  # refused: the steps take the pixel size from the prompt
        usual, asked = (
            prompt(one, task, recipe, form, frame=frame, states_spacing=spacing).question for one in (0, number)
        )
        places = [asked.index(fact) for fact in once(task, recipe, frame, spacing=spacing)]
        assert places == sorted(places)
        assert max(places) < asked.index(answer_format(usual))
        assert [asked.count(fact) for fact in once(task, recipe, frame, spacing=spacing)] == [1] * len(places)
        for fact in (
            *NAMES,
            "liver",
            "diameter",
            "(0 to 90)",
            "mm_per_px =",
            "_px =",
            *FRAMES[frame].corners,
            "decimal",
        ):
            assert asked.count(fact) == usual.count(fact), fact
        assert all(fact in asked for fact in ASKED[task])
        assert task == "detection" or getattr(RECIPES[recipe].wording(form), f"{task}_unit") in asked.split("\n\n")[0]
        assert answer_format(asked) == answer_format(usual)
        # Every number with decimals, every tag and every formula of the steps, in their order.
        for pattern in (r"\d+\.\d+", r"</?[a-z]+[-\d]*>", r"sqrt\(\(.*?\)\^2\)|a[xy] = [^,.]*|arccos.*?\)\)\)"):
            assert re.findall(pattern, asked) == re.findall(pattern, usual)


@pytest.mark.parametrize("number", PARAPHRASES)
def test_a_paraphrase_tells_the_convention_the_display_and_the_tools(number):
    for frame, display in product(FRAMES, ("plain", "ticks", "grid", "scale-bar")):
        usual, asked = (prompt(one, "size", frame=frame, display=display) for one in (0, number))
        for fact in (FRAMES[frame].sentence, "padding", "final answer", "whole picture", "the picture itself"):
            assert asked.system.count(fact) == 1
        assert asked.tool_paragraph == usual.tool_paragraph
        if display != "plain":
            assert asked.system.split("\n\n")[-1] == usual.system.split("\n\n")[-1]


@pytest.mark.parametrize(("task", "form"), list(product(TASKS, ("direct", "cot"))))
def test_no_two_wordings_share_a_line_but_for_the_format_of_the_answer(task, form):
    own = [set(prompt(one, task, form=form).question.splitlines()) - {""} for one in range(WORDINGS)]
    shared = answer_format(prompt(0, task, form=form).question)
    for one, lines in enumerate(own):
        for other in own[one + 1 :]:
            assert lines & other == {shared}
    assert len({prompt(one, task).system for one in range(WORDINGS)}) == WORDINGS


@pytest.mark.parametrize("number", PARAPHRASES)
def test_a_paraphrase_leaves_no_hole_and_gives_no_advice(number):
    texts = paraphrase(number)
    assert set(texts) == set(paraphrase(1)) >= {*TASKS, "system"}
    assert not re.search(rf"\b({ADVICE})\b", " ".join(texts.values()))
    for task, measurement in product(TASKS, ("", "aortic root diameter")):
        bare = prompt(number, task, description="", measurement=measurement).question
        assert "  " not in bare
        assert " ," not in bare
        assert " ." not in bare
        assert "picture: ." not in bare


def test_the_page_shows_every_wording():
    page = (Path(__file__).parents[2] / "docs" / "prompts.md").read_text(encoding="utf-8")
    for number in range(WORDINGS):
        asked = prompt(number, "size", description="").question.split("\n\n")
        question, pixel = asked[0].splitlines()[-1], asked[1].splitlines()[-1]
        assert f"| {number} | {question} | {pixel} |" in page


def test_wordings_are_drawn_by_seed():
    draws = [draw_wordings(3, seed) for seed in range(40)]
    assert draws == [draw_wordings(3, seed) for seed in range(40)]
    assert {number for draw in draws for number in draw} == set(range(WORDINGS))
    assert all(len(set(draw)) == 3 for draw in draws)
    assert draw_wordings(WORDINGS, 5) == tuple(range(WORDINGS))
    assert len({paraphrase_sha256(number) for number in range(WORDINGS)}) == WORDINGS
