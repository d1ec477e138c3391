"""Before the first sample: do the declarations of tools reach the model? Asked through the API of counting servers."""

import asyncio
import json

import pytest
from fake.replies import error, raw, text
from fake.server import counted
from fake.wires import PROBE

import medvision_agent as mva
from medvision_agent.agent.chat.chat import BRIEF
from medvision_agent.agent.probe import MESSAGE
from medvision_agent.errors import ConfigError, ProviderError
from medvision_agent.eval.store.read import open_run
from medvision_agent.tools.registry import NEWEST, SETS

WIRES = ("chat", "responses", "gemini")


def silent(request):
    """Answer a probe as a server does whose chat template drops the declarations."""
    return text("ready", usage={"input": 112, "output": 2, "reasoning": 0, "cached": 0})


def test_the_fake_server_knows_the_message():
    assert MESSAGE == PROBE


@pytest.mark.parametrize("wire", WIRES)
async def test_declarations_that_are_counted_reach_the_model(server, run, wire):
    ran = await run(wire)
    without, declared = server.probes
    assert "tools" not in without.body
    assert "ruler" in json.dumps(declared.body["tools"])
    assert str(BRIEF) in json.dumps(declared.body)
    probe = ran.run.probe
    assert probe.found == "reached"
    assert (probe.without_tools, probe.with_tools) == tuple(counted(one)["usage"]["input"] for one in server.probes)
    assert (probe.usage.model_calls, probe.usage.input) == (2, probe.with_tools + probe.without_tools)
    assert probe.cost_usd == pytest.approx((probe.usage.input + 40) / 1e6, abs=1e-4)
    assert f"{probe.with_tools} prompt tokens with them, {probe.without_tools} without" in " ".join(ran.run.facts)
    assert ran.run.spent_usd == pytest.approx(probe.cost_usd + sum(one.cost_usd for one in ran.run.records))


@pytest.mark.parametrize("wire", WIRES)
async def test_declarations_that_are_not_counted_are_refused_before_the_first_sample(server, run, tmp_path, wire):
    server.answer_probe = silent
    with pytest.raises(ConfigError) as refused:
        await run(wire)
    words = str(refused.value)
    assert "112 prompt tokens with them and 112 without" in words
    assert "`tool_calling: text`" in words
    assert "--no-probe" in words
    assert ("--enable-auto-tool-choice" in words and "--jinja" in words) == (wire != "gemini")
    assert "\n" not in words
    assert server.requests == []
    assert not (tmp_path / "run").exists()


async def test_fewer_tokens_than_declarations_are_none_of_them(server, run, tmp_path):
    def one_line_more(request):
        more = 5 if request.body.get("tools") else 0
        return text("ready", usage={"input": 112 + more, "output": 2, "reasoning": 0, "cached": 0})

    server.answer_probe = one_line_more
    with pytest.raises(ConfigError, match="117 prompt tokens with them and 112 without"):
        await run()
    assert (await run(folder="one", tools="ruler")).run.probe.found == "reached"


async def test_a_refusal_of_tools_under_status_200_is_one(server, run):
    words = "tools are not supported by this model"
    server.answer_probe = lambda request: raw({"error": words}) if request.body.get("tools") else counted(request)
    with pytest.raises(ConfigError, match=f"refuses declared tools: .*{words}"):
        await run()


@pytest.mark.parametrize("wire", WIRES)
async def test_where_no_tokens_are_reported_it_is_said_and_recorded(server, run, wire, capfd):
    server.answer_probe = lambda request: text("ready", usage=None)
    ran = await run(wire, progress=True)
    assert ran.run.probe.found == "not reported"
    line = "NOT CHECKED whether the declarations of the tools reach the model: the service reports no prompt tokens"
    assert line in ran.run.facts
    assert line in capfd.readouterr().err
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
        (400, "registry.ollama.ai/library/llava does not support tools"),
        (404, "No endpoints found that support tool use"),
        (500, "tools param requires --jinja flag"),
    ],
)
async def test_a_server_that_refuses_declared_tools_is_quoted(server, run, status, words):
    server.answer_probe = lambda request: error(status, words) if "tools" in request.body else text("ready")
    with pytest.raises(ConfigError) as refused:
        await run()
    assert words in str(refused.value).replace("\\", "")
    assert "`tool_calling: text`" in str(refused.value)
    assert (len(server.probes), server.requests) == (2, [])


