"""MedVision's own tool protocol: its form read and written, two phases, one call, typed endings, bounded reading."""

import json
import time
from dataclasses import replace

import pytest
import text_calls
from fake.replies import text
from hypothesis import given, settings
from hypothesis import strategies as st
from text_calls import Conversation, ask, bodies

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.grammars.calls import READ
from medvision_agent.agent.grammars.grammar import Call, CallResult
from medvision_agent.agent.grammars.medvision import CALLS
from medvision_agent.agent.grammars.registry import grammar_named
from medvision_agent.agent.limits import Limits
from medvision_agent.errors import ConfigError
from medvision_agent.tools.registry import installed
from medvision_agent.tools.registry.offers import unfit_name

GRAMMAR = grammar_named("medvision")
NAMES = ["execute_python"]
CODE = "import math\nx1,y1=0.25,0.5\nx2,y2=0.75,0.5\nprint(round(math.sqrt(((x2-x1)*80*0.5)**2+((y2-y1)*60*1.0)**2),3))"


def called(code=CODE):
    return (
        f"<think> points </think><tool_call>{json.dumps({'name': NAMES[0], 'arguments': {'code': code}})}</tool_call>"
    )


ANSWER = "<answer> 20.0 </answer>"


async def talked(server, *replies, **fields):
    talk = Conversation([text(one) for one in replies], tools="upstream", **fields)
    return await ask(server, talk, "chat", grammar="medvision")


def last_said(server):
    return server.requests[-1].body["messages"][-1]["content"]


async def test_two_phases_a_call_and_the_answer(server):
    found = await talked(server, called(), ANSWER)
    assert (found.outcome, found.response, found.forced) == (Outcome.ANSWERED, ANSWER, False)
    assert [(one.tool, one.ok, one.text) for one in found.trace.tool_calls] == [
        ("execute_python", True, '{"printed": "20.0"}')
    ]
    assert [one.shown for one in found.trace.tool_calls] == [True]
    first, second = server.requests
    assert [message["role"] for message in first.body["messages"]] == ["system", "user"]
    assert [message["role"] for message in second.body["messages"]] == ["system", "user", "assistant", "user"]
    assert second.body["messages"][2]["content"] == called()
    assert last_said(server) == [{"type": "text", "text": "<tool_response>20.0</tool_response>"}]
    assert not any("tools" in body for body in bodies(server))


async def test_the_system_text_ends_in_the_schema_of_the_one_tool(server):
    await talked(server, ANSWER)
    schema = json.loads(server.requests[0].body["messages"][0]["content"].splitlines()[-1])
    assert schema == Condition.parse("upstream").schemas()[0]
    assert (schema["type"], schema["function"]["name"]) == ("function", "execute_python")
    assert schema["function"]["parameters"]["required"] == ["code"]
    assert list(schema["function"]["parameters"]["properties"]) == ["code"]


async def test_an_answer_without_a_call_ends_the_sample(server):
    found = await talked(server, ANSWER)
    assert (found.outcome, len(server.requests), found.trace.tool_calls) == (Outcome.ANSWERED, 1, [])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("<tool_call>{no json}</tool_call>", "no JSON"),
        ("<tool_call>[1, 2]</tool_call>", "it names no tool"),
        ('<tool_call>{"name": "execute_python", "arguments": {"code": 1e999}}</tool_call>', "no JSON"),
        ('<tool_call>{"name": "execute_python"}</tool_call>', "no object of arguments"),
        ('<tool_call>{"name": "execute_python", "arguments": {"code": "pri', "it is cut off"),
        ('<tool_call>{"name": "run", "arguments": {"code": "1"}}</tool_call>', "unknown tool 'run'"),
        ('<tool_call>{"name": "execute_python", "arguments": {"source": "1"}}</tool_call>', "code"),
        (called("import os"), "only"),
        (called("print(10**9000)"), "the power is too large"),
        (called("while True: pass"), "steps"),
        (called("#" * 5000), "at most 4000"),
    ],
)
async def test_what_cannot_be_run_is_told_as_an_error_counted_and_then_answered(server, written, said):
    found = await talked(server, written, ANSWER)
    assert found.outcome is Outcome.ANSWERED
    assert [one.ok for one in found.trace.tool_calls] == [False]
    told = last_said(server)[0]["text"]
    assert told.startswith("<tool_response>ERROR: ")
    assert said in told


async def test_a_second_call_of_a_message_is_not_run(server):
    found = await talked(server, called() + called("print(1)"), ANSWER)
    assert [one.ok for one in found.trace.tool_calls] == [True, False]
    assert "the limit of 1 tool calls is reached" in last_said(server)[0]["text"]


async def test_a_call_in_the_second_phase_ends_the_sample_without_an_answer(server):
    found = await talked(server, called(), called())
    assert (found.outcome, len(server.requests), len(found.trace.tool_calls)) == (Outcome.LIMIT_REACHED, 2, 1)


