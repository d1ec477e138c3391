"""Compatible servers that deviate from OpenAI's chat completions in the usual ways are read all the same."""

from typing import Any

import pytest
from fake.replies import raw, text
from langchain_core.messages import HumanMessage, ToolMessage

from medvision_agent.agent.chat.chat import Finish
from medvision_agent.agent.chat.history import legal, settled
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.tools.ruler import ruler


def body(message: dict[str, Any], finish: str = "stop", **more: Any) -> dict[str, Any]:
    """Return a bare reply: what the smallest servers send."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"choices": [choice], "model": "small", **more}


CALL = {"type": "function", "function": {"name": "ruler", "arguments": '{"x0": 0.1, "y0": 0, "x1": 1, "y1": 1}'}}


@pytest.mark.parametrize("extra", [{}, {"usage": None}, {"id": None, "created": None, "object": None}])
async def test_bare_replies(chat_completions, extra):
    turn = await chat_completions.turn(raw(body({"content": "12.0"}, **extra)))
    assert (turn.text, turn.finish, turn.usage.unreported) == ("12.0", Finish.STOP, 1)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
@pytest.mark.parametrize("content", ["<answer>12.0</answer>", "", None])
async def test_reasoning_fields_are_no_answer(chat_completions, field, content):
    turn = await chat_completions.turn(raw(body({"content": content, field: "perhaps <answer>99</answer>"})))
    assert turn.text == (content or "")
    assert turn.finish is Finish.STOP


async def test_content_in_parts(chat_completions):
    parts = [{"type": "text", "text": "12"}, {"type": "text", "text": ".5"}]
    turn = await chat_completions.turn(raw(body({"content": parts})))
    assert turn.text == "12.5"


@pytest.mark.parametrize("number", [{}, {"id": None}, {"id": ""}])
async def test_calls_without_ids_are_answered(chat_completions, number):
    reply = body({"content": None, "tool_calls": [{**CALL, **number}]}, finish="tool_calls")
    chat_completions.server.script([raw(reply), text("done")])
    async with open_model(chat_completions.config(), environ=chat_completions.environ) as chat:
        message, turn = await chat_completions.call(chat, [HumanMessage("q")], [ruler.schema()])
        assert [call["args"]["x0"] for call in turn.tool_calls] == [0.1]
        assert turn.finish is Finish.TOOL_CALLS
        turn = settled(turn, ["ruler"], ())
        kept = legal(message, turn, ["ruler"])
        answer = ToolMessage("5", tool_call_id=turn.tool_calls[0]["id"], name="ruler")
        _, last = await chat_completions.call(chat, [HumanMessage("q"), kept, answer], [ruler.schema()])
    assert last.text == "done"
    (sent,) = chat_completions.requests[1].body["messages"][1]["tool_calls"]
    assert sent["id"] == "call00001"  # nine letters and digits


async def test_a_call_under_finish_reason_stop_is_a_call(chat_completions):
    reply = body({"content": "", "tool_calls": [{"id": "a", **CALL}]}, finish="stop")
    turn = await chat_completions.turn(raw(reply))
    assert turn.calls_a_tool
    assert turn.finish is Finish.TOOL_CALLS


async def test_arguments_sent_as_an_object_are_read(chat_completions):
    call = {"id": "a", "type": "function", "function": {"name": "ruler", "arguments": {"x0": 0.1}}}
    turn = await chat_completions.turn(raw(body({"content": "", "tool_calls": [call]}, finish="tool_calls")))
    assert [one["args"] for one in turn.tool_calls] == [{"x0": 0.1}]
