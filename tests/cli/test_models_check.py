"""``models check`` against a server that sees, one that drops pictures, and others that fall short."""

import asyncio
import json
import re
from collections.abc import AsyncIterator

import pytest
from fake.eyes import Eyes
from fake.replies import error, text
from fake.server import FakeServer


@pytest.fixture
async def eyes() -> AsyncIterator[Eyes]:
    async with Eyes() as server:
        yield server


@pytest.fixture
def check(eyes, call, tmp_path):
    """Return a function that checks a model behind the server: (exit code, verdicts by finding, all output)."""

    async def checked(wire: str, lacks: str = "", **row: object) -> tuple[int, dict[str, str], str]:
        eyes.lacks = lacks
        url = eyes.gemini_url if wire == "gemini" else eyes.openai_url
        provider = {"provider": "gemini"} if wire == "gemini" else {"provider": "openai", "api": wire}
        fields = provider | {"model": "m", "base_url": url, "api_key_env": "KEY", "max_tries": 1} | row
        fields |= {"perceived": {"rule": "native"}, "prices": {"input": 1.0, "output": 2.0}}
        (tmp_path / "m.yaml").write_text(json.dumps({"probe": fields}))
        code, out, err = await call("models", "check", "probe", "--models", tmp_path / "m.yaml", KEY="k-0123456789")
        found = re.findall(r"^(yes|no|unknown) +(\S.*?)  ", out, re.MULTILINE)
        return code, {what: verdict for verdict, what in found}, out + err

    return checked


ALL = [
    "reachable", "sees the image", "calls tools", "reads what tools return", "gets images back from tools",
    "reports usage", "honours the settings",
]  # fmt: skip


@pytest.mark.parametrize("wire", ["gemini", "chat", "responses"])
async def test_a_seeing_server_passes(check, wire):
    code, verdicts, out = await check(wire)
    assert verdicts == dict.fromkeys(ALL, "yes"), out
    assert code == 0
    assert "4 calls" in out
    assert "US dollars" in out


@pytest.mark.parametrize("wire", ["gemini", "chat", "responses"])
async def test_a_server_that_drops_pictures_is_told_from_a_seeing_one(check, wire):
    code, verdicts, out = await check(wire, "eyes")
    assert code == 1
    assert [what for what, verdict in verdicts.items() if verdict == "no"] == [
        "sees the image",
        "gets images back from tools",
    ], out
    assert "I see a heart." in out


@pytest.mark.parametrize(
    ("lacks", "no"),
    [
        ("tool pictures", ["gets images back from tools"]),
        ("tools", ["calls tools"]),
        ("usage", ["reports usage"]),
        ("limits", ["honours the settings"]),
    ],
)
async def test_what_falls_short_is_named(check, lacks, no):
    code, verdicts, out = await check("chat", lacks)
    assert code == 1
    assert [what for what, verdict in verdicts.items() if verdict == "no"] == no, out


async def test_a_server_that_is_down_is_not_reachable(call, tmp_path):
    async with FakeServer() as gone:
        url = gone.openai_url
    row = {"provider": "openai", "model": "m", "base_url": url, "api_key_env": None, "max_tries": 1}
    (tmp_path / "m.yaml").write_text(json.dumps({"probe": row | {"perceived": {"rule": "native"}}}))
    code, out, err = await call("models", "check", "probe", "--models", tmp_path / "m.yaml")
    assert code == 1, err
    assert out.startswith("no       reachable")


@pytest.mark.parametrize(
    "words",
    [
        '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
        "registry.ollama.ai/library/gemma3:4b does not support tools",
        "something about functions that nobody foresaw",
    ],
)
async def test_a_server_that_refuses_tools_is_quoted_with_what_helps(server, call, models, words):
    server.behave(lambda request: error(400, words) if request.body.get("tools") else text("1234"))
    code, out, err = await call("models", "check", "fake-openai", "--models", models)
    assert code == 1, err
    found = " ".join(out.split()).partition("no calls tools")[2].partition("reads what tools return")[0]
    assert words in found
    assert "set tool_calling: text" in found
    if "--enable-auto" in words:
        assert "or start the server with --enable-auto-tool-choice and --tool-call-parser NAME)" in found


