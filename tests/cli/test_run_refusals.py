"""A server that refuses request after request: no sample is charged with it, and the run stops and says so."""

import json

import pytest
from fake.replies import calls, error, text

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.store.read import open_run

ANSWER = text("<think>so</think><answer>10.0</answer>")
CROP = calls(("crop", {"view": "v0", "x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.9}))
SPACING = calls(("pixel_spacing", {"view": "v0"}))
ONE_PICTURE = error(400, "At most 1 image(s) may be provided in one request.")


@pytest.fixture
def words(data, models, tmp_path):
    out = tmp_path / "run"
    return ("run", "--model", "fake-openai", "--models", models, "--data", data, "--tools", "on", "--out", out)


@pytest.fixture
def ruled(server):
    """Return a function that has the server answer by a rule of its own, and by its script where that says nothing."""
    scripted = server._next

    def rule(judge):
        server._next = lambda request: judge(request) or scripted(request)

    return rule


def number_of(request) -> int:
    """Return which sample a request is about."""
    body = json.dumps(request.body)
    return next(number for number in range(12) if f"Landmark 1: start {number}\\n" in body)


def one_picture(request):
    return ONE_PICTURE if len(request.pictures) > 1 else None


async def test_a_single_sample_is_no_result_either(server, ruled, words, call, tmp_path):
    ruled(one_picture)
    server.script([CROP, ANSWER], by_turn=True)
    code, out, err = await call(*words, "--limit", 1, "--json")
    assert code == 1
    assert "At most 1 image(s)" in err
    summary = json.loads(out)["summary"]
    assert (summary["n"], summary["infrastructure"]) == (0, 1)
    assert open_run(tmp_path / "run").records[0].outcome is Outcome.UNSUPPORTED


@pytest.mark.parametrize("connections", [1, 4])
async def test_the_run_stops_with_the_servers_sentence_and_goes_on_when_it_is_mended(
    connections, server, ruled, words, call, tmp_path
):
    ruled(one_picture)
    server.script([CROP, ANSWER], by_turn=True)
    code, _, err = await call(*words, "--max-connections", connections)
    assert code == 2
    assert "At most 1 image(s) may be provided in one request." in err
    assert "--resume" in err
    run = open_run(tmp_path / "run")
    assert {record.outcome for record in run.records} == {Outcome.UNSUPPORTED}
    assert 5 <= len(run.records) <= 5 + connections - 1
    assert len(run.superseded) == 1, "one was asked again, alone"
    assert len(run.pending()) == 12
    ruled(lambda request: None)
    code, _, err = await call(*words, "--max-connections", connections, "--resume")
    assert code == 0, err
    assert {record.outcome for record in open_run(tmp_path / "run").records} == {Outcome.ANSWERED}


@pytest.mark.parametrize("connections", [1, 4])
async def test_also_where_other_samples_were_taken_in_that_place(connections, server, ruled, words, call, tmp_path):
    """Every other sample calls a tool without a picture, and is answered."""

    def judge(request):
        if len(request.body["messages"]) == 2:
            return CROP if number_of(request) % 2 else SPACING
        return one_picture(request)

    ruled(judge)
    server.script([ANSWER], by_turn=True)
    code, _, err = await call(*words, "--max-connections", connections)
    assert code == 2
    assert "At most 1 image(s)" in err
    outcomes = {record.sample.id: record.outcome for record in open_run(tmp_path / "run").records}
    expected = {f"s{number}": Outcome.UNSUPPORTED if number % 2 else Outcome.ANSWERED for number in range(12)}
    assert outcomes.items() <= expected.items()


async def test_a_run_goes_on_where_the_probe_is_taken(server, words, call, tmp_path):
    """The server has recovered: whoever was refused is asked again at once."""
    server.script([*[CROP, ONE_PICTURE] * 5, *[CROP, ANSWER] * 12])
    code, _, err = await call(*words, "--max-connections", 1)
    assert code == 0, err
    run = open_run(tmp_path / "run")
    assert [record.outcome for record in run.records] == [Outcome.ANSWERED] * 12
    assert {record.sample.id for record in run.superseded} == {f"s{number}" for number in range(5)}
    assert [record.sample.id for record in run.records if record.attempt == 2] == [f"s{number}" for number in range(5)]


@pytest.mark.parametrize("connections", [1, 4, 12])
async def test_one_sample_refused_at_its_first_request_stops_nothing(connections, server, ruled, words, call, tmp_path):
    """The result is the same whichever sample is first."""
    ruled(lambda request: error(400, "your image is bad") if number_of(request) == 0 else None)
    server.script([ANSWER], by_turn=True)
    code, _, err = await call(*words, "--max-connections", connections)
    assert code == 0, err
    outcomes = [record.outcome for record in open_run(tmp_path / "run").records]
    assert outcomes == [Outcome.REJECTED] + [Outcome.ANSWERED] * 11


@pytest.mark.parametrize("connections", [1, 12])
async def test_first_requests_that_are_all_refused_are_stored_nowhere(connections, server, words, call, tmp_path):
    server.script([error(400, "no such setting")], by_turn=True)
    code, _, err = await call(*words, "--max-connections", connections)
    assert code == 2
    assert "calls the first requests invalid, so the run stops; check the settings of the model" in err
    assert "no such setting" in err
    assert not (tmp_path / "run").exists()