async def test_a_call_that_prints_nothing_is_answered_with_nothing_and_that_is_shown(server):
    found = await talked(server, called("x = 1"), ANSWER)
    assert [(one.ok, one.shown) for one in found.trace.tool_calls] == [(True, True)]
    assert last_said(server)[0]["text"] == "<tool_response></tool_response>"


async def test_the_second_phase_is_asked_at_the_limits_too_and_is_not_forced(server):
    found = await talked(server, called(), ANSWER, limits=Limits(model_calls=2, tokens=1))
    assert (found.outcome, found.forced) == (Outcome.ANSWERED, False)


async def test_a_call_without_its_closing_tag_at_the_end_is_read(server):
    found = await talked(server, called().removesuffix("</tool_call>"), ANSWER)
    assert [one.ok for one in found.trace.tool_calls] == [True]


async def test_a_call_in_another_form_is_no_answer(server):
    written = f"```tool_call\n{json.dumps({'name': NAMES[0], 'arguments': {'code': 'print(1)'}})}\n```"
    assert (await talked(server, written)).outcome is Outcome.TOOL_PROTOCOL


def test_results_are_told_bare_and_errors_as_errors():
    told = GRAMMAR.answer(
        [
            CallResult("call_1", NAMES[0], '{"printed": "1.5, 2"}', True, []),
            CallResult("call_2", NAMES[0], "Error: no", False, []),
            CallResult("call_3", "ruler", '{"distance_mm": 3, "printed": ""}', True, []),
        ]
    )
    assert told.splitlines() == [
        "<tool_response>1.5, 2</tool_response>",
        "<tool_response>ERROR: no</tool_response>",
        '<tool_response>{"distance_mm": 3, "printed": ""}</tool_response>',
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.builds(Call, st.sampled_from([*NAMES, "ruler"]), st.dictionaries(st.text(), JSON)), max_size=4))
@settings(max_examples=60)
def test_what_is_written_is_read_back(calls):
    read = GRAMMAR.read(f"Look.\n{GRAMMAR.write(calls)}", NAMES)
    assert [(one["name"], one["args"]) for one in read.calls] == [(one.name, one.arguments) for one in calls]
    assert read.invalid == ()
    assert read.prose == "Look.\n"


PIECES = [
    "<tool_call>",
    "</tool_call>",
    '{"name": "execute_python", "arguments": {"code": "1"}}',
    "[",
    '{"a":',
    '"',
    "1e999",
]
TEXTS = st.lists(st.sampled_from([*PIECES, "NaN", "\\", "é", "<think>"]) | st.text(max_size=5), max_size=30).map(
    "".join
)


@given(TEXTS)
@settings(max_examples=150)
def test_reading_never_raises_and_loses_no_text_without_a_mark(written):
    read = GRAMMAR.read(written, NAMES)
    found = len(read.calls) + len(read.invalid)
    assert (found > 0) == ("<tool_call>" in written)
    assert found or read.prose == written
    assert all(one["error"] for one in read.invalid)
    assert all(isinstance(one["args"], dict) and one["name"] for one in read.calls)


@pytest.mark.parametrize(
    "written",
    [
        "<tool_call>" * 90_000,
        "<tool_call>" + "[" * 900_000,
        "<tool_call></tool_call>" * 40_000,
        "<tool_call>" + "9" * 99_000,
    ],
)
def test_reading_takes_bounded_time(written):
    started = time.process_time()
    read = GRAMMAR.read(written, NAMES)
    assert time.process_time() - started < 2
    assert 0 < len(read.invalid) <= CALLS + 1
    assert all(len(str(one["args"])) <= 1000 for one in read.invalid)


def test_what_stands_beyond_the_bound_is_no_call():
    read = GRAMMAR.read("x" * READ + called(), NAMES)
    assert (read.calls, read.invalid) == ((), ())


def test_the_condition_is_one_tool_and_one_call():
    upstream = Condition.parse("upstream")
    assert (upstream.name, upstream.calls, upstream.tool_set) == ("upstream", 1, "")
    assert [tool.name for tool in upstream.tools] == NAMES
    assert upstream.identity()["condition"] == "upstream"
    assert Condition.parse("blind/upstream").calls == 1
    assert Condition.parse("execute_python").calls is None
    assert not installed().sets_of("execute_python"), "in no dated set"
    assert unfit_name("upstream")
    with pytest.raises(ConfigError):
        Condition.parse("on,upstream")


async def test_other_tools_can_be_called_in_this_form_too(server):
    talk = text_calls.conversations(lambda written: "".join(f"<tool_call>{one}</tool_call>" for one in written))
    found = await ask(server, replace(talk["two calls, then one"], wires=("chat",)), "chat", grammar="medvision")
    assert (found.outcome, [one.ok for one in found.trace.tool_calls]) == (Outcome.ANSWERED, [True] * 3)
