"""``run`` as a real process against a real server: durability, resume, Ctrl-C, failures, exit codes."""

import asyncio
import json
import signal
from datetime import UTC, datetime, timedelta

import pytest
from fake.replies import DROP, HANG, calls, error, raw, text
from forged import forged

import medvision_agent as mva
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.read import open_run, read_trace

ANSWER = text("<think>so</think><answer>10.0</answer>")


def run_words(data, models, out, *more, model="fake-openai", tools="off"):
    return ("run", "--model", model, "--models", models, "--data", data, "--tools", tools, "--out", out, *more)


async def test_killed_run_loses_and_repeats_nothing_that_was_finished(server, data, models, start, call, tmp_path):
    words = run_words(data, models, tmp_path / "run", "--max-connections", 2)
    server.script([ANSWER] * 5 + [HANG] * 2)
    process = await start(*words)
    await server.wait_for(7)  # both connections hang in the 6th and 7th sample: the five before are finished
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert process.returncode == -signal.SIGKILL
    finished = {record.sample.id for record in open_run(tmp_path / "run").records}
    assert len(finished) == 5

    before = len(server.requests)
    server.script([ANSWER] * 7)
    code, out, err = await call(*words, "--resume")
    assert code == 0, err
    assert "12 of 12 samples finished" in out
    assert sorted(f"s{number}" for number in server.asked(before)) == sorted({f"s{n}" for n in range(12)} - finished)
    run = open_run(tmp_path / "run")
    assert [record.sample.id for record in run.records] == [f"s{number}" for number in range(12)]
    assert {record.outcome for record in run.records} == {Outcome.ANSWERED}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stop_finishes_what_is_in_flight_and_says_how_to_go_on(
    server, data, models, start, call, tmp_path, number
):
    words = run_words(data, models, tmp_path / "run", "--max-connections", 1)
    released = asyncio.Event()
    server.script([ANSWER, ANSWER, {**ANSWER, "until": released}])
    process = await start(*words)
    await server.wait_for(3)
    process.send_signal(number)
    assert b"not checked yet" in await process.stderr.readline()
    assert await process.stderr.readline() == f"writing to {tmp_path / 'run'}\n".encode()
    assert (await process.stderr.readline()).startswith(b"fake-openai: 1 of 12, loss 0.000, success rate 100.0% (n 1)")
    assert b"finishing the samples in flight" in await process.stderr.readline()
    released.set()
    out, err = await process.communicate()
    assert process.returncode == 130
    assert "--resume" in err.decode()
    assert "3 of 12 samples finished" in out.decode()
    assert len(open_run(tmp_path / "run").records) == 3
    server.script([ANSWER] * 9)
    code, _, err = await call(*words, "--resume")
    assert code == 0, err


async def test_infrastructure_failures_are_counted_not_scored_and_tried_again(server, data, models, call, tmp_path):
    words = run_words(data, models, tmp_path / "run", "--max-connections", 1, "--limit", 3, "--json")
    once = error(500, retry_after="0.01")
    server.script([ANSWER, once, once, error(429, retry_after="0.01"), ANSWER])
    code, out, err = await call(*words)
    assert code == 1
    assert "1 sample ended without a result; s1: " in err
    task = json.loads(out)["summary"]["tasks"]["distance"]
    assert (task["n"], task["infrastructure"]) == (2, {"server_error": 1})
    server.script([ANSWER])
    code, out, err = await call(*words, "--resume")
    assert code == 0, err
    assert json.loads(out)["summary"]["tasks"]["distance"]["n"] == 3
    assert [record.attempt for record in open_run(tmp_path / "run").records] == [1, 2, 1]


async def test_every_request_is_stored_with_its_date_and_the_servers_marks(server, data, models, call, tmp_path):
    words = run_words(data, models, tmp_path / "run", "--max-connections", 1, "--limit", 1)
    server.script([error(500, retry_after="0.01"), ANSWER])
    before = datetime.now(UTC)
    code, _, err = await call(*words)
    assert code == 0, err
    (record,), trace = open_run(tmp_path / "run").records, read_trace(tmp_path / "run", "s0")
    failed, answered = trace["requests"]
    assert (failed["failure"], failed["response_id"]) == ("server_error", None)
    marks = ("failure", "model_version", "fingerprint", "response_id")
    assert [answered[name] for name in marks] == [None, "fake-gpt-001", "fp_fake", "chatcmpl-1"]
    dates = [datetime.fromisoformat(request["asked_at"]) for request in trace["requests"]]
    assert before - timedelta(seconds=1) <= dates[0] <= dates[1] <= datetime.now(UTC)
    assert all(request["seconds"] >= 0 for request in trace["requests"])
    assert (record.asked_at, record.last_asked_at) == (failed["asked_at"], answered["asked_at"])
    assert record.fingerprints == ("fp_fake",)
    (row,) = mva.load(tmp_path / "run").samples().itertuples()
    assert (row.asked_at, row.last_asked_at, row.fingerprints) == (record.asked_at, record.last_asked_at, "fp_fake")


