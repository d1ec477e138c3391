"""A study in several wordings: the same ones in all arms, drawn by seed, with the tools in an order of their own."""

import json
import re
from collections import defaultdict

import pytest
from click.testing import CliRunner
from told.printed import sentences

from medvision_agent.agent.condition import Condition
from medvision_agent.cli.main import cli
from medvision_agent.errors import ConfigError
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.study.load import read_study
from medvision_agent.eval.study.parity import check_parity
from medvision_agent.eval.study.plan import read_plan
from medvision_agent.prompts.paraphrase import draw_wordings

HEAD = "name: s\nmodels: [baseline-cv]\ntasks: [size]\nlimit: 2\nlimit_by: subject\nseed: 4\n"
STUDY = HEAD + "prompts: 3\nepochs: 2\nbase: {tools: 'crop,ruler,fit_contour'}\n"
STUDY += "designs: [on-off, repeat]\n"
DRAWN = draw_wordings(3, 4)


def ablate(folder, text, *words):
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return CliRunner().invoke(cli, ["ablate", str(path), *map(str, words)])


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prompts")
    done = ablate(folder, STUDY, "--out", folder / "s", "--verbose")
    assert done.exit_code == 0, done.output
    assert re.search(r"^model +arm +wording +epoch ", done.output, re.MULTILINE)
    return folder / "s"


def test_every_arm_asks_every_sample_in_the_same_wordings(stored):
    plan = read_plan(stored)
    assert plan.study["prompts"] == 3
    cells = [(cell.arm, cell.wording, cell.epoch) for cell in plan.cells]
    arms = ("off", "on", "on-repeat")
    assert cells == [(arm, wording, epoch) for arm in arms for wording in DRAWN for epoch in (1, 2)]
    asked, words, hashes = defaultdict(set), defaultdict(set), defaultdict(set)
    for cell in plan.cells:
        run = open_run(stored / cell.folder)
        assert (run.identity.wording, run.identity.tool_order) == (cell.wording, 4)
        assert (run.identity.wording_sha256 is None) == (cell.wording == 0)
        for record in run.records:
            asked[record.sample.id, cell.wording].add(record.prompt_sha256)
            words[record.sample.id].add(record.prompt_sha256)
        hashes[cell.wording].add(run.identity.wording_sha256)
    assert len({one for (one,) in hashes.values()}) == 3
    assert {len(own) for own in asked.values()} == {1}
    assert {len(own) for own in words.values()} == {3}
    assert check_parity(stored) == []


def test_the_order_of_tools_is_drawn_for_each_sample_and_wording_and_recorded(stored):
    orders = defaultdict(dict)
    for cell in read_plan(stored).cells:
        for record in open_run(stored / cell.folder).records:
            orders[cell.arm, cell.epoch][record.sample.id, cell.wording] = record.tool_order
    assert orders["on", 1] == orders["on", 2] == orders["on-repeat", 1]
    assert len(set(orders["on", 1].values())) > 2
    assert {frozenset(order) for order in orders["on", 1].values()} == {frozenset({"crop", "ruler", "fit_contour"})}
    assert set(orders["off", 1].values()) == {()}


def test_tools_that_two_conditions_share_stand_in_the_same_order():
    many, few = Condition.parse("on"), Condition.parse("crop,ruler,fit_contour")
    for draw in map(str, range(20)):
        order = [tool.name for tool in few.shuffled(draw).tools]
        assert [tool.name for tool in many.shuffled(draw).tools if tool.name in order] == order
    assert len({tuple(tool.name for tool in many.shuffled(str(draw)).tools) for draw in range(20)}) == 20


