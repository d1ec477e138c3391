"""What a model reads: every fact that MedVision's prompts carry, in their order, and nothing of the other arm's."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from jinja2 import UndefinedError

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.grammars.calls import parse_calls
from medvision_agent.agent.grammars.registry import grammar_named
from medvision_agent.agent.words.prompt_file import with_prompt_file
from medvision_agent.agent.words.question import Question, Wording
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.recipe import RECIPES
from medvision_agent.eval.tasks import TASKS
from medvision_agent.prompts.render import render
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.geometry import Size, Spacing
from medvision_agent.tools.view.perceived import Fixed, Padded
from medvision_agent.tools.view.slice import grey_slice
from medvision_agent.tools.view.views import ViewSet

VIEWS = ViewSet(grey_slice(np.zeros((100, 50)), Spacing(0.5, 2.0)), Fixed(height=448, width=448))
NAMES = ("left cusp", "right cusp", "apex", "root")
INFORMATION = "width_mm_per_px = 0.223, height_mm_per_px = 0.112"
ANY_FORM = [("medvision-1.2", "direct"), ("medvision-1.2", "cot"), ("paper-v1", "direct")]


def prompt(task, recipe="medvision-1.2", form="direct", tools=(), description="An axial CT.", **facts):
    wording = RECIPES[recipe].wording(form)
    question = Question(task, VIEWS.slice, description, "liver", NAMES, wording=wording, **facts)
    return question.prompt(VIEWS, Condition.parse(",".join(tools)).told(None) if tools else "")


def in_order(text, *parts):
    place = 0
    for part in parts:
        place = text.index(part, place) + len(part)


@pytest.mark.parametrize(("recipe", "form"), ANY_FORM)
def test_every_task_carries_its_facts_in_order(recipe, form):
    asked = {task: prompt(task, recipe, form).question for task in TASKS}
    in_order(asked["detection"], "Task:", "An axial CT", "liver", "Answer format:", "four decimals", "lower left")
    assert "mm_per_px" not in asked["detection"]
    assert "width_px" not in asked["detection"]
    in_order(
        asked["size"], "Task:", "An axial CT", "liver", "major", "Information:", INFORMATION, "two decimals", "major"
    )
    in_order(asked["distance"], "An axial CT", "left cusp", "right cusp", "Information:", INFORMATION, "one decimal")
    assert "apex" not in asked["distance"]
    in_order(asked["angle"], "An axial CT", *NAMES, "Information:", INFORMATION, "one decimal")
    for task in ("size", "distance", "angle"):
        assert ("width_px = 448, height_px = 448" in asked[task]) == (recipe == "medvision-1.2")


@pytest.mark.parametrize("task", TASKS)
def test_tags_and_steps_by_form(task):
    direct, steps = prompt(task).question, prompt(task, form="cot").question
    bare = prompt(task, "paper-v1").question
    assert "<think>" in direct
    assert "<answer>" in direct
    assert "step" not in direct
    count = {"detection": 1, "size": 4}.get(task, 3)
    assert steps.count("<step-") == count
    in_order(steps, "Answer format:", "<answer>", "<step-1>", "Follow these steps.")
    assert "<" not in bare


def asked_in(name, task, recipe="medvision-1.2", form="direct", rule=None):
    views = ViewSet(VIEWS.slice, rule or Padded(side=336), FRAMES[name])
    question = Question(task, views.slice, "An axial CT.", "liver", NAMES, wording=RECIPES[recipe].wording(form))
    return question.prompt(views)


RELATIVE = "relative coordinates of the picture from 0 to"
PIXELS = "pixel coordinates of the picture, x from 0 to width_px and y from 0 to height_px,"


@pytest.mark.parametrize(
    ("name", "count", "order", "corners", "range_"),
    [
        (
            "medvision",
            "four decimals",
            "x and y",
            ("lower-left", "upper-right"),
            f"{RELATIVE} 1, with the origin at the lower left",
        ),
        (
            "top-left",
            "four decimals",
            "x and y",
            ("top-left", "bottom-right"),
            f"{RELATIVE} 1, with the origin at the top left",
        ),
        (
            "norm1000",
            "one decimal",
            "x and y",
            ("top-left", "bottom-right"),
            f"{RELATIVE} 1000, with the origin at the top left",
        ),
        (
            "norm1000-yx",
            "one decimal",
            "y and x",
            ("top-left", "bottom-right"),
            f"{RELATIVE} 1000, with the origin at the top left",
        ),
        ("pixel", "two decimals", "x and y", ("top-left", "bottom-right"), f"{PIXELS} with the origin at the top left"),
    ],
)
def test_a_box_is_asked_for_in_the_convention(name, count, order, corners, range_):
    asked = asked_in(name, "detection", form="cot")
    assert FRAMES[name].sentence in asked.system
    first, second = corners
    numbers = f"four numbers with {count}, without units, separated by a comma and a space"
    points = f"{order} of the {first} corner, then {order} of the {second} corner"
    in_order(
        asked.question,
        f"Give the {first} and the {second} corner of the box.",
        f"{numbers}: {points}. All are {range_}.",
    )
    assert f"Locate the {first} and the {second} corner of the box in {FRAMES[name].coordinates}." in asked.question
    # Pixels mean nothing without the size of the picture.
    assert ("width_px = " in asked.question) == (name == "pixel")


@pytest.mark.parametrize(("recipe", "form"), ANY_FORM)
@pytest.mark.parametrize("task", TASKS)
def test_coordinates_in_pixels_come_with_the_size_of_what_they_run_over(task, recipe, form):
    perceived = RECIPES[recipe].perceives(Padded(side=336))
    text = asked_in("pixel", task, recipe, form, perceived).question
    content = perceived.perceived(VIEWS.slice.size)
    assert text.count(f"width_px = {content.width}, height_px = {content.height}.") == 1
    # MedVision states the padding too, and so do the frames that do not count pixels.
    if (recipe, task) == ("medvision-1.2", "size"):
        assert content == Size(336, 168)
        assert "width_px = 336, height_px = 336." in asked_in("top-left", task, recipe, form).question


@pytest.mark.parametrize(
    ("name", "across", "points"),
    [
        ("medvision", "(x2 - x1) * width_px * width_mm_per_px", ("relative coordinates (x1, y1)", "(x2, y2)")),
        ("top-left", "(x2 - x1) * width_px * width_mm_per_px", ("relative coordinates (x1, y1)", "(x2, y2)")),
        (
            "norm1000",
            "(x2 - x1) / 1000 * width_px * width_mm_per_px",
            ("coordinates from 0 to 1000 (x1, y1)", "(x2, y2)"),
        ),
        (
            "norm1000-yx",
            "(x2 - x1) / 1000 * width_px * width_mm_per_px",
            ("coordinates from 0 to 1000 (y1, x1)", "(y2, x2)"),
        ),
        ("pixel", "(x2 - x1) * width_mm_per_px", ("pixel coordinates (x1, y1)", "(x2, y2)")),
    ],
)
def test_the_steps_work_out_millimetres_in_the_convention(name, across, points):
    down = across.replace("x2", "y2").replace("x1", "y1").replace("width", "height")
    both = f"sqrt(({across})^2 + ({down})^2)"
    in_order(asked_in(name, "distance", form="cot").question, *points, both)
    size = asked_in(name, "size", form="cot").question
    in_order(size, FRAMES[name].coordinates, FRAMES[name].point(1), "and", points[1], both)
    assert f"ax = {across}, ay = {down}. </step-1>" in asked_in(name, "angle", form="cot").question


@pytest.mark.parametrize("name", FRAMES)
def test_the_formula_is_right(name):
    """Numbers put into the formula give the distance that the tools measure."""
    views = ViewSet(VIEWS.slice, Fixed(height=448, width=300), FRAMES[name])
    frame, view = views.frame, views.whole
    (x1, y1), (x2, y2) = (frame.from_unit(*place, view.perceived) for place in ((0.1, 0.7), (0.6, 0.2)))
    known = {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "width_px": 300, "height_px": 448}
    known |= {"width_mm_per_px": view.spacing.width_mm, "height_mm_per_px": view.spacing.height_mm}
    steps = [abs(eval(formula, {}, known)) for formula in (frame.across_mm, frame.down_mm)]  # noqa: S307 - our own words
    assert steps == pytest.approx([0.5 * 50 * 2.0, 0.5 * 100 * 0.5])


def test_an_empty_description_leaves_no_hole():
    for task in TASKS:
        assert "The picture:" not in prompt(task, description="").question
        assert "  " not in prompt(task, description="").question


def test_a_measurement_is_named_where_it_has_a_name():
    assert (
        "this distance: aortic root diameter, in millimeters"
        in prompt("distance", measurement="aortic root diameter").question
    )


@pytest.mark.parametrize(("recipe", "form"), ANY_FORM)
@pytest.mark.parametrize("task", TASKS)
def test_tools_add_one_paragraph_and_change_nothing_else(task, recipe, form):
    off, on = prompt(task, recipe, form), prompt(task, recipe, form, tools=("ruler", "crop"))
    assert (off.system, off.question) == (on.system, on.question)
    assert off.system_sent == off.system
    assert on.system_sent == f"{on.system}\n\n{on.tool_paragraph}"
    assert "crop, ruler" in on.tool_paragraph
    assert off.sha256 == on.sha256
    assert off.sha256_sent != on.sha256_sent


def test_tools_called_in_text_are_declared_in_the_prompt_after_the_same_paragraph():
    both = Condition.parse("ruler,crop")
    native, written = both.told(None), both.told(grammar_named("plain"))
    assert written.startswith(native)
    declarations = [json.dumps(schema["function"], ensure_ascii=False) for schema in both.schemas()]
    in_order(written, '```tool_call\n{"name": ', "Tool output", *declarations)
    assert written.splitlines()[-2:] == declarations


def test_the_example_of_the_grammar_is_read_as_the_grammar_says():
    paragraph = render("tools_text", names=["ruler"], declarations=["{}"])
    (call,) = parse_calls(paragraph, ["ruler"]).calls
    assert (call["name"], call["args"]) == ("TOOL", {"ARGUMENT": "VALUE"})


def test_the_convention_is_stated_in_both_arms():
    for tools in ((), ("ruler",)):
        assert VIEWS.frame.sentence in prompt("size", tools=tools).system


def test_a_missing_value_is_an_error():
    with pytest.raises(UndefinedError):
        render("size", label="x")


def write(tmp_path, content):
    path = tmp_path / "prompts.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def test_own_prompts_replace_the_shipped_ones(tmp_path):
    path = write(tmp_path, {"size": "How long is the {{ label }}? {{ width_mm_per_px }} mm\n"})
    wording, sha256 = with_prompt_file(Wording(), path, TASKS)
    question = Question("size", VIEWS.slice, "", "liver", (), wording=wording)
    assert question.prompt(VIEWS).question == "How long is the liver? 0.223 mm"
    assert question.prompt(VIEWS).system == prompt("size").system
    assert len(sha256) == 64


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("just text", "expected texts by name"),
        ("a: [", "this is no readable YAML file of prompts"),
        ({"sise": "x"}, "Did you mean 'size'"),
        ({"size": 3}, "key size: expected a text"),
        ({"size": "{{ lable }}"}, "'lable' is undefined; its variables can be description, label, "),
        ({"size": "{% if frame.in_pixels %}{{ lable }}{% endif %}"}, "'lable' is undefined"),
        ({"size": "{% if %}"}, "key size: the text is no usable Jinja template"),
        ({"size": "{{ ''.__class__.__mro__ }}"}, "no usable Jinja template"),
    ],
)
def test_unusable_prompt_files_are_refused_before_the_first_request(tmp_path, content, said):
    with pytest.raises(ConfigError, match=r"prompts\.yaml") as error:
        with_prompt_file(Wording(), write(tmp_path, content), TASKS)
    assert said in str(error.value)


def test_the_example_of_the_docs_works(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "prompts.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)[1]
    wording, _ = with_prompt_file(Wording(), write(tmp_path, example), TASKS)
    question = Question("size", VIEWS.slice, "An axial CT.", "liver", (), wording=wording).prompt(VIEWS).question
    assert question.startswith("An axial CT. How long are the major and the minor axis of the liver, in mm?")


@pytest.mark.parametrize(("display", "named"), [("ticks", "ticks"), ("grid", "9 by 9"), ("scale-bar", "millimetres")])
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_display_is_one_sentence_of_the_system_text_in_every_arm(display, named, recipe):
    wording = RECIPES[recipe].wording("direct")
    drawn = replace(wording, display=display)
    assert wording.displayed == ""
    assert named in drawn.displayed
    assert drawn.displayed.count(". ") == 0
    assert "\n" not in drawn.displayed
    plain, off, on = (
        Question("size", VIEWS.slice, "An axial CT.", "liver", NAMES, wording=words).prompt(VIEWS, tools)
        for words, tools in ((wording, ""), (drawn, ""), (drawn, Condition.parse("on").told(None)))
    )
    assert off.system == on.system == f"{plain.system}\n\n{drawn.displayed}"
    assert off.question == plain.question
    assert off.sha256 == on.sha256 != plain.sha256
    assert on.system_sent.startswith(off.system_sent)