@pytest.mark.parametrize(
    ("model", "remedy"),
    [
        ("fake-openai", "its row names no API key: set api_key_env to the environment variable that holds the key"),
        ("fake-gemini", "check the key in the environment variable GEMINI_API_KEY or GOOGLE_API_KEY"),
    ],
)
@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_ends_the_check_and_names_its_variable(server, call, models, model, remedy, status):
    server.script([error(status, "no such key")])
    key = "AIza-secret-of-this-test"
    code, _, err = await call("models", "check", model, "--models", models, GEMINI_API_KEY=key)
    assert code == 2
    assert remedy in err
    assert key not in err
    assert "Traceback" not in err


async def test_offline_policies_cannot_be_checked(call):
    async with asyncio.timeout(60):
        code, _, err = await call("models", "check", "baseline-cv")
    assert code == 2
    assert "offline policy" in err


async def test_a_run_says_in_one_line_that_its_row_failed_or_was_never_checked(eyes, call, tmp_path):
    row = {"provider": "openai", "model": "m", "base_url": eyes.openai_url, "api_key_env": None, "max_tries": 1}
    (tmp_path / "m.yaml").write_text(json.dumps({"probe": row | {"perceived": {"rule": "native"}}}))
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    named = ("--models", tmp_path / "m.yaml")
    words = ("run", "--model", "probe", *named, "--limit", 1, "--task", "size", "--tools", "off")

    async def said(out):
        _, _, err = await call(*words, "--out", tmp_path / out, **state)
        return [line for line in err.splitlines() if line.startswith("model probe: ")]

    assert ["not checked yet" in line for line in await said("never")] == [True]
    eyes.lacks = "tools"
    assert (await call("models", "check", "probe", *named, **state))[0] == 1
    assert ["failed: calls tools; details: " in line for line in await said("failed")] == [True]
    eyes.lacks = ""
    assert (await call("models", "check", "probe", *named, **state))[0] == 0
    assert await said("passed") == []


async def test_a_run_says_that_another_version_answered_than_in_the_check(eyes, call, tmp_path):
    row = {"provider": "openai", "model": "m", "base_url": eyes.openai_url, "api_key_env": None, "max_tries": 1}
    (tmp_path / "m.yaml").write_text(json.dumps({"probe": row | {"perceived": {"rule": "native"}}}))
    named, state = ("--models", tmp_path / "m.yaml"), {"XDG_STATE_HOME": str(tmp_path / "state")}
    words = ("run", "--model", "probe", *named, "--limit", 1, "--task", "size", "--tools", "off")
    assert (await call("models", "check", "probe", *named, **state))[0] == 0
    eyes.lacks = "eyes"  # which read nothing but digits
    kept = tmp_path / "state" / "medvision-agent" / "checks.json"
    (served,) = [one["served"] for one in json.loads(kept.read_text())["checks"].values()]
    told = f"model probe was served as {served} in this run, and as other-{served} in its check on "

    async def said(out):
        return " ".join((await call(*words, "--out", out, **state))[1].split())

    assert "in its check" not in await said("same")
    kept.write_text(kept.read_text().replace(f'"{served}"', f'"other-{served}"'))
    assert (await said("other")).count(told) == 1
    assert told in " ".join((await call("score", "other"))[1].split())
    study = "name: s\nmodels: [probe]\nmodels_file: m.yaml\ntasks: [size]\nlimit: 1\ndesigns: [on-off]\n"
    (tmp_path / "s.yaml").write_text(study)
    out = (await call("ablate", "s.yaml", "--out", "s", "--no-probe", **state))[1]
    assert " ".join(out.split()).count(told) == 1