async def test_results_are_final_and_count_as_failures(server, data, models, call, tmp_path):
    words = run_words(data, models, tmp_path / "run", "--max-connections", 1, "--limit", 4, "--json")
    server.script([ANSWER, text(""), text("<answer>1", finish="length"), text("", finish="content_filter")])
    code, out, err = await call(*words)
    assert code == 0, err
    task = json.loads(out)["summary"]["tasks"]["distance"]
    assert task["outcomes"] == {"answered": 1, "no_answer": 1, "limit_reached": 1, "refused": 1}
    assert task["metrics"]["success_rate"] == {"mean": 0.25, "n": 4}
    assert task["metrics"]["loss"] == {"mean": 0.75, "n": 4}
    assert task["metrics"]["MAE"] == {"mean": 0.0, "n": 1}
    asked = len(server.requests)
    code, _, _ = await call(*words, "--resume")
    assert (code, len(server.requests)) == (0, asked)


@pytest.mark.parametrize("model", ["fake-openai", "fake-gemini"])
async def test_tools_and_no_tools_end_in_a_paired_comparison(server, data, models, call, tmp_path, model):
    key = {"GEMINI_API_KEY": "AIza-secret-of-this-test"}
    ruler = ("ruler", {"view": "v0", "x0": 0.1, "y0": 0.5, "x1": 0.5, "y1": 0.5})
    server.script([calls(ruler, ruler), ANSWER], by_turn=True)
    for arm in ("on", "off"):
        if arm == "off":
            server.script([text("<answer>5.0</answer>")], by_turn=True)
        code, _, err = await call(*run_words(data, models, tmp_path / arm, model=model, tools=arm), **key)
        assert code == 0, err
    code, out, err = await call("compare", tmp_path / "off", tmp_path / "on", "--json")
    assert code == 0, err
    comparison = json.loads(out)["comparison"]
    assert "distance" in comparison["tasks"]
    run = open_run(tmp_path / "on")
    assert all(len(record.tool_uses) == 2 for record in run.records)
    assert run.records[0].usage.model_calls == 2
    # The first request of the two arms differs by the tools and their paragraph only; pictures came back after tools.
    assert [len(request.pictures) for request in server.requests[:24]].count(3) == 12
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"secret-of-this-test" not in written


