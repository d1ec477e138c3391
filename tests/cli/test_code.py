"""``run --tools code`` and the published experiment, as the documentation's own commands, against a fake provider."""

import json
import re
import shlex
from hashlib import sha256
from pathlib import Path

import pytest
from fake.replies import came, ran, said, steps, text

from medvision_agent.agent.models.catalogue import VARIABLE
from medvision_agent.eval.store.read import open_run

ROOT = Path(__file__).parents[2]
ROWS = ROOT / "examples" / "published-gemini" / "models.yaml"
PAGE = (ROOT / "docs" / "published-experiment.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^medvision-agent (run .*published-.*)$", PAGE, re.MULTILINE)
KEYS = {"GEMINI_API_KEY": "key-of-this-test", "OPENAI_API_KEY": "key-of-this-test"}
CODED = steps(said("First."), ran("print(1)"), came("0.5\n"), said("<answer>10.0</answer>"))
REPLIES = {
    ("literal", "off"): text('{"Thought": "so", "Answer": "0.1, 0.2, 0.3, 0.4"}'),
    ("literal", "code"): steps(ran("print(1)"), came("1\n"), said("Answer: 0.1, 0.2, 0.3, 0.4")),
    ("matched", "off"): text("Answer: 0.1, 0.2, 0.3, 0.4"),
    ("matched", "code"): steps(ran("1/0"), came("no", "FAILED"), said("Answer: 0.1, 0.2, 0.3, 0.4")),
}


@pytest.fixture
def published(tmp_path, server):
    """Return a function that makes the words of a documented command fit for here: fake service, few samples."""
    rows = {
        name: {"extends": name, "base_url": server.gemini_url} for name in ("published-literal", "published-matched")
    }
    here = tmp_path / "here.yaml"
    here.write_text(json.dumps(rows), encoding="utf-8")

    def words(command: str) -> list[str]:
        given = shlex.split(command)
        given[given.index("--models-file") + 1] = str(here)
        given[given.index("--data") + 1] = "demo"
        return [*given, "--limit", "2"]

    return words


async def test_the_four_runs_of_the_page(server, published, call, tmp_path):
    assert len(COMMANDS) == 4
    environ = KEYS | {VARIABLE: str(ROWS)}
    for command in COMMANDS:
        pair, arm = re.search(r"published-(\w+) --tools (\w+)", command).groups()
        server.script([REPLIES[pair, arm]], by_turn=True)
        code, out, err = await call(*published(command), **environ)
        assert code == 0, err
        assert "a replica in our own words, not the published prompt" in " ".join(out.split())
        run = open_run(tmp_path / "runs" / f"{pair}-{arm}")
        uses = [(use.tool, use.ok) for record in run.records for use in record.tool_uses]
        assert uses == ([("code_execution", pair == "literal")] * 2 if arm == "code" else [])
        assert ("tools: the provider's code execution" in " ".join(out.split())) == (arm == "code")
        assert "detection: 2 samples" in out
        assert "2 answers parsed" in out
    code, out, err = await call("compare", "runs/matched-off", "runs/matched-code", "--protocol", "paper-v1")
    assert code == 0, err
    code, _, err = await call("compare", "runs/literal-off", "runs/literal-code", "--protocol", "paper-v1")
    assert code == 2
    assert 'output_format: "json" in off, "text" in code' in err
    assert "prompt_sha256" in err
    assert "model." not in err


async def test_a_prompt_file_takes_the_place_of_our_words(server, published, call, tmp_path):
    original = tmp_path / "original.yaml"
    original.write_text("detection: 'Where is the {{ label }}?'\n", encoding="utf-8")
    server.script([REPLIES["literal", "code"]], by_turn=True)
    words = [*published(COMMANDS[1]), "--prompt-file", str(original)]
    code, out, err = await call(*words, **KEYS, **{VARIABLE: str(ROWS)})
    assert code == 0, err
    said_of_it = " ".join(out.split())
    assert f"in the words of the prompt file {sha256(original.read_bytes()).hexdigest()[:12]}" in said_of_it
    assert "our own words" not in said_of_it
    asked = server.requests[0].body["contents"][0]["parts"][1]["text"]
    assert re.fullmatch(r"Where is the [\w ]+\?\n\\Please put the final answer after 'Answer:'\n\n", asked)


async def test_a_dry_run_shows_the_prompt_as_sent(server, published, call):
    code, out, err = await call(*published(COMMANDS[1]), "--dry-run", "--verbose", **{VARIABLE: str(ROWS)})
    assert code == 0, err
    assert "\\Please put the final answer after 'Answer:'" in out
    assert "You measure medical images" not in out
    assert not server.requests


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (("--tools", "on"), "has only --tools off and --tools code"),
        (("--tools", "again:2"), "has only --tools off and --tools code"),
        (("--recipe", "medvision-1.2"), "set --recipe paper-v1 instead of medvision-1.2"),
        (("--frame", "top-left"), "set --frame medvision instead of top-left"),
        (("--prompt-file", "own.yaml"), "system would not be sent"),
    ],
)
async def test_what_would_be_no_replay_is_refused(server, published, call, tmp_path, changed, named):
    (tmp_path / "own.yaml").write_text("system: Be exact.\ndetection: Where?\n", encoding="utf-8")
    code, _, err = await call(*published(COMMANDS[0]), *changed, **KEYS, **{VARIABLE: str(ROWS)})
    assert code == 2
    assert named in err
    assert not server.requests
    assert not (tmp_path / "runs" / "literal-off").exists()


@pytest.mark.parametrize("model", ["fake-openai", "baseline-cv"])
async def test_interfaces_without_code_execution_are_refused(server, data, models, call, tmp_path, model):
    words = ("run", "--model", model, "--models", models, "--data", data, "--tools", "code", "--out", tmp_path / "run")
    code, _, err = await call(*words)
    assert code == 2
    assert f"--tools code: the interface of model '{model}' offers no code execution" in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("model", ["fake-gemini", "fake-responses"])
async def test_code_beside_no_tools(server, data, models, call, tmp_path, model):
    with models.open("a") as file:
        file.write("fake-responses: {extends: fake-openai, api: responses}\n")
    for arm, reply in (("off", text("<answer>9.0</answer>")), ("code", CODED)):
        server.script([reply], by_turn=True)
        words = ("run", "--model", model, "--models", models, "--data", data, "--tools", arm, "--limit", 2)
        code, out, err = await call(*words, "--out", tmp_path / arm, **KEYS)
        assert code == 0, err
    assert "code_execution 1.00 (0 of 2 failed)" in out
    assert {record.response for record in open_run(tmp_path / "code").records} == {"First.\n<answer>10.0</answer>"}
    code, out, err = await call("compare", tmp_path / "off", tmp_path / "code")
    assert code == 0, err
    assert "tools: the provider's code execution" in " ".join(out.split())


async def test_a_replay_is_not_checked_with_tools_of_ours(server, call):
    code, _, err = await call("models", "check", "published-literal", **KEYS, **{VARIABLE: str(ROWS)})
    assert code == 2
    assert "check a row without `replay`" in err
    assert not server.requests
