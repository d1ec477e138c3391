"""What stands with a question: what is sent, what tools see of it, what is stored, compared and resumed."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
from fake.replies import calls, text

import medvision_agent as mva
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.models.catalogue import find, load_catalogue
from medvision_agent.errors import ConfigError, StorageError
from medvision_agent.eval.asking.estimate import estimate
from medvision_agent.eval.asking.launch import execute, prepare
from medvision_agent.eval.asking.pictures import check_picture
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.compare.parity import run_parity
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.page import html_page
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.score import score_on_donor, score_record
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.files import picture_path
from medvision_agent.eval.store.read import open_run, read_trace
from medvision_agent.eval.store.verify import verify_run
from medvision_agent.eval.study.schema import VARIES
from medvision_agent.eval.summary.summary import ON_DONOR, summarise
from medvision_agent.tools.view.png import decode_png

ROWS = Path(__file__).parents[3] / "examples" / "published-gemini" / "models.yaml"
KINDS = ["own", "none", "blank", "swapped"]
SIZES = Selection(tasks=("size",))
LOOKS = [
    ("crop", {"x0": 0.2, "y0": 0.2, "x1": 0.8, "y1": 0.8}),
    ("statistics", {"x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.9}),
    ("fit_contour", {"x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.9}),
]


def settings(folder, **more):
    common = {"model": "baseline-cv", "data": "phantom:4:1", "selection": SIZES, "out": folder}
    return Settings.model_validate(common | more)


async def done(folder, **more):
    return await execute(prepare(settings(folder, **more)), watch=Watch(), stop=asyncio.Event())


async def test_the_words_are_the_same_and_no_picture_is_the_samples_own(server, run, tmp_path):
    """What a model is sent by the wire: the same text, and no pixel of what it is asked about."""
    heard, own = {}, {}
    for kind in KINDS:
        server.script([calls(*LOOKS), text("<answer>11, 9</answer>")], by_turn=True)
        chosen = {"data": "phantom:3:1", "selection": {"tasks": ["size"]}, "max_connections": 1}
        ran = await run(folder=kind, picture=kind, overlays=False, probe=False, **chosen)
        first, last = server.requests[0], server.requests[-1]
        record = ran.run.records[0]
        trace = read_trace(tmp_path / kind, record.sample.id)
        asked = next(message["content"] for message in trace["messages"] if message["type"] == "human")
        heard[kind] = asked[-1]["text"]
        own[kind] = [decode_png(picture) for picture in first.pictures]
        assert len(first.pictures) == (kind != "none")
        assert len(last.pictures) == {"none": 0}.get(kind, 2), "the question's and the crop's"
        crop, statistics, fit = (
            json.loads(call["text"]) if call["ok"] else call["text"] for call in trace["tool_calls"]
        )
        assert (crop["picture"] == "withheld") == (kind == "none")
        assert crop["view"] == "v1"
        if kind in {"none", "blank"}:
            assert (statistics["minimum"], statistics["maximum"], statistics["units"]) == (
                128,
                128,
                "grey levels 0-255",
            )
            assert fit.startswith("Error: nothing found")
        assert (record.v0_sha256 == "") == (kind == "none")
        server.requests.clear()
    assert len(set(heard.values())) == 1
    assert len({one[0].shape for one in own.values() if one}) == 1
    assert np.ptp(own["blank"][0]) == 0
    assert (own["swapped"][0] != own["own"][0]).mean() > 0.5


@pytest.mark.parametrize("kind", KINDS[1:])
async def test_arms_with_and_without_tools_are_alike(tmp_path, kind):
    off, on, own = [
        await done(tmp_path / name, picture=picture, tools=tools, model="baseline-prior")
        for name, picture, tools in (("off", kind, "off"), ("on", kind, "on"), ("own", "own", "off"))
    ]
    assert run_parity(off, on) == []
    lines = run_parity(own, off)
    assert lines[0].startswith(("donors_sha256: ", "picture: "))
    assert run_parity(own, off, free=VARIES["picture"].changes) == []
    assert f"picture {kind}" in " ".join(off.facts)
    assert [one.response for one in off.records] == [one.response for one in own.records]
    again = await done(tmp_path / "on", picture=kind, tools="on", model="baseline-prior", resume=True)
    assert again.records == on.records
    with pytest.raises(StorageError, match="picture"):
        await done(tmp_path / "on", tools="on", model="baseline-prior", resume=True)


async def test_a_policy_that_looks_has_nothing_to_say_without_a_picture(tmp_path):
    ran = await done(tmp_path / "run", picture="none")
    assert {one.response for one in ran.records} == {"There is no picture to look at."}
    assert summarise(ran.records, PROTOCOLS["medvision-1.2"]).tasks["size"].parsed == 0


async def test_swapped_answers_fit_the_picture_that_was_shown(tmp_path):
    """A policy that measures what it sees is right about the donor, and only by chance about the sample."""
    rules = PROTOCOLS["medvision-1.2"]
    own, swapped = [await done(tmp_path / kind, picture=kind, data="phantom:12:3") for kind in ("own", "swapped")]
    ids = {one.sample.id: one.sample for one in own.records}
    found = summarise(swapped.records, rules).tasks["size"]
    for record in swapped.records:
        assert record.donor.sample in ids
        assert record.sample.target == ids[record.sample.id].target
    losses = [np.mean([score(one, rules).loss for one in swapped.records]) for score in (score_record, score_on_donor)]
    assert found.metrics["loss"].mean == pytest.approx(losses[0])
    assert found.references[ON_DONOR]["loss"].mean == pytest.approx(losses[1])
    assert losses[1] < 0.5 * losses[0]
    assert summarise(own.records, rules).tasks["size"].references == {}
    # The donor's picture at the pixels of the sample, whoever's they were.
    for record in swapped.records:
        sent = [
            decode_png(picture_path(ran.folder, one.v0_sha256).read_bytes())
            for ran in (own, swapped)
            for one in ran.records
            if one.sample.id == record.sample.id
        ]
        assert sent[0].shape == sent[1].shape


async def test_swapping_depends_on_the_seed_and_not_on_who_was_asked_before(tmp_path):
    whole = await done(tmp_path / "whole", picture="swapped", model="baseline-prior")
    donors = {one.sample.id: one.donor.sample for one in whole.records}
    bounded = settings(tmp_path / "part", picture="swapped", model="baseline-prior", max_connections=1)
    stop = asyncio.Event()
    await execute(prepare(bounded), watch=Watch(on_record=lambda _: stop.set()), stop=stop)
    assert 0 < len(open_run(tmp_path / "part").records) < 4
    rest = await execute(prepare(bounded.but(resume=True)), watch=Watch(), stop=asyncio.Event())
    assert {one.sample.id: one.donor.sample for one in rest.records} == donors
    other = bounded.but(resume=True, selection=Selection(tasks=("size",), seed=5))
    with pytest.raises(StorageError, match="donors_sha256"):
        await execute(prepare(other), watch=Watch(), stop=asyncio.Event())


async def test_who_has_no_donor_is_counted_and_not_asked(tmp_path):
    chosen = {"data": "demo", "model": "baseline-prior", "selection": Selection(tasks=("size",))}
    own, swapped = [await done(tmp_path / kind, picture=kind, **chosen) for kind in ("own", "swapped")]
    assert {one.label for one in own.samples} - {one.label for one in swapped.samples} == {
        "brain tumour",
        "breast lesion",
    }
    left = len(own.samples) - len(swapped.samples)
    assert f"{left} samples without such a subject left out" in " ".join(swapped.facts)
    assert swapped.config["without_donor"] == left
    assert run_parity(own, swapped, free=VARIES["picture"].changes) == [], "they were chosen alike"
    alone = Selection(tasks=("angle",))
    with pytest.raises(ConfigError, match="so no images can be swapped"):
        prepare(settings(tmp_path / "alone", **(chosen | {"selection": alone, "picture": "swapped"})))


def test_tools_that_are_told_the_truth_go_with_the_own_picture(tmp_path):
    with pytest.raises(ConfigError, match="--picture blank: the sample's own image is not shown, but"):
        prepare(settings(tmp_path, tools="segment@oracle", picture="blank"))
    replay = find("published-literal", load_catalogue(ROWS))
    with pytest.raises(ConfigError, match="repeats a published experiment"):
        check_picture("none", "published-literal", replay, Condition.parse("off"))


def test_an_estimate_counts_no_picture_where_none_is_sent(tmp_path):
    tokens = [estimate(prepare(settings(tmp_path, picture=one, tools="off"))).spending[0].input_tokens for one in KINDS]
    assert tokens[0] == tokens[2] == tokens[3] > tokens[1]


async def test_stored_runs_of_every_picture_are_read_as_any_other(tmp_path):
    """Report, tables, check of damage, and the names of arms."""
    folders = []
    for kind in KINDS:
        for tools in ("off", "on"):
            folders.append(tmp_path / f"{tools}-{kind}")
            await done(folders[-1], picture=kind, tools=tools)
            assert verify_run(folders[-1]).damage == ()
    (chapter,) = collect(folders).chapters
    assert chapter.arms[:4] == ("off", "on", "off, picture none", "on, picture none")
    assert [(one.a, one.b) for one in chapter.contrasts] == [("off", "on")], "others differ in more than their tools"
    assert {picture.contrast for picture in chapter.pictures} <= {"off -> on"}
    assert html_page(collect(folders))
    rows = mva.load(tmp_path / "on-swapped").samples().to_dict("records")
    assert all(row["donor"].startswith("phantom_") and row["donor"] != row["id"] for row in rows)
    assert set(mva.load(tmp_path / "on-none").samples().donor.dropna()) <= {""}
