"""Arms that are made from another arm's answers: what they ask and when, kills included, and what is scored."""

import json
import re
import signal
import sqlite3
from collections import defaultdict
from contextlib import closing

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

    def written(more, connections=1, data="samples.jsonl"):
        path = tmp_path / "study.yaml"
        head = f"name: t\nmodels: [fake-openai]\nmodels_file: models.yaml\ndata: {data}\nlimit: 2\n"
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


async def test_answers_are_drawn_until_they_cost_what_on_spent(server, study, call, tmp_path):
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
    drawn = [(one.sample.id, one.attempt) for one in matched.draws]
    assert drawn == [(sample, number) for number in (1, 2, 3, 4) for sample in ("s0", "s1")]
    assert matched.spent_usd == pytest.approx(8 * (1000 * 1 + 50 * 10) / 1e6)
    for rules in PROTOCOLS.values():
        assert [score_record(record, rules).loss for record in matched.records] == [0, 0]
    said = [message["content"] for message in read_trace(matched.folder, "s0")["messages"]]
    assert said == [one.response for one in matched.draws[::2]]
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
    made = [one.response for one in run.records]
    with closing(sqlite3.connect(run.folder / "run.sqlite", isolation_level=None)) as database, database:
        database.execute("DELETE FROM record WHERE attempt = 5")
        set_tally(database, tally_of(database, [one.sha256 for one in records_in(database)]))
    database.close()
    assert len(run_of(tmp_path / "s", "matched").pending()) == 2
    before = len(server.requests)
    assert (await call(*words))[0] == 0
    assert len(server.requests) == before
    assert [one.response for one in run_of(tmp_path / "s", "matched").records] == made


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


async def test_at_most_64_answers_are_drawn(server, study, call, tmp_path):
    server.behave(drawing([answer(10, output=1)], on=("<answer>10.0</answer>", 900)))
    code, _, err = await call("ablate", study(MATCHED), "--out", "s")
    assert code == 0, err
    assert [record.draws for record in run_of(tmp_path / "s", "matched").records] == [64, 64]


@pytest.mark.parametrize(
    ("more", "row", "expected"),
    [
        (MATCHED, "", "its entry in the catalogue states no temperature"),
        (MATCHED, "temperature: 0", "its temperature is 0"),
        (MATCHED, "temperature: 1\n  seed: 3", "its seed is fixed (3)"),
        ("arms: {matched: {tools: matched}}", "temperature: 1", "an arm called 'on', and the study has none"),
        (
            "arms: {on: {tools: ruler}, matched: {tools: matched}}",
            "temperature: 1",
            "has no arm with one such answer to compare it with",
        ),
        (
            "base: {tools: ruler}\narms: {result-only: {tools: result-only, form: cot}, on: {}}",
            "temperature: 0",
            "but the two also differ in form",
        ),
        (
            "base: {tools: matched}\ndesigns: [on-off]",
            "temperature: 1",
            "but that arm has `tools: matched`; give 'on' tools that the model can call",
        ),
        ("designs: ['matched:thinking']", "temperature: 1", "has no `thinking_budget`; add this key"),
        (
            "designs: ['matched:median']",
            "temperature: 1",
            "expected matched, matched:mean, matched:thinking or matched:enlarged",
        ),
    ],
)
async def test_what_cannot_be_made_is_said_first(server, study, models, call, more, row, expected):
    path = study(more)
    models.write_text(models.read_text().replace("temperature: 0.7", row))
    code, _, err = await call("ablate", path, "--out", "s")
    assert (code, len(server.requests)) == (2, 0)
    assert expected in err


@pytest.mark.parametrize("tools", ["matched", "matched:mean", "matched:enlarged", "result-only"])
async def test_a_single_run_has_no_other_arm_to_be_made_from(data, models, call, tools):
    code, _, err = await call("run", "--model", "fake-openai", "--models", models, "--data", data, "--tools", tools)
    assert code == 2
    assert f"which only a study has; write `designs: ['{tools}']` in a study file" in err


@pytest.mark.parametrize("tools", ["Matched", "matched:median", "matched/crop", "crop,matched", "result-only/crop"])
async def test_such_an_arm_goes_with_no_tools(data, models, call, tools):
    code, _, err = await call("run", "--model", "fake-openai", "--models", models, "--data", data, "--tools", tools)
    assert code == 2
    assert "is not a tool and cannot be combined with tools" in err
    assert "matched, matched:mean, matched:thinking, matched:enlarged, result-only, in a study only" in err


async def test_under_half_answered_is_a_failure(server, study, call, tmp_path):
    none = text("I cannot tell.", usage=used(50))
    server.behave(drawing([none, none, none, none, answer(10)]))
    assert (await call("ablate", study(MATCHED), "--out", "s"))[0] == 0
    first, second = run_of(tmp_path / "s", "matched").records
    assert (first.outcome, first.response) == ("no_answer", "")
    assert first.detail == "only 1 of the 4 answers drawn could be read, less than half"
    assert second.detail == "only 0 of the 4 answers drawn could be read, less than half"


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
    code, _, err = await call("ablate", study(RESULT_ONLY), "--out", "s")
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
        assert "v9" not in re.sub(r'"data:image/png;base64,[^"]*"', "", said)
        assert "10.0" not in said
        assert len(request.pictures) == 1 + sum(call["picture"] is not None for call in results)
        assert "[picture 2]" in said
    assert [one.prompt_sha256 for one in own.records] == [one.prompt_sha256 for one in on.records]
    assert [record.pictures for record in own.records] == [record.pictures for record in on.records] == [3, 3]
    assert (await call("verify", "s"))[0] == 0


