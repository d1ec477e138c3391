"""Models that are asked some arms or some tasks alone; and the study of MedVision's published tables, made of such."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import medvision_agent as mva
from medvision_agent.cli.main import cli
from medvision_agent.errors import ConfigError
from medvision_agent.eval.data.configs import task_name
from medvision_agent.eval.findings.contrasts import groups
from medvision_agent.eval.listing.read import stored
from medvision_agent.eval.published.held_out import HELD_OUT, held_out
from medvision_agent.eval.published.versions import versions
from medvision_agent.eval.study.load import read_study

ROOT = Path(__file__).parents[3]
TABLES = ROOT / "examples/studies/published-tables.yaml"
MINI = ROOT / "tests/data/medvision-mini/Data"
TASKS = {"Detection": {"detection"}, "TL": {"size"}, "AD": {"angle", "distance"}}
SMALL = """
name: some-alone
models: [baseline-cv, baseline-prior]
tasks: [size, distance]
limit: 2
arms:
  bare: {tools: "off"}
  crop: {tools: crop}
  turns: {tools: "again:1"}
contrasts: [{a: bare, b: crop}, {a: bare, b: turns}]
only:
  baseline-prior: {arms: [bare, turns], tasks: [size]}
"""


def written(folder, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return folder / "study.yaml"


def planned(study):
    """Return what is asked: model, arm, task."""
    tasks = set(study.tasks or ("detection", "size", "angle", "distance"))
    return {
        (model, arm, task)
        for model in study.models
        for arm in ((study.only[model].arms if model in study.only else None) or study.arms)
        for task in ((study.only[model].tasks if model in study.only else None) or tasks)
    }


def test_the_published_tables_are_planned_row_by_row():
    study = read_study(TABLES)
    asked, wanted = planned(study), set()
    for version, arm in zip(versions(), ("preprint", "leaderboard"), strict=True):
        assert (study.arms[arm].recipe, study.arms[arm].form) == (version.recipe, version.form)
        assert study.annotations == version.annotations
        for table in version.tables:
            for row in table.rows:
                own = f"{arm}-code" if row.code else arm
                models = [model for model in row.models if model in study.models]
                assert models, row.model
                wanted |= {(model, own, task) for model in models for task in TASKS[table.family]}
    assert asked == wanted
    rows = [{row.model for row in table.rows} for table in versions()[0].tables]
    assert len(rows[0]) == 17
    assert len(rows[0] | rows[1] | rows[2]) == 19  # checkpoints of Tables 3 and 4 have another name there
    main = {"Detection": 28, "TL": 10, "AD": 5}
    for family, count in main.items():
        assert sum(held_out(family, name) == HELD_OUT["main"] for name in study.configs) == count
    assert len(set(study.configs)) == sum(main.values())
    assert all(task_name(name) == name for name in study.configs)


def test_the_published_tables_pass_the_dry_run(tmp_path):
    content = yaml.safe_load(TABLES.read_text(encoding="utf-8"))
    # The mini tree has none of the datasets of the tables.
    content |= {"data": f"medvision:{MINI}", "limit": 3}
    del content["configs"], content["annotations"]
    file = written(tmp_path, yaml.safe_dump(content))
    done = CliRunner().invoke(cli, ["ablate", str(file), "--dry-run", "--json"])
    assert done.exit_code == 0, done.output
    shown = json.loads(done.stdout)
    arms = {(cell["model"], cell["arm"]) for cell in shown["cells"]}
    assert len(arms) == 35
    assert ("gemini-2.5-flash", "preprint-code") in arms
    assert [cell["arm"] for cell in shown["cells"] if cell["model"] == "claude-fable-5"] == ["leaderboard"]
    assert shown["contrasts"] == ["preprint -> preprint-code"]
    assert shown["tests"] == 1


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("only")
    mva.ablate(written(folder, SMALL), folder / "study", progress=False)
    return folder / "study"


def test_a_model_is_asked_what_it_is_planned_for_alone(small):
    runs = mva.load(small).runs
    asked = {
        (run.identity.model_name, run.identity.condition): {record.sample.task for record in run.records}
        for run in runs.values()
    }
    assert asked == {
        ("baseline-cv", "off"): {"size", "distance"},
        ("baseline-cv", "crop"): {"size", "distance"},
        ("baseline-cv", "again:1"): {"size", "distance"},
        ("baseline-prior", "off"): {"size"},
        ("baseline-prior", "again:1"): {"size"},
    }


def test_nothing_is_missing_where_nothing_was_planned(small):
    row = stored(small, "study", "study")
    assert (row.state, row.planned, row.done) == ("finished", 3 * 4 + 2 * 2, 3 * 4 + 2 * 2)
    ((chapters, _),) = groups([small])
    (chapter,) = chapters
    compared = {(one.a.model, one.name) for one in chapter.contrasts}
    assert compared == {
        ("baseline-cv", "bare -> crop"),
        ("baseline-cv", "bare -> turns"),
        ("baseline-prior", "bare -> turns"),
    }
    assert chapter.refused == ()
    assert not any(one.no_verdict for one in chapter.contrasts)
    assert sorted((key.model, key.contrast, key.task) for key in chapter.family) == [
        ("baseline-cv", "bare -> crop", "distance"),
        ("baseline-cv", "bare -> crop", "size"),
        ("baseline-cv", "bare -> turns", "distance"),
        ("baseline-cv", "bare -> turns", "size"),
        ("baseline-prior", "bare -> turns", "size"),
    ]
    mva.report(small)


def test_the_study_goes_on_where_it_stopped(small):
    again = mva.ablate(small.parent / "study.yaml", small, progress=False)
    assert (again.left, again.problems) == (0, [])


@pytest.mark.parametrize(
    ("only", "said"),
    [
        ("{oracel: {tasks: [size]}}", "'oracel' is not among `models`"),
        ("{oracle: {tasks: [sizes]}}", "only.oracle.tasks"),
        ("{oracle: {arms: [of]}}", "only.oracle.arms: no arm is called 'of'; known: "),
        ("{oracle: {tasks: [size]}, baseline-cv: {tasks: [size]}}", "every model has `tasks` of its own"),
        ("{oracle: {tasks: [angle]}}\ntasks: [size]", "only.oracle.tasks: demo has no sample of angle"),
        ("{oracle: {tasks: [size]}}\nlooks: [0.5, 1]", "in a study with `looks` every model is asked all tasks"),
        (
            "{oracle: {arms: ['off', result-only]}}",
            "the arm 'result-only' is made from the answers of 'on', which is not named",
        ),
    ],
)
def test_what_cannot_be_is_said(tmp_path, only, said):
    text = f"name: t\nmodels: [oracle, baseline-cv]\ndesigns: [on-off, result-only]\nonly: {only}\n"
    with pytest.raises(ConfigError) as caught:
        mva.preview(written(tmp_path, text))
    assert said in str(caught.value)
