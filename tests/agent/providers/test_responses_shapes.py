"""Replies of the responses interface in further shapes: read as what they say."""

from typing import Any

import pytest
from fake.replies import Reply, raw
from fake.servers import FINAL, GOOD

from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.providers.responses_shapes import read_output

ON = Condition.parse("on")


def output(*items: Any) -> Reply:
    """Reply with a bare response that has this output."""
    body = {"id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed"}
    usage = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}
    return raw(body | {"output": list(items), "usage": usage, "parallel_tool_calls": True, "tools": []})


def message(content: Any) -> dict[str, Any]:
    return {"type": "message", "id": "m1", "role": "assistant", "status": "completed", "content": content}


def calls_once(call: dict[str, Any]) -> Any:
    """Return a server whose model calls, and then answers."""

    def rule(request: Any) -> Reply:
        answered = any(item.get("type") == "function_call_output" for item in request.body["input"])
        return output(message([TEXT])) if answered else output(call)

    return rule


TEXT = {"type": "text", "text": FINAL}


@pytest.mark.parametrize(
    "items",
    [
        [message([TEXT])],
        [message([{"text": FINAL}])],
        [message([None, TEXT, None])],
        [message([FINAL])],
        [message(FINAL)],
        [message([{"type": "output_text", "text": FINAL, "annotations": None}])],
        [message([{"type": "output_text", "text": None}, TEXT])],
        [None, message(None), message([TEXT])],
    ],
)
async def test_a_text_is_read_whatever_its_part_is_called(ask, items):
    given = await ask(output(*items), wire="responses")
    assert (given.outcome, given.response) == (Outcome.ANSWERED, FINAL)


async def test_a_reply_that_says_nothing_is_no_answer(ask):
    assert (await ask(output(message([None])), wire="responses")).outcome is Outcome.NO_ANSWER


@pytest.mark.parametrize("written", [GOOD, {"x0": 1}, "from the left to the right", None])
async def test_a_custom_call_is_a_call_like_any_other(ask, server, written):
    custom = {"type": "custom_tool_call", "id": "ct_1", "call_id": "c1", "name": "ruler", "input": written}
    given = await ask(calls_once(custom), ON, wire="responses")
    assert (given.outcome, given.response) == (Outcome.ANSWERED, FINAL)
    ((tool, ok),) = [(use.tool, use.ok) for use in given.trace.tool_calls]
    assert (tool, ok) == ("ruler", written == GOOD)
    replayed = [item["type"] for item in server.requests[1].body["input"] if "call" in item.get("type", "")]
    assert replayed == ["function_call", "function_call_output"]


async def test_a_call_without_an_id_to_answer_it_by_gets_one(ask, server):
    call = {"type": "function_call", "id": "fc_1", "name": "ruler", "arguments": GOOD, "status": "completed"}
    assert (await ask(calls_once(call), ON, wire="responses")).outcome is Outcome.ANSWERED


def test_what_is_in_its_form_stays_as_it_is():
    usual = {"type": "output_text", "text": "a", "annotations": []}
    body = {"output": [{"type": "reasoning", "summary": []}, message([usual, {"type": "refusal", "refusal": "no"}])]}
    assert not read_output(body)
    assert not any(read_output(other) for other in (None, [], {}, {"output": None}))
