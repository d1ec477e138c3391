"""Whole runs with variants: told the ground truth, and labelled so; a server that fails and recovers."""

import asyncio
import json
import socket

import pytest
import segmenters
from identities import an_identity

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.launch import execute, prepare
from medvision_agent.eval.asking.rerun import changes
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.compare.parity import parity
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.read import open_run, read_trace
from medvision_agent.eval.summary.claims import no_claim

CALL = [{"name": "segment", "args": {"x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.9}}]
SIZES, BOXES = Selection(tasks=("size",), limit=2), Selection(tasks=("detection",), limit=1)


@pytest.fixture
def asked(tmp_path):
    """Return a function that has a scripted model call ``segment`` once; returns the stored run."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps([CALL, "<answer>1, 1</answer>"]))

    async def ask(tools, folder="run", selection=SIZES, **settings):
        fields = {"model": "scripted", "script": str(script), "data": "phantom:3", "selection": selection}
        prepared = prepare(Settings(tools=tools, out=tmp_path / folder, **fields | settings))
        await execute(prepared, watch=Watch(), stop=asyncio.Event())
        return open_run(tmp_path / folder)

    return ask


def replies(run):
    """Return the results of the calls of every sample."""
    traces = [read_trace(run.folder, record.sample.id) for record in run.records]
    return [json.loads(trace["tool_calls"][0]["text"]) for trace in traces]


async def test_a_tool_that_is_told_the_truth_measures_it(asked):
    run = await asked("segment@oracle")
    for record, reply in zip(run.records, replies(run), strict=True):
        assert (reply["major_mm"], reply["minor_mm"]) == pytest.approx(record.sample.target, rel=0.015)
    (reply,) = replies(boxes := await asked("segment@oracle", "boxes", BOXES))
    box = [reply[f"v0_box_{corner}"] for corner in ("x0", "y0", "x1", "y1")]
    assert box == pytest.approx(boxes.records[0].sample.target, abs=1e-3)


async def test_an_image_that_is_resampled_keeps_its_truth(asked):
    run = await asked("segment@oracle", reshape=(300, 200))
    for record, reply in zip(run.records, replies(run), strict=True):
        assert (reply["major_mm"], reply["minor_mm"]) == pytest.approx(record.sample.target, rel=0.015)


async def test_a_stated_amount_of_noise_is_the_same_in_every_run(asked):
    noisy, again, exact = [
        await asked(f"segment@{v}", f"run-{i}") for i, v in enumerate(("noise:0.3", "noise:0.3", "oracle"))
    ]
    assert replies(noisy) == replies(again)
    assert all(a["area_mm2"] != b["area_mm2"] for a, b in zip(replies(noisy), replies(exact), strict=True))


async def test_an_arm_that_is_told_the_truth_says_so_everywhere(asked):
    run = await asked("blind/segment@oracle")
    assert run.identity.condition == "blind:all/segment@oracle"
    assert run.identity.told_truth == ("segment@oracle",)
    assert any(line.startswith("TOLD THE GROUND TRUTH: segment@oracle.") for line in run.facts)
    assert no_claim([run])[0] == "segment@oracle was told the ground truth"
    assert "major_mm" in replies(run)[0], "withheld like any result"
    assert replies(run)[0]["major_mm"] == "withheld"


async def test_samples_without_a_true_outline_are_refused_by_name(asked):
    with pytest.raises(ConfigError, match=r"of 3 samples gives none \(distance; the first is 'phantom_"):
        await asked("segment@oracle", selection=Selection(tasks=("distance", "size")))


async def test_bad_arguments_stay_errors(asked, tmp_path):
    (tmp_path / "bad.json").write_text(
        json.dumps([[{"name": "segment", "args": {"x0": 0.1}}], "<answer>1, 1</answer>"])
    )
    run = await asked("segment@oracle", script=str(tmp_path / "bad.json"))
    assert not any(use.ok for record in run.records for use in record.tool_uses)


async def test_a_server_that_fails_leaves_the_sample_to_be_asked_again(asked):
    with segmenters.served() as address:
        run = await asked("segment@server", segmenter=f"{address}/error")
        assert [record.outcome for record in run.records] == [Outcome.TOOL_SERVICE] * 2
        assert all("status 500" in record.detail for record in run.records)
        assert len(run.pending()) == 2
        run = await asked("segment@server", segmenter=f"{address}/good", resume=True)
        assert [record.outcome for record in run.records] == [Outcome.ANSWERED] * 2
        stated = {"variant": "server", "name": "stand-in", "version": "1.0"}
        assert run.identity.tool_variants == {"segment": stated}
        assert run.facts[0].endswith("tools: segment@server (stand-in 1.0)")
        nothing = await asked("segment@server", "nothing", segmenter=f"{address}/nothing")
        assert [record.outcome for record in nothing.records] == [Outcome.ANSWERED] * 2


async def test_a_server_that_is_not_there_is_named_before_the_run(asked, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConfigError, match=f"127.0.0.1:{port}/about.*is the server running"):
        await asked("segment@server", segmenter=f"http://127.0.0.1:{port}")
    assert not (tmp_path / "run").exists()


MADE = {"variant": "server", "name": "stand-in", "version": "1.0"}


@pytest.mark.parametrize(
    ("other", "compared"),
    [
        ({"variant": "watershed"}, True),
        ({**MADE, "name": "another"}, True),
        ({**MADE, "version": "2.0"}, False),
    ],
)
def test_two_versions_of_one_segmenter_are_not_compared(other, compared):
    a, b = (an_identity(condition="c", tools=("segment",), tool_variants={"segment": made}) for made in (MADE, other))
    lines = parity(a.plain(), b.plain(), [], [])
    assert [line.split(":")[0] for line in lines] == ([] if compared else ["tool_variants.segment.version"])
    assert ("tool_variants.segment" in changes(a, b)) is True


def test_a_run_of_an_earlier_version_has_no_variants():
    fields = an_identity().plain()
    del fields["tool_variants"], fields["told_truth"]
    read = Identity.model_validate(fields)
    assert (read.tool_variants, read.told_truth) == ({}, ())
