"""Rules of decisions: limits, names, and files of rules that are none."""

import re
from pathlib import Path

import pytest
import yaml

from medvision_agent.errors import ConfigError
from medvision_agent.eval.data.sample import PixelSize, Sample
from medvision_agent.eval.decisions.rules import read_rules, shipped_rules
from medvision_agent.eval.scorer.protocol import protocol
from medvision_agent.eval.scorer.score import score

ROOT = Path(__file__).parents[3]
GOOD = {"task": "distance", "names": ["Gap"], "categories": ["a", "b", "c"], "limits": [1, 2], "source": "here"}


def written(tmp_path, fields, name="rule"):
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({name: fields}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "value", "category"),
    [
        ("renal-tumour-size", 40.0, "T1a"),
        ("renal-tumour-size", 40.1, "T1b"),
        ("renal-tumour-size", 70.0, "T1b"),
        ("renal-tumour-size", 100.0, "T2a"),
        ("renal-tumour-size", 100.5, "T2b"),
        ("SNA", 79.9, "retrognathic maxilla"),
        ("SNA", 80.0, "normal"),
        ("SNA", 84.0, "normal"),
        ("SNA", 84.1, "prognathic maxilla"),
        ("SNB", 78.0, "normal"),
        ("SNB", 82.5, "prognathic mandible"),
        ("ANB", 4.0, "class I (or III)"),
        ("ANB", 4.5, "class II (or III)"),
    ],
)
def test_a_limit_belongs_to_the_category_that_the_source_says(name, value, category):
    (rule,) = (one for one in shipped_rules() if one.name == name)
    assert rule.categories[rule.category(value)] == category


def test_an_answer_that_equals_a_limit_goes_where_the_ground_truth_goes(tmp_path):
    """Answers are float32 values, limits and ground truths are not: 3.3 is 3.29999995 in float32."""
    fields = GOOD | {"limits": [0.1, 3.3], "equal_is": ["lower", "upper"]}
    (rule,) = read_rules(written(tmp_path, fields))
    for number, category in ((0.1, 0), (3.3, 2), (1e99, 2)):
        (stated,) = score("distance", f"<answer>{number}</answer>", (number,), protocol("medvision-1.2")).values
        assert (rule.category(number), rule.category(stated)) == (category, category)


def test_a_rule_is_about_its_names_in_any_case_and_about_its_task(tmp_path):
    (rule,) = read_rules(written(tmp_path, GOOD))
    asked = Sample(
        id="s",
        task="distance",
        image="a.png",
        pixel_size=PixelSize(height_mm=1, width_mm=1),
        modality="CT",
        plane="axial",
        landmarks=("p", "q"),
        measurement="gAP",
        target=(1.5,),
        convention="edge",
        dataset="d",
        subject="d/1",
    )
    assert rule.decides(asked)
    assert not rule.decides(asked.but(measurement="width"))
    assert not rule.decides(asked.but(task="size", landmarks=(), label="gap", measurement="", target=(2, 1)))
    assert rule.said() == "a up to 1 mm, b up to 2 mm, c above 2 mm"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (GOOD | {"limits": [2, 1]}, "limits must rise"),
        (GOOD | {"limits": [1]}, "3 categories need 2 limits"),
        (GOOD | {"limits": [1, float("inf")]}, "limits"),
        (GOOD | {"task": "detection"}, "decisions are not possible for boxes"),
        (
            GOOD | {"task": "size"},
            "number is missing: the task size asks for several numbers; name one: major axis or minor axis",
        ),
        (GOOD | {"number": "depth"}, "number: 'depth' is no number of the task distance; expected distance"),
        (GOOD | {"equal_is": ["upper"]}, "one word for each limit"),
        (GOOD | {"sourc": "x"}, "sourc: unknown key. Did you mean"),
        (GOOD | {"categories": ["a", "b", "a"]}, "each category needs a different name"),
        ({"task": "distance"}, "names"),
        (["a list"], "expected a mapping of fields"),
    ],
)
def test_what_is_no_rule_is_refused_by_file_rule_and_reason(tmp_path, fields, said):
    path = written(tmp_path, fields)
    with pytest.raises(ConfigError, match=re.escape(said)) as caught:
        read_rules(path)
    assert str(caught.value).startswith((f"{path}: rule: ", f"{path}: rule.limits"))


@pytest.mark.parametrize(
    "text", ["", "- a\n", "{", "a: {task: size}\na: {task: size}", "a: &a [*a]", "!!python/object:os.system {}"]
)
def test_what_is_no_file_of_rules_is_refused(tmp_path, text):
    (tmp_path / "rules.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"rules\.yaml"):
        read_rules(tmp_path / "rules.yaml")


def test_the_page_lists_the_rules_that_are_shipped_and_its_own_is_one(tmp_path):
    page = (ROOT / "docs/decisions.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE) == [rule.name for rule in shipped_rules()]
    (tmp_path / "own.yaml").write_text(page.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    (rule,) = read_rules(tmp_path / "own.yaml")
    assert [rule.category(value) for value in (9.9, 10.0)] == [0, 1]
