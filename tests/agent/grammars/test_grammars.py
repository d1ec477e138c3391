"""Every grammar of tool calls in text, through the real graph: what is sent, read back, repaired, shown."""

import gzip
import json
import re

import pytest
import text_calls
from text_calls import ANSWER, CROP, RULER, WIRES, ask, bodies, cases, conversations, fenced

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.grammars.grammar import Call, CallResult
from medvision_agent.agent.grammars.registry import grammar_named
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.agent.models.row import GRAMMARS

GOLDEN = json.loads(gzip.decompress(text_calls.GOLDEN.read_bytes()))
GRAMMAR_NAMES = ["plain", "hermes", "medvision"]
ON, OFF = Condition.parse("on"), Condition.parse("off")


def tagged(written):
    """Return calls as the grammar `hermes` writes them."""
    return "\n".join(f"<tool_call>\n{one}\n</tool_call>" for one in written)


WRITE = {"plain": fenced, "hermes": tagged, "medvision": tagged}


@pytest.mark.parametrize(("key", "talk", "wire"), list(cases(fenced)), ids=lambda value: str(value)[:40])
async def test_plain_sends_to_the_byte_what_was_sent_before_there_were_grammars(server, key, talk, wire):
    given = await ask(server, talk, wire)
    assert not given.outcome.infrastructure
    assert json.dumps(bodies(server), sort_keys=True) == json.dumps(GOLDEN[key], sort_keys=True)


def test_the_shipped_grammars_come_through_the_door():
    assert GRAMMARS.names()[:3] == ["hermes", "medvision", "plain"]
    assert all(offer.shipped for offer in GRAMMARS.offers())


@pytest.mark.parametrize("name", GRAMMAR_NAMES)
def test_what_a_grammar_writes_it_reads_back(name):
    grammar = grammar_named(name)
    calls = [Call("ruler", {"view": "v0", "x0": 0.25, "said": 'a "b"\n</tool_call> ü'}), Call("crop", {})]
    unread = Call("ruler", raw='{"name": "ruler", "arguments": {"x0": 0,1}}', problem="it cannot be read")
    read = grammar.read("Look.\n" + grammar.write([*calls, unread]), ["ruler", "crop"])
    assert [(call["name"], call["args"]) for call in read.calls] == [(call.name, call.arguments) for call in calls]
    assert [(call["name"], call["id"]) for call in read.invalid] == [("ruler", "call_3")]
    assert read.prose.strip() == "Look."


@pytest.mark.parametrize("name", GRAMMAR_NAMES)
def test_a_message_with_results_starts_as_the_prompt_says(name):
    grammar = grammar_named(name)
    results = [CallResult("call_1", "ruler", '{"mm": 1}', True, []), CallResult("call_2", "x", "Error: no", False, [])]
    assert grammar.answer(results).startswith(grammar.opens)
    for paragraph in ("tools", "tools_paraphrased", "tools_must_use"):
        told = ON.shown(overlays=True, paragraph=paragraph).told(grammar)
        assert f'"{grammar.opens}"' in told
        assert ('"Tool output"' in told) == (name == "plain")


def test_hermes_is_in_the_form_of_the_chat_templates():
    grammar = grammar_named("hermes")
    told = ON.told(grammar)
    inside = told.split("\n<tools>\n")[1].split("\n</tools>\n")[0]
    assert inside.splitlines() == [json.dumps(schema, ensure_ascii=False) for schema in ON.schemas()]
    form = '<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
    assert told.split("\n</tools>\n")[1].count(form) == 1
    assert grammar.write([Call("ruler", {"x0": 1})]) == (
        '<tool_call>\n{"name": "ruler", "arguments": {"x0": 1}}\n</tool_call>'
    )
    results = [CallResult("call_1", "ruler", '{"mm": 1}', True, []), CallResult("call_2", "x", "Error: no", False, [])]
    assert grammar.answer(results) == (
        '<tool_response>\n{"mm": 1}\n</tool_response>\n<tool_response>\nError: no\n</tool_response>'
    )


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", GRAMMAR_NAMES)
async def test_two_calls_are_run_answered_and_shown(server, name, wire):
    talk = conversations(WRITE[name])["two calls, then one"]
    given = await ask(server, talk, wire, grammar=name)
    assert (given.outcome, given.response) == (Outcome.ANSWERED, ANSWER)
    assert [(call.tool, call.ok) for call in given.trace.tool_calls] == [
        ("crop", True),
        ("ruler", True),
        ("ruler", True),
    ]
    assert [len(request.pictures) for request in server.requests] == [1, 3, 4]
    # What the model said stays as it was; its results and their pictures come in one message of the user.
    said = [message for message in given.trace.messages if message["type"] in ("human", "ai")]
    assert [message["type"] for message in said] == ["human", "ai", "human", "ai", "human", "ai"]
    blocks = said[2]["content"]
    assert [block["type"] for block in blocks] == ["text", "text", "image_url", "text", "image_url"]
    assert blocks[0]["text"].startswith(grammar_named(name).opens)
    assert blocks[0]["text"].index('"zoom"') < blocks[0]["text"].index('"distance_mm"')
    assert blocks[1]["text"].startswith("[picture 2]")
    written = json.dumps(server.requests[-1].body)
    assert json.dumps(WRITE[name]([CROP, RULER]))[1:-1] in written
    for word in ("functionCall", "functionResponse", "tool_calls", '"role": "tool"', "function_call_output"):
        assert word not in written


