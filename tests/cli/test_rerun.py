"""A stored run asked once more: the same requests, whatever the catalogue says by now."""

import json

from fake.replies import text
from forged import forged

from medvision_agent.eval.store.read import open_run

ANSWER = text("<answer>10.0</answer>")


def bodies(server, start=0):
    return sorted(json.dumps(request.body, sort_keys=True) for request in server.requests[start:])


async def test_the_same_requests_again_without_the_models_file(server, data, models, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    words = ("--models", models, "--data", data, "--limit", 5, "--form", "cot", "--reshape", "80,100")
    code, _, err = await call("run", "--model", "fake-openai", "--tools", "off", *words, "--out", "first")
    assert code == 0, err
    asked = bodies(server)
    models.unlink()
    code, out, err = await call("rerun", "first", "--out", "second")
    assert code == 0, err
    assert "settings that differ from" not in err
    assert "5 of 5 samples finished" in out
    assert bodies(server, 5) == asked
    first, second = open_run(tmp_path / "first"), open_run(tmp_path / "second")
    assert first.identity == second.identity
    code, _, err = await call("rerun", "second", "--tools", "on", "--out", "third")
    assert code == 0, err
    code, _, err = await call("compare", "first", "third")
    assert code == 0, err


async def test_what_has_changed_is_named(server, data, models, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    words = ("--models", models, "--data", data, "--limit", 2, "--tools", "off")
    await call("run", "--model", "fake-openai", *words, "--out", "first")
    data.write_text(data.read_text().replace('"target": [10.0]', '"target": [11.0]'))
    code, _, err = await call("rerun", "first", "--out", "second")
    assert code == 0, err
    assert "settings that differ from first: samples_sha256" in err


async def test_an_old_store_is_refused_in_words(data, call, tmp_path):
    await call("run", "--model", "baseline-prior", "--limit", 1, "--task", "size", "--out", "first")
    with forged(tmp_path / "first") as database:
        database.execute("UPDATE run SET value = json_remove(value, '$.data') WHERE key = 'config'")
    code, _, err = await call("rerun", "first", "--out", "second")
    assert code == 2
    assert "start a new run with the options of the old one" in err
    assert "Traceback" not in err


async def test_the_budget_is_kept_and_options_replace_what_was_stored(server, data, models, call, tmp_path):
    server.script([ANSWER], by_turn=True)
    words = ("--models", models, "--data", data, "--tools", "off", "--max-connections", 1, "--max-tokens", 2120)
    code, _, err = await call("run", "--model", "fake-openai", *words, "--out", "first")
    assert code == 1
    assert "so far 2,120 tokens" in err
    code, _, err = await call("rerun", "first", "--out", "second")
    assert code == 1, "a rerun stops where the run stopped"
    assert "so far 2,120 tokens" in err
    more = ("--max-tokens", 100_000, "--limit", 4, "--max-tool-calls", 3)
    code, out, err = await call("rerun", "first", "--out", "third", *more)
    assert code == 0, err
    assert "4 of 4 samples finished" in out
    assert "settings that differ from first: limits, sample_ids_sha256, samples_sha256" in err
    third = open_run(tmp_path / "third")
    assert (third.identity.limits.tool_calls, third.identity.limits.model_calls) == (3, 12)
    assert third.config["budget"] == {"usd": None, "tokens": 100_000, "seconds": None}
