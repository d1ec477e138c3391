"""What is read: text without thoughts, calls readable or not, why it stopped, tokens."""

import pytest
from fake.replies import blocked_prompt, calls, raw, refusal, text
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from medvision_agent.agent.chat.chat import Finish, visible_text
from medvision_agent.agent.chat.history import legal
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.retry import RequestFailed

LENGTH = {"gemini": "MAX_TOKENS", "chat": "length", "responses": "max_output_tokens"}


async def test_a_plain_answer(provider):
    turn = await provider.turn(text("about 12 mm"))
    assert (turn.text, turn.finish, turn.tool_calls) == ("about 12 mm", Finish.STOP, ())
    assert turn.usage == Usage(model_calls=1, input=1000, output=60, reasoning=40, cached=100)
    assert turn.usage.unreported == 0
    assert turn.model_version in {"fake-gemini-001", "fake-gpt-001"}


async def test_parts_of_one_text_are_put_together(gemini, responses):
    for provider in (gemini, responses):
        # One sentence cut into parts is put together again: a number must not be torn.
        assert (await provider.turn(text("<answer>0.4", "5</answer>"))).text == "<answer>0.45</answer>"


async def test_texts_with_something_between_stay_apart():
    between = [{"type": "text", "text": "I will compute."}, {"type": "thinking", "thinking": "7"}, "12 mm"]
    assert visible_text(AIMessage(between)) == "I will compute.\n12 mm"


async def test_missing_token_counts_are_counted_as_missing(provider):
    turn = await provider.turn(text("a", usage=None))
    assert turn.usage == Usage(model_calls=1, unreported=1)


async def test_thoughts_are_no_answer(gemini):
    turn = await gemini.turn(text("<answer>2</answer>", thoughts="<answer>1</answer>"))
    assert turn.text == "<answer>2</answer>"


async def test_everything_went_into_thinking(gemini):
    turn = await gemini.turn(text(thoughts="so long", finish="MAX_TOKENS"))
    assert (turn.text, turn.finish) == ("", Finish.LENGTH)


async def test_cut_off(provider):
    turn = await provider.turn(text("12", finish=LENGTH[provider.wire]))
    assert (turn.text, turn.finish, turn.finish_raw) == ("12", Finish.LENGTH, LENGTH[provider.wire])


async def test_an_empty_answer_is_an_answer(provider):
    turn = await provider.turn(text())
    assert (turn.text, turn.finish) == ("", Finish.STOP)
    assert not provider.faults, "asking again until there is an answer would favour the worse arm"


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST"])
async def test_blocked_gemini(gemini, reason):
    turn = await gemini.turn(text(finish=reason))
    assert (turn.finish, turn.finish_raw) == (Finish.BLOCKED, reason)
    assert not gemini.faults


async def test_blocked_prompt_gemini(gemini):
    turn = await gemini.turn(blocked_prompt("PROHIBITED_CONTENT"))
    assert (turn.text, turn.finish, turn.finish_raw) == ("", Finish.BLOCKED, "PROHIBITED_CONTENT")


async def test_refusal_openai(chat_completions, responses):
    for provider in (chat_completions, responses):
        turn = await provider.turn(refusal("I cannot help with that."))
        assert (turn.text, turn.finish, turn.finish_raw) == ("", Finish.BLOCKED, "refusal")


async def test_content_filter_openai(chat_completions, responses):
    for provider in (chat_completions, responses):
        assert (await provider.turn(text(finish="content_filter"))).finish is Finish.BLOCKED


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"])
async def test_calls_gemini_could_not_read(gemini, reason):
    turn = await gemini.turn(text(finish=reason))
    assert (turn.finish, turn.finish_raw) == (Finish.MALFORMED_CALL, reason)


async def test_unknown_reasons_are_a_class_of_their_own(provider):
    turn = await provider.turn(text("a", finish="SOMETHING_NEW"))
    assert (turn.text, turn.finish, turn.finish_raw) == ("a", Finish.UNKNOWN, "SOMETHING_NEW")


async def test_several_calls_in_order(provider):
    turn = await provider.turn(calls(("b", {"x": 1.5}), ("a", {}), ("b", {"x": 2.5})))
    assert turn.finish is Finish.TOOL_CALLS
    assert [(call["name"], call["args"]) for call in turn.tool_calls] == [
        ("b", {"x": 1.5}),
        ("a", {}),
        ("b", {"x": 2.5}),
    ]
    assert len({call["id"] for call in turn.tool_calls}) == 3


async def test_arguments_that_are_no_json(chat_completions, responses):
    """They come with an id, can be answered, and the conversation goes on."""
    for provider in (chat_completions, responses):
        provider.server.script([calls(("ruler", "{x0: 1"), ("ruler", {"x0": 1})), text("<answer>1</answer>")])
        async with open_model(provider.config(), environ=provider.environ) as chat:
            question = HumanMessage("q")
            said, turn = await provider.call(chat, [question])
            (bad,), (good,) = turn.invalid_tool_calls, turn.tool_calls
            assert (turn.finish, bad["name"], bad["args"]) == (Finish.TOOL_CALLS, "ruler", "{x0: 1")
            told = [ToolMessage("Error: not JSON", tool_call_id=bad["id"]), ToolMessage("1", tool_call_id=good["id"])]
            _, last = await provider.call(chat, [question, legal(said, turn, ["ruler"]), *told])
        assert last.text == "<answer>1</answer>"


@pytest.mark.parametrize("arguments", ["[1, 2]", "3", '"x"'])
async def test_arguments_that_are_no_object(chat_completions, responses, arguments):
    for provider in (chat_completions, responses):
        turn = await provider.turn(calls(("ruler", {"x0": 1}), ("ruler", arguments)))
        (good,), (bad,) = turn.tool_calls, turn.invalid_tool_calls
        assert (good["args"], bad["args"]) == ({"x0": 1}, arguments)
        assert turn.usage.unreported == 0
        assert not provider.faults, "the model's mistake, not the provider's: no second try"


async def test_null_arguments_are_none_at_all(chat_completions, responses):
    for provider in (chat_completions, responses):
        turn = await provider.turn(calls(("pixel_spacing", "null")))
        assert turn.finish is Finish.TOOL_CALLS
        assert len(turn.tool_calls) + len(turn.invalid_tool_calls) == 1


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(raw({"candidates": [{"index": 0}], "choices": [{"message": {"role": "assistant"}}]}), id="bare"),
        pytest.param(raw({"candidates": [], "choices": [], "output": None}), id="empty"),
        pytest.param(raw({}), id="nothing"),
        pytest.param(raw({"error": {"message": "overloaded"}}), id="error under 200"),
        pytest.param(raw("<html>Bad gateway</html>", content_type="text/html"), id="html"),
        pytest.param(raw('{"candidates": ['), id="half"),
        pytest.param(raw(None), id="null"),
    ],
)  # fmt: skip
async def test_replies_that_are_none(provider, reply):
    """Asked again; and if it stays like this, the sample has no result."""
    assert (await provider.turn(reply, text("there"))).text == "there"
    with pytest.raises(RequestFailed) as caught:
        await provider.turn(reply, reply, max_tries=2)
    assert (caught.value.fault.outcome, caught.value.tries) == ("bad_reply", 2)
    assert [number for _, number in provider.faults] == [1, 1, 2]