@pytest.mark.parametrize("name", GRAMMAR_NAMES)
async def test_a_broken_call_is_answered_with_the_reason(server, name):
    given = await ask(server, conversations(WRITE[name])["broken and unknown"], "chat", grammar=name)
    assert given.outcome is Outcome.ANSWERED
    answered = server.requests[1].body["messages"][-1]["content"][0]["text"]
    good, broken, unknown = (answered.index(word) for word in ('"distance_mm"', "could not be read", "unknown tool"))
    assert good < broken < unknown


@pytest.mark.parametrize("name", GRAMMAR_NAMES)
async def test_calls_that_stay_unreadable_end_the_sample(server, name):
    talk = text_calls.Conversation([text_calls.text(WRITE[name](["{ruler"]))] * 3, limits=Limits(broken_turns=3))
    given = await ask(server, talk, "chat", grammar=name)
    assert (given.outcome, len(given.trace.tool_calls)) == (Outcome.TOOL_PROTOCOL, 3)


async def test_a_call_the_service_read_by_itself_is_kept_as_hermes_writes_it(server):
    await ask(server, conversations(tagged)["read by the service"], "chat", grammar="hermes")
    assert server.requests[1].body["messages"][2] == {"role": "assistant", "content": tagged([RULER])}
    await ask(server, conversations(tagged)["read by the service, unreadable"], "chat", grammar="hermes")
    kept = server.requests[-1].body["messages"][2]["content"]
    assert kept == "So\n" + tagged([RULER, '{"x0": '])


async def test_a_grammar_changes_the_tool_paragraph_and_no_other_word(server):
    talks = conversations(fenced)
    given = {name: await ask(server, talks["must use"], "chat", grammar=name) for name in GRAMMAR_NAMES}
    given["off"] = await ask(server, talks["off"], "chat")
    assert len({one.prompt_sha256 for one in given.values()}) == 1
    assert len({one.prompt_with_tools_sha256 for one in given.values()}) == 4
    system = given["off"].trace.messages[0]["content"]
    assert all(one.trace.messages[0]["content"].startswith(system) for one in given.values())


async def test_own_words_stand_in_hermes_too(server):
    await ask(server, conversations(tagged)["own words"], "chat", grammar="hermes")
    system = server.requests[0].body["messages"][0]["content"]
    assert re.search(r"Own words: \[.*\] medvision\.\n\n# Tools\n", system)


def row(**settings):
    return MODEL_CONFIG.validate_python({"provider": "openai", "model": "m"} | settings)


def test_a_row_names_its_grammar():
    assert row(tool_calling="text", grammar="hermes").text_grammar == "hermes"
    assert row(tool_calling="text").text_grammar == "plain"
    assert row().text_grammar is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"tool_calling": "text", "grammar": "hermis"},
            r"grammar\n.*known: hermes, medvision, plain\. Did you mean 'hermes'\?",
        ),
        ({"grammar": "hermes"}, "grammar: needs tool_calling: text"),
        ({"tool_calling": "native", "grammar": "plain"}, "grammar: needs tool_calling: text"),
    ],
)
def test_a_grammar_that_cannot_be_is_refused_in_words(settings, said):
    with pytest.raises(ValueError, match=said):
        row(**settings)


def test_the_grammar_is_part_of_a_models_identity_where_tools_are_called_in_text():
    plain, named, hermes = (
        row(tool_calling="text", **own).identity() for own in ({}, {"grammar": "plain"}, {"grammar": "hermes"})
    )
    assert plain == named
    assert {key for key in plain if plain[key] != hermes[key]} == {"grammar"}
    assert "grammar" not in row().identity()