async def test_a_bad_key_stops_the_run_as_it_would_without_a_probe(server, run, tmp_path):
    server.answer_probe = lambda request: error(401, "Incorrect API key provided")
    with pytest.raises(ProviderError, match="Incorrect API key"):
        await run()
    assert not (tmp_path / "run").exists()


async def test_a_probe_without_reply_is_asked_again_by_a_resumed_run(server, run, tmp_path):
    server.answer_probe = lambda request: error(503, "warming up")
    server.script([error(503, "warming up")], by_turn=True)
    ran = await run()
    assert ran.run.probe.found == "failed"
    assert "warming up" in str(ran.run.probe)
    server.answer_probe = counted
    server.script([text("<answer>11.5</answer>")], by_turn=True)
    assert (await run(resume=True)).run.probe.found == "reached"
    assert len(server.probes) == 3


async def test_a_service_that_refuses_a_short_limit_is_asked_without(server, run):
    def short_refused(request):
        if "max_completion_tokens" in request.body:
            return error(400, "Could not finish the message because max_tokens was reached")
        return counted(request)

    server.answer_probe = short_refused
    assert (await run()).run.probe.found == "reached"
    assert ["max_completion_tokens" in one.body for one in server.probes] == [True, False, False]


async def test_a_fault_that_may_pass_is_no_refusal_of_tools(server, run):
    server.answer_probe = lambda request: error(503, "overloaded") if "tools" in request.body else text("ready")
    assert (await run()).run.probe.found == "failed"
    assert len(server.requests) == 4


UNREAD = {
    "llama.cpp": error(500, "Failed to parse tool call arguments as JSON: parse error at line 1, column 17"),
    "ollama": error(500, "error parsing tool call: raw='{\"x0\": ', err=unexpected end of JSON input"),
    "groq": error(400, "Failed to call a function.", code="tool_use_failed"),
}


@pytest.mark.parametrize("server_of", UNREAD)
async def test_a_call_that_the_short_limit_cut_in_two_is_asked_for_whole(server, run, server_of):
    def rule(request):
        cut = "tools" in request.body and "max_completion_tokens" in request.body
        return UNREAD[server_of] if cut else counted(request)

    server.answer_probe = rule
    ran = await run(budget={"tokens": 100_000})
    assert (ran.run.probe.found, ran.run.probe.usage.model_calls, ran.used_up) == ("reached", 3, "")
    assert len(server.requests) == 4


@pytest.mark.parametrize("server_of", UNREAD)
async def test_a_call_that_the_service_cannot_read_is_no_refusal_of_tools(server, run, server_of):
    server.answer_probe = lambda request: UNREAD[server_of] if "tools" in request.body else counted(request)
    ran = await run(budget={"tokens": 100_000})
    assert (ran.run.probe.found, len(server.probes), len(server.requests)) == ("failed", 3, 4)
    assert "the service could not read a call of the model" in str(ran.run.probe)


@pytest.mark.parametrize("declared", [True, False])
async def test_a_rate_limit_at_the_probe_is_waited_for_like_any_other(server, run, declared, monkeypatch):
    monkeypatch.setattr("medvision_agent.agent.retry.random.uniform", lambda low, high: 0.0)
    refused = []

    def rule(request):
        if ("tools" in request.body) == declared and len(refused) < 2:
            refused.append(request)
            return error(429, "slow down", retry_after="0")
        return counted(request)

    server.answer_probe = rule
    ran = await run(row={"max_tries": 3})
    assert (ran.run.probe.found, len(server.probes)) == ("reached", 4)


async def test_an_older_server_gets_the_limit_by_the_name_it_knows(server, run):
    row = {"output_limit_key": "max_tokens", "extra_body": {"top_k": 1}}
    await run(row=row)
    assert [(one.body["max_tokens"], one.body["top_k"]) for one in server.probes] == [(BRIEF, 1)] * 2


