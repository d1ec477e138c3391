"""Arms that are made from another arm's answers: what they ask and when, kills included, and what is scored."""

import json
import signal
import sqlite3
from collections import defaultdict

import pytest
from fake.replies import HANG, calls, text
from fake.servers import turn_of

from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.read import open_run, read_trace
from medvision_agent.eval.store.seal import records_in, set_tally, tally_of
from medvision_agent.eval.study.plan import read_plan

CROP = ("crop", {"view": "v0", "x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.9})
RULER = ("ruler", {"view": "v0", "x0": 0.25, "y0": 0.5, "x1": 0.75, "y1": 0.5})
WRONG = ("ruler", {"view": "v9", "x0": 0.25, "y0": 0.5, "x1": 0.75, "y1": 0.5})
MATCHED = "base: {tools: 'crop,ruler'}\ndesigns: [matched]\n"
RESULT_ONLY = "base: {tools: 'crop,ruler'}\ndesigns: [result-only]\n"


def used(output):
    """Return the usage of a reply with these tokens of output."""
    return {"input": 1000, "output": output, "reasoning": output // 2, "cached": 0}


def answer(number, output=50):
    return text(f"<think>so</think><answer>{number}</answer>", usage=used(output))


@pytest.fixture
def study(tmp_path, data, models):
    """Return a function that writes a study file whose model draws its answers."""
    models.write_text(models.read_text().replace("  max_tries: 2\n", "  max_tries: 2\n  temperature: 0.7\n"))

    def written(more, connections=1):
        path = tmp_path / "study.yaml"
        head = "name: t\nmodels: [fake-openai]\nmodels_file: models.yaml\ndata: samples.jsonl\nlimit: 2\n"
        path.write_text(f"{head}max_connections: {connections}\n{more}", encoding="utf-8")
        return path

    return written


def drawing(answers, on=("<answer>10.0</answer>", 170)):
    """Return a server: with tools it calls two and answers, without it draws one of *answers* after the other."""
    drawn = defaultdict(int)

    def rule(request):
        said, output = on
        if request.body.get("tools"):
            first = {**calls(CROP, RULER, WRONG), "usage": used(0 if output < 20 else 10)}
            return first if turn_of(request) == 0 else text(said, usage=used(output - 10))
        key = json.dumps(request.body["messages"][1])
        reply = answers[min(drawn[key], len(answers) - 1)]
        drawn[key] += 1
        return reply

    return rule


def run_of(folder, arm, epoch=1):
    plan = read_plan(folder)
    return open_run(next(folder / cell.folder for cell in plan.cells if (cell.arm, cell.epoch) == (arm, epoch)))


async def test_answers_are_drawn_until_they_cost_what_on_spent_and_their_median_is_scored(
    server, study, call, tmp_path
):
    # Of the first sample `off` is asked first, of the second `on`: its draws come before the single answer.
    server.behave(drawing([answer(n) for n in (99, 12, 7, 8, 30)]))
    code, out, err = await call("ablate", study(MATCHED), "--out", "s")
    assert code == 0, err + out
    matched, on = run_of(tmp_path / "s", "matched"), run_of(tmp_path / "s", "on")
    assert [record.usage.output for record in on.records] == [170, 170]
    assert [record.draws for record in matched.records] == [4, 4]  # 3 x 50 are less than 170
    assert [record.response for record in matched.records] == ["<answer>10</answer>", "<answer>10</answer>"]
    assert [record.usage.output for record in matched.records] == [200, 200]
    assert [record.attempt for record in matched.records] == [5, 5]
    assert [(one.sample.id, one.attempt) for one in matched.draws] == [
        (s, n) for n in (1, 2, 3, 4) for s in ("s0", "s1")
    ]
    assert matched.spent_usd == pytest.approx(8 * (1000 * 1 + 50 * 10) / 1e6)
    for rules in PROTOCOLS.values():
        assert [score_record(record, rules).loss for record in matched.records] == [0, 0]
    assert [m["content"] for m in read_trace(matched.folder, "s0")["messages"]] == [
        one.response for one in matched.draws[::2]
    ]
    assert len(server.requests) == 2 * (1 + 2 + 4)
    assert (await call("verify", "s"))[0] == 0
    before = len(server.requests)
    assert (await call("ablate", study(MATCHED), "--out", "s"))[0] == 0
    assert len(server.requests) == before


async def test_killed_between_draws_none_is_asked_again(server, study, start, call, tmp_path):
    words, rule = ("ablate", study(MATCHED), "--out", "s"), drawing([answer(10)])
    stops = iter((5, 3))
    for stop in stops:  # in the middle of the first sample's draws, and of the last request of them
        first = len(server.requests)
        server.behave(lambda request, last=first + stop: HANG if len(server.requests) >= last else rule(request))
        process = await start(*words)
        await server.wait_for(first + stop)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        assert len(server.requests) == first + stop
    stored = run_of(tmp_path / "s", "matched")
    assert (len(stored.records), [one.attempt for one in stored.draws]) == (0, [1, 2, 3])
    assert stored.spent_usd == pytest.approx(3 * 0.0015)
    assert stored.pending()[0][1] == 4
    assert (await call("verify", "s"))[0] == 0
    assert (await call("score", stored.folder))[0] == 0
    server.behave(rule)
    code, _, err = await call(*words)
    assert code == 0, err
    assert len(server.requests) == 2 * (1 + 2 + 4) + 2  # what was in flight, and nothing else
    stored = run_of(tmp_path / "s", "matched")
    assert [(record.draws, record.attempt) for record in stored.records] == [(4, 5), (4, 5)]


async def test_enough_draws_on_disk_are_combined_without_a_request(server, study, start, call, tmp_path):
    """A kill between the last draw and what is made of it."""
    words, rule = ("ablate", study(MATCHED), "--out", "s"), drawing([answer(10)])
    server.behave(rule)
    assert (await call(*words))[0] == 0
    run = run_of(tmp_path / "s", "matched")
    with sqlite3.connect(run.folder / "run.sqlite", isolation_level=None) as database:
        database.execute("DELETE FROM record WHERE attempt = 5")
        set_tally(database, tally_of(database, [one.sha256 for one in records_in(database)]))
    database.close()
    assert len(run_of(tmp_path / "s", "matched").pending()) == 2
    before = len(server.requests)
    assert (await call(*words))[0] == 0
    assert len(server.requests) == before
    assert [one.response for one in run_of(tmp_path / "s", "matched").records] == [one.response for one in run.records]


async def test_a_mean_number_of_answers_waits_for_all_of_the_others(server, study, call, tmp_path):
    more = MATCHED.replace("[matched]", "['matched:mean']")
    spent = {0: 70, 1: 230}  # 300 in all, where two single answers cost 100: 3 each

    def rule(request):
        (number,) = server.asked(len(server.requests) - 1)
        return drawing([answer(10)], on=("<answer>10.0</answer>", spent[number]))(request)

    server.behave(rule)
    code, _, err = await call("ablate", study(more, connections=3), "--out", "s")
    assert code == 0, err
    stored = run_of(tmp_path / "s", "matched:mean")
    assert [record.draws for record in stored.records] == [3, 3]
    assert [bool(request.body.get("tools")) for request in server.requests[-6:]] == [False] * 6


async def test_at_most_64_answers_and_a_single_one_where_nothing_was_spent(server, study, call, tmp_path):
    server.behave(drawing([answer(10, output=1)], on=("<answer>10.0</answer>", 20)))
    more = f"{MATCHED}limits: {{tokens: 1000000}}\n".replace("limit: 2", "limit: 1")
    server.behave(drawing([answer(10, output=1)], on=("<answer>10.0</answer>", 900)))
    code, _, err = await call("ablate", study(more), "--out", "s")
    assert code == 0, err
    assert [record.draws for record in run_of(tmp_path / "s", "matched").records] == [64, 64]


async def test_under_half_answered_is_a_failure(server, study, call, tmp_path):
    none = text("I cannot tell.", usage=used(50))
    server.behave(drawing([none, none, none, none, answer(10)]))
    assert (await call("ablate", study(MATCHED), "--out", "s"))[0] == 0
    first, second = run_of(tmp_path / "s", "matched").records
    assert (first.outcome, first.response, first.detail) == (
        "no_answer",
        "",
        "1 of 4 answers drawn could be read, under half",
    )
    assert second.detail == "0 of 4 answers drawn could be read, under half"


async def test_a_budget_stops_between_draws_and_a_higher_one_goes_on(server, study, call, tmp_path):
    server.behave(drawing([answer(10)]))
    code, out, err = await call("ablate", study(MATCHED), "--out", "s", "--max-tokens", 6000)
    assert code == 1, err
    assert "tokens are used up" in out + err
    asked = len(server.requests)
    assert asked < 14
    assert (await call("ablate", study(MATCHED), "--out", "s", "--max-tokens", 60000))[0] == 0
    assert len(server.requests) == 14


async def test_results_are_handed_back_with_the_question_and_nothing_else(server, study, call, tmp_path):
    server.behave(drawing([answer(20)]))
    code, out, err = await call("ablate", study(RESULT_ONLY), "--out", "s")
    assert code == 0, err
    on, own = run_of(tmp_path / "s", "on"), run_of(tmp_path / "s", "result-only")
    asked = [request for request in server.requests if "Tool output for this question" in json.dumps(request.body)]
    assert len(asked) == 2
    for request, record in zip(asked, own.records, strict=True):
        assert not request.body.get("tools")
        results = [call for call in read_trace(on.folder, record.sample.id)["tool_calls"] if call["ok"]]
        said = json.dumps(request.body["messages"]).replace("\\\\", "\\").replace('\\"', '"')
        assert [call["tool"] for call in results] == ["crop", "ruler"]
        assert all(call["text"] in said for call in results)
        assert "v9" not in said
        assert "10.0" not in said
        assert len(request.pictures) == 1 + sum(call["picture"] is not None for call in results)
        assert "[picture 2]" in said
        assert record.prompt_sha256 == next(
            one.prompt_sha256 for one in on.records if one.sample.id == record.sample.id
        )
    assert [record.pictures for record in own.records] == [record.pictures for record in on.records] == [3, 3]
    assert (await call("verify", "s"))[0] == 0