def test_wordings_are_averaged_within_the_sample_and_the_report_says_so(stored):
    (chapter,) = collect([stored]).chapters
    (data,) = chapter.tasks
    assert {(one.arm, one.wordings, one.epochs, one.n) for one in data.arms} == {
        (arm, 3, 2, 2) for arm in ("off", "on", "on-repeat")
    }
    contrast = next(one for one in chapter.contrasts if one.name == "off -> on")
    assert contrast.tests["size"].primary.n == 2
    assert contrast.noise["size"].repeat == "on -> on-repeat"
    assert contrast.noise["size"].difference == 0
    found = {(one.what, one.found.wordings, one.found.repetitions, one.found.n) for one in chapter.spread}
    assert ("off", 3, 2, 2) in found
    assert ("off -> on", 3, 2, 2) in found
    said = sentences(chapter)
    assert any("two identical runs (on -> on-repeat) differ by 0.000" in line for line in said)
    assert any(line.startswith("off -> on, size: the difference of one sample") for line in said)
    assert f"on, wording {DRAWN[1]}, epoch 2" in [run.arm for run in chapter.runs]


def test_the_dry_run_counts_every_wording(tmp_path):
    once = json.loads(ablate(tmp_path, f"{HEAD}designs: [on-off]\n", "--dry-run", "--json").output)
    many = json.loads(
        ablate(tmp_path, f"{HEAD}prompts: 3\nepochs: 2\ndesigns: [on-off]\n", "--dry-run", "--json").output
    )
    assert [(cell["wordings"], cell["epochs"]) for cell in many["cells"]] == [(3, 2), (3, 2)]
    for one, three in zip(once["cells"], many["cells"], strict=True):
        # The words differ in length by a little.
        assert three["spending"][0]["input_tokens"] == pytest.approx(3 * one["spending"][0]["input_tokens"], rel=0.05)
    assert many["least"]["output_tokens"] == 6 * once["least"]["output_tokens"]


def test_without_the_key_nothing_is_drawn(tmp_path):
    done = ablate(tmp_path, f"{HEAD}designs: [on-off]\n", "--out", tmp_path / "s")
    assert done.exit_code == 0, done.output
    assert "wording" not in done.output
    cells = read_plan(tmp_path / "s").cells
    assert [(cell.wording, cell.folder) for cell in cells] == [
        (None, f"cells/baseline-cv--{arm}--1") for arm in ("off", "on")
    ]
    run = open_run(tmp_path / "s" / cells[1].folder)
    assert (run.identity.wording, run.identity.tool_order, run.records[0].tool_order) == (0, None, ())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "prompts: 3\nbase: {prompt_file: p.yaml}",
            "prompts: with 3, the study itself draws the wording and the order of the tools, but an",
        ),
        ("prompts: 2\narms: {a: {wording: 3}}", "or the base states `wording`; leave out `prompts` or `wording`"),
        (
            "prompts: 2\narms: {a: {tool_order: 3}}",
            "or the base states `tool_order`; leave out `prompts` or `tool_order`",
        ),
        ("prompts: 10", "prompts: Input should be less than or equal to 9"),
        ("base: {wording: 9}", "base.wording: Input should be less than 9"),
    ],
)
def test_what_excludes_each_other_is_said(tmp_path, more, said):
    (tmp_path / "s.yaml").write_text(f"{HEAD}designs: [on-off]\n{more}\n")
    with pytest.raises(ConfigError, match=re.escape(said)):
        read_study(tmp_path / "s.yaml")


def test_an_arm_can_vary_the_wording_and_a_run_can_have_one(tmp_path):
    more = "arms: {other: {wording: 5}}\ndesigns: [on-off]\ncontrasts: [{a: 'on', b: other, varies: [wording]}]\n"
    done = ablate(tmp_path, HEAD + more, "--out", tmp_path / "s")
    assert done.exit_code == 0, done.output
    assert check_parity(tmp_path / "s") == []
    run = ["run", "--model", "baseline-cv", "--task", "size", "--limit", "1", "--wording"]
    (tmp_path / "p.yaml").write_text("size: How long? <answer>mm</answer>\n")
    refused = CliRunner().invoke(cli, [*run, "3", "--prompt-file", str(tmp_path / "p.yaml"), "--out", "x"])
    assert isinstance(refused.exception, ConfigError)
    assert "give one of the two" in str(refused.exception)
    refused = CliRunner().invoke(cli, [*run, "9", "--out", "x"])
    assert (refused.exit_code, "Invalid value for '--wording'" in refused.output) == (2, True)