async def test_thinking_is_allowed_as_much_as_on_spent_on_average(server, study, start, call, tmp_path):
    spent = iter((700, 900, 700, 900))

    def rule(request):
        if request.body.get("tools") and turn_of(request) == 0:
            return {**calls(RULER), "usage": used(100)}
        return answer(10, output=next(spent) if request.body.get("tools") else 50)

    path = study(MATCHED.replace("[matched]", "['matched:thinking']"))
    path.write_text(path.read_text().replace("[fake-openai]", "[fake-gemini]"))
    words, key = ("ablate", path, "--out", "s"), {"GEMINI_API_KEY": "key-of-this-test"}
    last = 1 + 2 * 2 + 2  # the second of the arm's own; the single answer to the second sample is still to come
    server.behave(lambda request: HANG if len(server.requests) >= last else rule(request))
    process = await start(*words, **key)
    await server.wait_for(last)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    server.behave(rule)
    code, _, err = await call(*words, **key)
    assert code == 0, err
    budgets = [one.body["generationConfig"]["thinkingConfig"]["thinking_budget"] for one in server.requests]
    assert budgets == [-1] * 5 + [900] * 3 + [-1]  # on: 800 and 1000
    assert [one.thinking_budget for one in run_of(tmp_path / "s", "matched:thinking").records] == [900, 900]
    assert {one.thinking_budget for one in run_of(tmp_path / "s", "off").records} == {None}


async def test_what_was_matched_and_what_was_handed_back_is_said(server, study, call, tmp_path):
    answers = [answer(n) for n in (99, 12, 8, 10, 30)]
    handed = answer("10.0", output=20)
    plain = drawing(answers)

    def rule(request):
        return handed if "Tool output for this question" in json.dumps(request.body) else plain(request)

    server.behave(rule)
    path = study("base: {tools: 'crop,ruler'}\ndesigns: [matched, result-only]\n")
    code, out, err = await call("ablate", path, "--out", "s", "--verbose")
    assert code == 0, err
    assert "compute was matched in output tokens alone: images, caching, latency and forced endings are not" in out
    rows = {line.split()[1]: line.split()[2:] for line in out.splitlines() if line.startswith("fake-openai, ")}
    # tokens out, tokens in, turns, pictures, US dollars
    assert rows["matched"][:5] == ["200.000", "4000.000", "4.000", "4.000", "0.006"]
    assert rows["on"][:4] == ["170.000", "2000.000", "2.000", "3.000"]
    assert rows["result-only"][:4] == ["20.000", "1000.000", "1.000", "3.000"]
    assert "fake-openai--result-only--1: own results handed back; the answer of `on` in 2 of 2 samples" in out
    assert read_plan(tmp_path / "s").primaries == ("matched -> on",)
    off, matched, on = (run_of(tmp_path / "s", arm).folder for arm in ("off", "matched", "on"))
    code, out, err = await call("compare", off, on)
    assert code == 0, err
    said = " ".join(out.split())
    assert "Compute was not matched between arms. Per sample crop,ruler took 3.40 times the tokens out" in said
    assert "2.00 times the turns, 3.00 times the images" in said
    assert "forced endings: 0.0% in off, 0.0% in crop,ruler." in said
    code, out, _ = await call("compare", matched, on)
    assert "Compute was matched in output tokens alone" in out
    code, _, err = await call("report", "s", "--out", tmp_path / "report.md")
    assert code == 0, err
    page = (tmp_path / "report.md").read_text(encoding="utf-8").replace("\\", "")
    assert "own results handed back; both arms answer the same in 2 of 2 samples." in page
    assert "matched -> on: Compute was matched in output tokens alone" in page


async def test_results_that_were_the_truth_are_called_so(server, study, call, tmp_path):
    outline = ("fit_contour", {"view": "v0", "x0": 0.0, "y0": 0.0, "x1": 1.0, "y1": 1.0})
    first = {**calls(outline), "usage": used(10)}
    server.behave(lambda request: first if request.body.get("tools") and turn_of(request) == 0 else answer("10, 5"))
    path = study("base: {tools: 'fit_contour@oracle'}\ndesigns: [result-only]\ntasks: [size]\n", data="phantom:4:1")
    code, out, err = await call("ablate", path, "--out", "s")
    assert code == 0, err
    assert "NOTHING CAN BE SAID OF TOOLS: fake-openai, result-only: fit_contour@oracle was told the ground truth" in out
    own = run_of(tmp_path / "s", "result-only")
    assert own.identity.told_truth == ("fit_contour@oracle",)
    assert any(line.startswith("TOLD THE GROUND TRUTH") for line in own.facts)
    assert sum("fit_contour with {" in json.dumps(request.body) for request in server.requests) == 2


async def test_a_dry_run_counts_the_draws(server, study, call):
    code, out, err = await call("ablate", study(MATCHED), "--dry-run", "--json")
    assert code == 0, err
    cells = {cell["arm"]: cell["spending"] for cell in json.loads(out)["cells"]}
    assert [one["basis"] for one in cells["matched"]] == [
        f"{n} answer{'s' * (n > 1)} drawn a sample" for n in (1, 4, 12)
    ]
    assert [one["output_tokens"] for one in cells["matched"]] == [one["output_tokens"] for one in cells["on"]]
    assert cells["matched"][2]["input_tokens"] == pytest.approx(12 * cells["off"][0]["input_tokens"], rel=1e-3)
