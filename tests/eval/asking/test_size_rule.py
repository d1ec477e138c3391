"""What a model without a size rule may be asked, and what a run stores of a rule that is read from elsewhere."""

import sys
from dataclasses import replace

import pytest

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.words.question import Wording
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.launch import prepare
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.tools.base import Result
from medvision_agent.tools.registry import TOOLS
from medvision_agent.tools.view.frames import FRAMES

ROWS = """
blind: {provider: openai, model: m, base_url: "http://localhost:1/v1", api_key_env: null}
sighted: {extends: blind, perceived: {rule: padded}}
elsewhere: {extends: blind, perceived: {rule: processor, checkpoint: CHECKPOINT}}
"""
NO_PIXELS = "ruler,protractor,fit_contour"


@pytest.fixture
def start(tmp_path):
    models = tmp_path / "models.yaml"
    models.write_text(ROWS.replace("CHECKPOINT", str(tmp_path / "checkpoint")))

    def prepared(model, tools, *tasks, **settings):
        return prepare(
            Settings(
                model=model, tools=tools, out=tmp_path / "out", models_file=models,
                selection=Selection(tasks=tasks or None), **settings,
            )
        )  # fmt: skip

    return prepared


@pytest.mark.parametrize("tools", ["off", NO_PIXELS])
def test_detection_needs_no_size_rule(start, tools):
    prepared = start("blind", tools, "detection")
    assert prepared.model.perceived is None
    assert prepared.model.sees.rule == "native"
    assert prepared.identity.model["perceived"] is None


@pytest.mark.parametrize(
    ("tools", "task", "stating"),
    [
        ("off", "size", "the prompt of size would"),
        ("off", "angle", "the prompt of angle would"),
        (NO_PIXELS, "distance", "the prompt of distance would"),
        ("on", "detection", "the tools pixel_spacing and crop would"),
        ("crop", "detection", "the tool crop would"),
        ("ruler,crop", "angle", "the prompt of angle and the tool crop would"),
    ],
)
def test_what_states_pixels_is_refused_without_a_size_rule(start, tools, task, stating):
    with pytest.raises(ConfigError) as caught:
        start("blind", tools, task)
    for words in ("'blind'", stating, "`perceived`", "rule: processor", "--task detection"):
        assert words in str(caught.value)
    assert start("sighted", tools, task).model.perceived.rule == "padded"


def test_one_sample_that_states_pixels_is_enough(start):
    with pytest.raises(ConfigError, match="the prompt of angle and distance and size would"):
        start("blind", "off")


def test_own_words_for_detection_may_state_pixels(start, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("detection: 'The {{ label }}, in a picture {{ width_px }} pixels wide?'")
    with pytest.raises(ConfigError, match="the prompt of detection would"):
        start("blind", "off", "detection", prompt_file=own)
    own.write_text("detection: 'Where is the {{ label }}?'")
    start("blind", "off", "detection", prompt_file=own)


def test_a_rule_that_cannot_be_read_is_said_before_the_first_request(start, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ConfigError, match=r"^model 'elsewhere': perceived: .*medvision-agent\[local\]"):
        start("elsewhere", "off", "size")


def test_a_rule_read_from_a_checkpoint_is_stored_as_numbers(start, tmp_path):
    pytest.importorskip("transformers", reason="transformers is not installed (extra: local)")
    from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

    Gemma3ImageProcessorPil(size={"height": 896, "width": 448}).save_pretrained(tmp_path / "checkpoint")
    prepared = start("elsewhere", "off", "size")
    assert prepared.identity.model["perceived"] == {"rule": "fixed", "height": 896, "width": 448}
    assert prepared.config()["model"]["perceived"] == {"rule": "fixed", "height": 896, "width": 448}


@pytest.mark.parametrize("name", TOOLS)
def test_tools_say_whether_they_state_pixels(name):
    results = [
        kind
        for kind in vars(sys.modules[TOOLS[name].function.__module__]).values()
        if isinstance(kind, type) and issubclass(kind, Result) and kind is not Result
    ]
    assert results
    assert TOOLS[name].states_pixels == any("_px" in field for kind in results for field in kind.model_fields)


def test_coordinates_in_pixels_need_the_size_rule(start):
    with pytest.raises(ConfigError, match=r"the coordinate convention pixel would .* off and --frame medvision"):
        start("blind", "off", "detection", frame="pixel")
    assert start("blind", "off", "detection", frame="norm1000-yx").identity.model["frame"] == "norm1000-yx"
    assert start("sighted", "off", "detection", frame="pixel").identity.model["frame"] == "pixel"


@pytest.mark.parametrize("frame", [frame for frame in FRAMES.values() if not frame.in_pixels])
def test_shipped_words_for_detection_state_no_pixels(frame):
    for form in ("direct", "cot"):
        words = {
            number: replace(Wording(), form=form).render(
                "detection", label="liver", description="", landmarks=(), measurement="",
                width_px=number, height_px=number, width_mm_per_px=number, height_mm_per_px=number,
                frame=frame,
            )
            for number in (1, 12345)
        }  # fmt: skip
        assert words[1] == words[12345]


def test_conditions_are_what_this_file_takes_them_for():
    assert {tool.name for tool in Condition.parse("on").tools if tool.states_pixels} == {"pixel_spacing", "crop"}
