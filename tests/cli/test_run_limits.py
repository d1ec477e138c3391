"""Limits of a whole run, and the estimate before it."""

import json

import pytest
from fake import wires
from fake.replies import error, raw, text

from medvision_agent.eval.store.read import open_run

ANSWER = text("<think>so</think><answer>10.0</answer>")  # 1000 tokens in, 60 out: 0.0016 US dollars as priced here


def words(data, models, out, *more):
    common = ("run", "--model", "fake-openai", "--models", models, "--data", data, "--tools", "off", "--out", out)
    return (*common, "--max-connections", 1, *more)


async def test_a_run_stops_at_its_cost_and_goes_on_with_a_higher_one(server, data, models, call, tmp_path):
    server.script([ANSWER] * 12)
    code, _, err = await call(*words(data, models, tmp_path / "run", "--max-cost", 0.0048))
    assert code == 1
    assert "0.0048 US dollars are used up" in err
    assert "9 samples are left" in err
    assert "--resume, with a higher limit or without it" in err
    assert len(open_run(tmp_path / "run").records) == 3
    code, out, err = await call(*words(data, models, tmp_path / "run", "--max-cost", 1, "--resume"))
    assert code == 0, err
    assert "12 of 12 samples finished" in out
    assert len(server.requests) == 12


async def test_a_run_stops_at_its_tokens(server, data, models, call, tmp_path):
    server.script([ANSWER] * 12)
    code, _, err = await call(*words(data, models, tmp_path / "run", "--max-tokens", 2120))
    assert code == 1
    assert "so far 2,120 tokens" in err
    assert len(server.requests) == 2


@pytest.mark.parametrize("usage", [{}, {"prompt_tokens": None, "completion_tokens": None}, {"total_tokens": 110}])
async def test_a_service_that_reports_no_usage_cannot_be_held_to_a_cost(usage, server, data, models, call, tmp_path):
    body = wires.answer("chat", ANSWER, 1) | {"usage": usage}
    server.script([ANSWER, ANSWER, *[raw(body)] * 10])
    code, out, err = await call(*words(data, models, tmp_path / "run", "--max-cost", 1))
    assert code == 1
    assert "stopped: the service reports no token counts (1 of 3 replies came without)" in err
    assert "with a higher limit or without it" in err
    assert len(server.requests) == 3
    assert "usage unreported for 1 sample" in (said := " ".join(out.split()))
    assert "too low for 1 sample with unreported usage" in said


async def test_a_call_that_a_service_answers_by_an_error_is_estimated(server, data, models, call, tmp_path):
    refused = error(400, "Failed to call a function.", code="tool_use_failed")
    server.script([ANSWER, refused, *[ANSWER] * 10])
    code, _, err = await call(*words(data, models, tmp_path / "run", "--max-tokens", 4 * 1060))
    assert code == 1
    assert "so far 4,240 tokens" in err
    assert "1 unreadable call without a count estimated at the dearest sample" in " ".join(err.split())
    assert len(server.requests) == 4


async def test_offline_models_have_no_cost_and_no_tokens(data, call, tmp_path):
    words = ("run", "--model", "baseline-prior", "--data", data, "--tools", "off", "--out", tmp_path / "run")
    code, _, err = await call(*words, "--max-cost", 1)
    assert code == 2
    assert "works offline and costs nothing" in err
    code, out, err = await call(*words, "--max-tokens", 1)
    assert code == 0, err
    assert "--max-tokens has no effect" in err
    assert "unreported" not in out


async def test_a_limit_reached_with_the_last_sample_stops_nothing(server, data, models, call, tmp_path):
    server.script([ANSWER] * 12)
    code, _, err = await call(*words(data, models, tmp_path / "run", "--max-tokens", 12 * 1060))
    assert code == 0, err


async def test_a_cost_needs_prices(data, models, call, tmp_path):
    models.write_text(models.read_text().replace("  prices: {input: 1.0, output: 10.0}\n", ""))
    code, _, err = await call(*words(data, models, tmp_path / "run", "--max-cost", 1))
    assert code == 2
    assert "add the key `prices`" in err
    assert not (tmp_path / "run").exists()


async def test_a_dry_run_asks_nothing_and_needs_no_key(server, data, models, call, tmp_path):
    code, out, err = await call(*words(data, models, tmp_path / "run", "--dry-run", "--verbose"), OPENAI_API_KEY="")
    assert code == 0, err
    assert "Landmark 1: start 0" in out
    assert "12 samples (distance 12), 4 subjects" in out
    assert not server.requests
    assert not (tmp_path / "run").exists()


async def test_an_estimate_counts_the_turns_a_condition_asks_for(data, models, call, tmp_path):
    said = {}
    for tools in ("off", "again:3"):
        common = ("run", "--model", "fake-openai", "--models", models, "--data", data, "--tools", tools)
        _, out, _ = await call(*common, "--dry-run", "--json")
        (said[tools],) = json.loads(out)["spending"]
    assert said["again:3"]["basis"] == "4 model calls a sample"
    assert said["again:3"]["output_tokens"] == 4 * said["off"]["output_tokens"]
    assert said["again:3"]["input_tokens"] > 4 * said["off"]["input_tokens"]


async def test_a_pilot_gives_measured_means(server, data, models, call, tmp_path):
    server.script([ANSWER] * 2 + [error(400, "no")])
    await call(*words(data, models, tmp_path / "pilot", "--limit", 2))
    pilot = ("--dry-run", "--pilot", tmp_path / "pilot", "--json")
    code, out, err = await call(*words(data, models, tmp_path / "run", *pilot))
    assert code == 0, err
    (row,) = json.loads(out)["spending"]
    assert (row["input_tokens"], row["output_tokens"]) == (12_000, 720)
    assert row["usd"] == (12_000 * 1 + 720 * 10) / 1e6


async def test_a_pilot_without_the_task_is_refused(server, data, models, call, tmp_path):
    code, _, _ = await call("run", "--model", "baseline-prior", "--task", "size", "--limit", 1, "--out", "pilot")
    assert code == 0
    code, _, err = await call(*words(data, models, tmp_path / "run", "--dry-run", "--pilot", "pilot"))
    assert code == 2
    assert "no sample of the task distance" in err


async def test_a_pilot_that_was_asked_otherwise_is_named(server, data, models, call, tmp_path):
    server.script([ANSWER] * 2)
    await call(*words(data, models, tmp_path / "pilot", "--limit", 2))
    common = ("run", "--model", "fake-openai", "--models", models, "--data", data)
    pilot = ("--dry-run", "--pilot", tmp_path / "pilot", "--json")
    assumed = {}
    for tools in ("off", "on"):
        code, out, err = await call(*common, "--tools", tools, *pilot)
        assert code == 0, err
        assumed[tools] = json.loads(out)["assumed"]
    assert assumed["off"].endswith("pilot")
    assert assumed["on"].endswith("WHICH HAD tools off")
