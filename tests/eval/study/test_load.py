"""Study files: what is read, and what every mistake is answered with."""

from pathlib import Path

import pytest

from medvision_agent.errors import ConfigError
from medvision_agent.eval.study.designs import expand
from medvision_agent.eval.study.load import read_study

EXAMPLES = Path(__file__).parents[3] / "examples" / "studies"
PLAIN = "name: t\nmodels: [oracle]\n"


def study(tmp_path, text):
    path = tmp_path / "study.yaml"
    path.write_text(PLAIN + text, encoding="utf-8")
    return read_study(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("desings: [on-off]", "desings: unknown key; known: name, models, models_file"),
        ("desings: [on-off]", "Did you mean 'designs'?"),
        ("arms: {x: {tols: crop}}", "arms.x.tols: unknown key; known: tools, tools_dated, segmenter"),
        ("arms: {x: {tols: crop}}", "Did you mean 'tools'?"),
        ("arms: {x: {spacing: prmpt}}", "Did you mean 'prompt'?"),
        ("arms: {x: {overlays: maybe}}", "arms.x.overlays: "),
        ("arms: {x: {max_tool_calls: 0}}", "arms.x.max_tool_calls: "),
        ("designs: [on-off]\nlimits: {tool_call: 3}", "Did you mean 'tool_calls'?"),
        (
            "designs: [on-off]\nbudget: {ust: 1}",
            "budget.ust: unknown key; known: usd, tokens, seconds. Did you mean 'usd'?",
        ),
        ("designs: [on-off]\nlimit_by: subjct", "Did you mean 'subject'?"),
        ("designs: [on-off]\ncontrasts: [{testd: true}]", "Did you mean 'tested'?"),
        ("designs: [on-off]\nbudget: {usd: -1}", "budget.usd: "),
        ("designs: [on-off]\ntasks: [sizes]", "Did you mean 'size'?"),
        ("designs: [on-off]\nname: u", "'name' is given twice"),
        ("designs: [on-off]\nepochs: 0", "epochs: "),
        ("limit: 3", "the study has no arms"),
        ("designs: [on-off", "not a readable YAML file of a study"),
    ],
)
def test_a_mistake_names_file_key_and_the_nearest_name(tmp_path, text, expected):
    with pytest.raises(ConfigError, match=r"study\.yaml: ") as caught:
        study(tmp_path, text)
    assert expected in str(caught.value)


def test_a_name_of_the_wrong_form_is_told_in_words(tmp_path):
    (tmp_path / "study.yaml").write_text("name: two readers\nmodels: [baseline-cv]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"name: 'two readers' does not have the expected form: letters, digits, '-'"):
        read_study(tmp_path / "study.yaml")


def test_a_missing_key_and_a_missing_file(tmp_path):
    (tmp_path / "study.yaml").write_text("name: t\ndesigns: [on-off]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"models: this key is missing"):
        read_study(tmp_path / "study.yaml")
    with pytest.raises(ConfigError, match=r"nowhere.yaml: there is no such file"):
        read_study(tmp_path / "nowhere.yaml")


def test_on_and_off_are_words(tmp_path):
    found = study(tmp_path, "arms: {off: {tools: off}, on: {tools: on, overlays: false}}")
    assert {name: arm.tools for name, arm in found.arms.items()} == {"off": "off", "on": "on"}
    assert found.arms["on"].overlays is False


def test_arms_start_from_the_base(tmp_path):
    found = study(tmp_path, "base: {form: cot, max_tool_calls: 3}\narms: {a: {tools: crop}, b: {form: direct}}")
    assert (found.arms["a"].form, found.arms["a"].max_tool_calls, found.arms["a"].tools) == ("cot", 3, "crop")
    assert (found.arms["b"].form, found.arms["b"].max_tool_calls) == ("direct", 3)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_a_study(path):
    arms, contrasts = expand(read_study(path))
    assert len(arms) >= 2
    assert contrasts