async def test_any_model_of_langchain_is_probed(run):
    assert (await run("langchain")).run.probe.found == "reached"
    with pytest.raises(ConfigError, match="Set `tool_calling: text` in its row; --no-probe"):
        await run("langchain", folder="refused", row={"settings": {"declares": False}})


async def test_a_resumed_run_does_not_ask_again(server, run):
    server.script([error(503, "busy")], by_turn=True)
    await run()
    server.script([text("<answer>11.5</answer>")], by_turn=True)
    await run(resume=True)
    assert len(server.probes) == 2


async def test_without_a_probe_that_is_recorded(server, run, tmp_path):
    ran = await run(probe=False)
    assert server.probes == []
    assert "NOT CHECKED whether the declarations of the tools reach the model: --no-probe" in ran.run.facts
    assert open_run(tmp_path / "run").config["probe"] is False


@pytest.mark.parametrize("given", [{"tools": "off"}, {"row": {"tool_calling": "text"}}, {"tools": "again:1"}])
async def test_where_nothing_is_declared_nothing_is_asked(server, run, given):
    ran = await run(**given)
    assert (server.probes, ran.run.probe) == ([], None)


async def test_the_probe_counts_in_the_budget(server, run):
    ran = await run(budget={"tokens": 100})
    assert "tokens are used up" in ran.used_up
    assert (len(server.probes), ran.left, server.requests) == (2, 2, [])


async def test_a_limit_that_cannot_be_kept_stops_the_run_before_its_first_sample(server, run):
    server.answer_probe = lambda request: text("ready", usage=None)
    ran = await run(budget={"usd": 1})
    assert "the service reports no token counts (2 of 2 replies came without)" in ran.used_up
    assert (server.requests, ran.left) == ([], 2)


async def test_the_probe_is_in_the_estimate(server, run, tmp_path):
    row = {"provider": "openai", "model": "fake", "base_url": server.openai_url, "perceived": {"rule": "native"}}
    common = {"model": "fake", "row": row, "data": "phantom:2", "tools": "on"}
    found = mva.estimate(**common).probe
    assert found.output_tokens == 2 * BRIEF
    ran = await run()
    assert found.input_tokens == pytest.approx(ran.run.probe.usage.input, rel=0.2)
    assert mva.estimate(**common, probe=False).probe is None


@pytest.fixture
def study(server, tmp_path):
    row = f"{{provider: openai, model: m, base_url: '{server.openai_url}', api_key_env: null, "
    row += "perceived: {rule: native}, max_tries: 1}"
    (tmp_path / "models.yaml").write_text(f"fake: {row}\n")
    study = tmp_path / "study.yaml"
    study.write_text(
        json.dumps(
            {
                "name": "probed",
                "models": ["fake"],
                "models_file": "models.yaml",
                "data": "phantom:2",
                "tasks": ["distance"],
                "designs": ["on-off", "repeat", "controls:blind"],
                "arms": {"one": {"tools": "ruler"}},
            }
        )
    )
    return study


async def test_a_study_asks_once_for_each_set_of_tools(server, study, tmp_path):
    done = await asyncio.to_thread(mva.ablate, study, tmp_path / "out", progress=False)
    declared = [len(one.body.get("tools", [])) for one in server.probes]
    assert sorted(declared) == [0, 1, len(SETS[NEWEST])]
    probes = {path.name: open_run(path).probe for path in (tmp_path / "out" / "cells").iterdir()}
    assert probes.pop("fake--off--1") is None
    assert {probe.found for probe in probes.values()} == {"reached"}
    assert sum(probe.usage.model_calls for probe in probes.values()) == 3
    assert mva.preview(study).probes.output_tokens == 4 * BRIEF
    paths = done.tool_paths().set_index("arm")
    assert "fake, off" not in paths.index
    assert list(paths.loc["fake, one", ["declared", "called", "answered", "shown"]]) == [2, 2, 2, 2]
    assert done.no_claim == []


async def test_a_study_whose_tools_are_not_declared_is_taken_away(server, study, tmp_path):
    server.answer_probe = silent
    with pytest.raises(ConfigError, match="do not reach the model"):
        await asyncio.to_thread(mva.ablate, study, tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()
    await asyncio.to_thread(mva.ablate, study, tmp_path / "out", probe=False, progress=False)
    assert len(server.probes) == 2