async def test_arms_with_other_limits_are_not_compared(server, data, models, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    for arm, limit in (("on", "3"), ("off", "5")):
        words = run_words(data, models, tmp_path / arm, "--max-model-calls", limit, tools=arm)
        assert (await call(*words))[0] == 0
    code, _, err = await call("compare", tmp_path / "on", tmp_path / "off")
    assert code == 2
    assert "limits" in err


async def test_a_refused_key_stops_the_run_at_once_and_can_be_resumed(server, data, models, call, tmp_path):
    words = run_words(data, models, tmp_path / "run", "--max-connections", 1)
    server.script([ANSWER, error(401, "bad \x1b[2Jkey")])
    code, _, err = await call(*words)
    assert code == 2
    folder = tmp_path / "run"
    _, first, progress, last, second, third = err.strip().splitlines()
    assert "1 of 12" in last
    assert "failed tries 1 (last: gateway)" in last
    assert first == f"writing to {folder}"
    assert progress.startswith("fake-openai: 1 of 12, loss 0.000")
    assert second.startswith("Error: ")
    assert "bad ?[2Jkey" in second
    assert third == f"stored in {folder}; repeat with --out {folder} --resume"
    assert len(server.requests) == 2
    assert len(open_run(tmp_path / "run").records) == 1
    server.script([ANSWER] * 11)
    assert (await call(*words, "--resume"))[0] == 0


async def test_a_key_refused_at_once_leaves_nothing_behind(server, data, models, call, tmp_path):
    server.script([error(403, "no")] * 9)
    code, _, err = await call(*run_words(data, models, tmp_path / "run"))
    assert code == 2
    assert "403" in err or "no" in err
    assert "stored in" not in err
    assert not (tmp_path / "run").exists()


async def test_a_request_that_is_invalid_from_the_start_is_no_result(server, data, models, call, tmp_path):
    server.script([error(400, "no such setting")] * 12)
    code, _, err = await call(*run_words(data, models, tmp_path / "run", "--max-connections", 1))
    assert code == 2
    assert "no such setting" in err
    assert len(server.requests) == 2, "one sample may have a fault of its own, a second one says that it has none"
    assert not (tmp_path / "run").exists()


async def test_a_conversation_called_invalid_later_counts_as_a_failure(server, data, models, call, tmp_path):
    words = run_words(data, models, tmp_path / "run", "--max-connections", 1, "--limit", 2, "--json")
    server.script([ANSWER, error(400, "bad conversation")])
    code, out, err = await call(*words)
    assert code == 0, err
    task = json.loads(out)["summary"]["tasks"]["distance"]
    assert (task["n"], task["outcomes"]) == (2, {"answered": 1, "rejected": 1})


async def test_ctrl_c_does_not_wait_for_the_next_try(server, data, models, start, tmp_path):
    server.script([ANSWER, error(429, retry_after="3600")])
    process = await start(*run_words(data, models, tmp_path / "run", "--max-connections", 1))
    await server.wait_for(2)
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        _, err = await process.communicate()
    assert process.returncode == 130
    assert "--resume" in err.decode()
    assert [record.sample.id for record in open_run(tmp_path / "run").records] == ["s0"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_second_stop_stops_at_once_and_says_how_to_go_on(server, data, models, start, tmp_path, number):
    server.script([ANSWER, HANG])
    process = await start(*run_words(data, models, tmp_path / "run", "--max-connections", 1))
    await server.wait_for(2)
    process.send_signal(number)
    assert b"not checked yet" in await process.stderr.readline()
    await process.stderr.readline()  # where it writes
    assert b"1 of 12" in await process.stderr.readline()
    assert b"press Ctrl-C again" in await process.stderr.readline()
    process.send_signal(number)
    async with asyncio.timeout(30):
        _, err = await process.communicate()
    assert process.returncode == 130
    assert "--resume" in err.decode()
    assert "Traceback" not in err.decode()


async def test_dropped_and_broken_replies_are_tried_again(server, data, models, call, tmp_path):
    words = run_words(data, models, tmp_path / "run", "--max-connections", 1, "--limit", 2)
    server.script([DROP, ANSWER, raw("<html>oops</html>", content_type="text/html"), ANSWER])
    code, out, err = await call(*words)
    assert code == 0, err
    assert "2 answers parsed (100.0%)" in out


async def test_resume_refuses_other_settings_and_names_them(server, data, models, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    assert (await call(*run_words(data, models, tmp_path / "run", "--limit", 2)))[0] == 0
    code, _, err = await call(*run_words(data, models, tmp_path / "run", "--limit", 3, "--resume"))
    assert code == 2
    assert "sample_ids_sha256" in err
    code, _, err = await call(*run_words(data, models, tmp_path / "run", "--limit", 2))
    assert code == 2
    assert "--resume" in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--model", "gemini-2.5-flahs"), "gemini-2.5-flash"),
        (("--model", "baseline-cv", "--tools", "rulr"), "ruler"),
        (("--model", "baseline-cv", "--recipe", "medvision-1.1"), "medvision-1.2"),
        (("--model", "baseline-cv", "--frame", "norm1000-xy"), "Did you mean 'norm1000-yx'?"),
        (("--model", "baseline-cv", "--protocol", "paper-v2"), "paper-v1"),
        (("--model", "baseline-cv", "--task", "distanse"), "distance"),
        (("--model", "baseline-cv", "--data", "nowhere.jsonl"), "nowhere.jsonl"),
        (("--model", "baseline-cv", "--resume"), "--out"),
        (("--model", "scripted"), "--script"),
        (("--model", "baseline-cv", "--max-seconds", "nan"), "--max-seconds nan"),
        (("--model", "baseline-cv", "--sample-seconds", "inf"), "--sample-seconds inf"),
        (("--model", "gemini-2.5-flash"), "GEMINI_API_KEY"),
        (("--model", "baseline-cv", "--models", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
async def test_wrong_usage_is_one_clear_line_before_anything_is_written(call, tmp_path, words, expected):
    code, out, err = await call("run", *words, GEMINI_API_KEY="", GOOGLE_API_KEY="")
    assert code == 2
    assert out == ""
    assert expected in err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


async def test_a_convention_chosen_for_a_run_is_spoken_and_converted(call, tmp_path):
    for frame in ("medvision", "pixel"):
        words = ("--model", "oracle", "--task", "detection", "--limit", 2, "--frame", frame, "--out", tmp_path / frame)
        code, out, err = await call("run", *words)
        assert code == 0, err
        assert ("coordinates pixel (boxes read by" in out) == (frame == "pixel")
    plain, pixel = (open_run(tmp_path / frame) for frame in ("medvision", "pixel"))
    assert pixel.identity.model == {**plain.identity.model, "frame": "pixel"}
    assert pixel.identity.tool_schemas_sha256 != plain.identity.tool_schemas_sha256
    rules = PROTOCOLS["medvision-1.2"]
    for a, b in zip(plain.records, pixel.records, strict=True):
        assert a.response != b.response
        assert score_record(b, rules).values == pytest.approx(score_record(a, rules).values, abs=1e-6)
        assert score_record(b, rules).iou > 0.999
    code, _, err = await call("run", *words[:-4], "--out", tmp_path / "pixel", "--resume")
    assert code == 2
    assert "frame" in err


async def test_resume_refuses_other_pictures(server, data, models, call, tmp_path):
    words = run_words(data, models, tmp_path / "run", "--max-connections", 1, "--limit", 3)
    once = error(500, retry_after="0.01")
    server.script([ANSWER, ANSWER, once, once])
    assert (await call(*words))[0] == 1
    (tmp_path / "0.png").write_bytes((tmp_path / "9.png").read_bytes())
    code, _, err = await call(*words, "--resume")
    assert code == 2
    assert "the image of sample 's0' is no longer the one that was sent" in err


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('["one", {"text": "hi"}]', "turn 2 is neither a text nor a list of calls"),
        ('{"a": 1}', "it is no list"),
        ("[", "not valid JSON"),
    ],
)
async def test_a_script_that_cannot_be_read_is_one_line_with_an_example(data, call, tmp_path, text, wrong):
    (tmp_path / "script.json").write_text(text)
    code, _, err = await call("run", "--model", "scripted", "--script", "script.json", "--data", data, "--limit", 1)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert wrong in err
    assert '[[{"name": "crop", "args": {' in err


async def test_resume_refuses_another_script_of_the_same_name(data, call, tmp_path):
    script = tmp_path / "script.json"
    script.write_text('["<answer>1</answer>"]')
    words = ("run", "--model", "scripted", "--script", script, "--data", data, "--out", tmp_path / "run", "--limit", 1)
    assert (await call(*words))[0] == 0
    script.write_text('["<answer>2</answer>"]')
    code, _, err = await call(*words, "--resume")
    assert code == 2
    assert "model:" in err


async def test_a_model_without_function_calling_uses_tools_over_the_demo_set(server, models, call, tmp_path):
    models.write_text(
        models.read_text()
        + "fake-local:\n  extends: fake-openai\n  tool_calling: text\n  output_limit_key: max_tokens\n"
    )
    line = '{"name": "crop", "arguments": {"view": "v0", "x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.9}}'
    server.script([text(f"I look closer.\n```tool_call\n{line}\n```"), ANSWER], by_turn=True)
    words = ("run", "--model", "fake-local", "--models", models, "--task", "distance", "--limit", 3, "--json")
    for arm in ("on", "off"):
        if arm == "off":
            server.script([ANSWER], by_turn=True)
        code, out, err = await call(*words, "--tools", arm, "--out", tmp_path / arm)
        assert code == 0, err
        assert json.loads(out)["summary"]["tasks"]["distance"]["outcomes"] == {"answered": 3}
    assert all("tools" not in request.body for request in server.requests)
    assert all([use.ok for use in record.tool_uses] == [True] for record in open_run(tmp_path / "on").records)
    code, _, err = await call("compare", tmp_path / "off", tmp_path / "on")
    assert code == 0, err


async def test_a_second_request_called_invalid_is_a_result_where_others_were_taken(
    server, data, models, call, tmp_path
):
    ruler = ("ruler", {"view": "v0", "x0": 0.1, "y0": 0.5, "x1": 0.5, "y1": 0.5})
    server.script([calls(ruler), error(400, "no"), ANSWER, calls(ruler), ANSWER])
    words = run_words(data, models, tmp_path / "run", "--limit", 3, "--max-connections", 1, tools="on")
    code, _, err = await call(*words)
    assert code == 0, err
    outcomes = [record.outcome for record in open_run(tmp_path / "run").records]
    assert outcomes == [Outcome.REJECTED, Outcome.ANSWERED, Outcome.ANSWERED]


async def test_a_library_that_was_changed_meanwhile_is_named(server, data, models, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    words = run_words(data, models, tmp_path / "run", "--limit", 1)
    assert (await call(*words))[0] == 0
    with forged(tmp_path / "run") as database:
        change = "UPDATE run SET value = json_set(value, '$.libraries.openai', '0.1') WHERE key = 'config'"
        database.execute(change)
    code, _, err = await call(*words, "--resume")
    assert code == 0, err
    assert "library openai: now " in err
    assert "; this run began with 0.1" in err
