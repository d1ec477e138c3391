"""The graph with a scripted model: order of replies, limits, endings, parity of the two arms."""

import json
from dataclasses import replace

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from medvision_agent.agent.answer import answer
from medvision_agent.agent.chat.chat import Chat, usage_of
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.policies.scripted import Scripted

ON, OFF = Condition.parse("on"), Condition.parse("off")
RULER = ("ruler", {"view": "v0", "x0": 0.25, "y0": 0.5, "x1": 0.75, "y1": 0.5})
CROP = ("crop", {"view": "v0", "x0": 0.0, "y0": 0.0, "x1": 0.5, "y1": 0.5, "zoom": 2})


class Counting(Scripted):
    """Reports 60 tokens in and 50 out for each turn."""

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        result = super()._generate(messages, stop, run_manager, **kwargs)
        result.generations[0].message.usage_metadata = {"input_tokens": 60, "output_tokens": 50, "total_tokens": 110}
        return result


class CountedChat(Chat):
    """Believes what an offline model reports, as it would a service."""

    def read(self, message):
        return replace(super().read(message), usage=usage_of(message))


def counted(chat):
    return CountedChat(chat.config, Counting(name="counting", turns=chat.model.turns))


def kinds(given):
    return [message["type"] for message in given.trace.messages]


def texts(given, kind):
    return [message["content"] for message in given.trace.messages if message["type"] == kind]


async def test_answer_without_tools(question, scripted):
    given = await answer(question, OFF, scripted("<answer>12.0</answer>"), Limits())
    assert (given.outcome, given.response, given.forced) == (Outcome.ANSWERED, "<answer>12.0</answer>", False)
    assert kinds(given) == ["system", "human", "ai"]
    assert given.usage.model_calls == 1


async def test_calls_of_one_turn_are_answered_in_order_pictures_after_them(question, scripted):
    chat = scripted([RULER, ("pixel_spacing", {}), ("no_such_tool", {}), CROP], "done <answer>20</answer>")
    given = await answer(question, ON, chat, Limits())
    assert kinds(given) == ["system", "human", "ai", "tool", "tool", "tool", "human", "ai"]
    tools = [message for message in given.trace.messages if message["type"] == "tool"]
    assert [message["tool_call_id"] for message in tools] == ["call_0", "call_1", "call_3"]
    assert json.loads(tools[0]["content"])["distance_mm"] == pytest.approx(20.0)
    assert json.loads(tools[0]["content"])["picture"] == "picture 2"
    assert json.loads(tools[2]["content"])["view"] == "v1"
    pictures = given.trace.messages[6]["content"]
    assert pictures[0]["text"] == "Tool output"
    assert pictures[1]["text"].startswith("Error: unknown tool 'no_such_tool'")
    assert [block["text"][:11] for block in pictures[2:] if block["type"] == "text"] == ["[picture 2]", "[picture 3]"]
    assert [call.ok for call in given.trace.tool_calls] == [True, True, False, True]


async def test_views_of_earlier_turns_can_be_used(question, scripted):
    inside = ("ruler", {"view": "v1", "x0": 0.0, "y0": 0.0, "x1": 1.0, "y1": 0.0})
    given = await answer(question, ON, scripted([CROP], [inside], "<answer>20</answer>"), Limits())
    assert json.loads(texts(given, "tool")[1])["distance_mm"] == pytest.approx(20.0)


async def test_pictures_are_in_the_trace_by_hash(question, scripted):
    given = await answer(question, ON, scripted([CROP], "<answer>20</answer>"), Limits())
    assert len(given.trace.pictures) == 2
    written = json.dumps(given.trace.messages)
    assert "base64" not in written
    assert all(key in written for key in given.trace.pictures)
    assert given.v0_sha256 in given.trace.pictures
    assert given.trace.tool_calls[0].picture in given.trace.pictures


async def test_at_the_tool_limit_one_last_turn_is_forced(question, scripted):
    chat = scripted([RULER, RULER, RULER], "<answer>1</answer>")
    given = await answer(question, ON, chat, Limits(tool_calls=2))
    assert given.forced
    assert given.outcome is Outcome.ANSWERED
    assert texts(given, "tool")[2].startswith("Error: not run: the limit of 2 tool calls")
    assert kinds(given)[-2:] == ["human", "ai"]
    assert "limit" in texts(given, "human")[-1]


async def test_model_that_never_stops_calling_ends_as_limit_reached(question, scripted):
    given = await answer(question, ON, scripted([RULER]), Limits(model_calls=4))
    assert (given.outcome, given.forced, given.response) == (Outcome.LIMIT_REACHED, True, "")
    assert given.usage.model_calls == 4


async def test_seconds_force_an_answer(question, scripted):
    given = await answer(question, ON, scripted([RULER], "<answer>1</answer>"), Limits(seconds=1e-9))
    assert given.forced
    assert given.outcome is Outcome.ANSWERED


async def test_tokens_force_an_answer(question, scripted):
    counting = counted(scripted([RULER], [RULER], [RULER], "<answer>1</answer>"))
    assert not (await answer(question, ON, counting, Limits(tokens=10_000))).forced
    given = await answer(question, ON, counting, Limits(tokens=200))
    assert given.forced
    assert given.usage.input == 180


@pytest.mark.parametrize(
    ("limits", "turns"),
    [
        (Limits(), 4),
        (Limits(model_calls=5), 4),
        (Limits(model_calls=4), 3),  # the last turn is kept for a forced answer, as in every arm
        (Limits(model_calls=2), 1),
        (Limits(tokens=200), 2),
        (Limits(tokens=110), 1),
        (Limits(seconds=1e-9), 1),
    ],
)
async def test_again_keeps_to_the_limits_of_a_sample(question, scripted, limits, turns):
    answers = [f"<answer>{number}</answer>" for number in range(1, 6)]
    given = await answer(question, Condition.parse("again:3"), counted(scripted(*answers)), limits)
    assert given.usage.model_calls == turns
    assert (given.outcome, given.response) == (Outcome.ANSWERED, answers[turns - 1])
    assert kinds(given).count("human") == turns  # the question, and the checks that were answered


async def test_unreadable_turns_count_in_a_row_only(question, scripted):
    class Stumbling(Scripted):
        def next_message(self, messages, **kwargs):
            message = super().next_message(messages, **kwargs)
            spoken = sum(isinstance(one, AIMessage) for one in messages)
            if message.tool_calls and spoken % 2:
                call = {"name": "ruler", "args": "{", "id": f"bad_{spoken}", "error": None, "type": "invalid_tool_call"}
                return AIMessage("", invalid_tool_calls=[call])
            return message

    chat = scripted([RULER], [RULER], [RULER], [RULER], [RULER], "<answer>1</answer>")
    stumbling = type(chat)(chat.config, Stumbling(name="stumbling", turns=chat.model.turns))
    given = await answer(question, ON, stumbling, Limits(broken_turns=2))
    assert given.outcome is Outcome.ANSWERED
    assert [call.ok for call in given.trace.tool_calls] == [True, False, True, False, True]


async def test_a_fault_of_ours_keeps_the_trace(question, scripted):
    class Failing(Scripted):
        def next_message(self, messages, **kwargs):
            if len(messages) > 2:
                raise ZeroDivisionError("inside the policy")
            return super().next_message(messages, **kwargs)

    chat = scripted([RULER])
    failing = type(chat)(chat.config, Failing(name="failing", turns=chat.model.turns))
    given = await answer(question, ON, failing, Limits())
    assert given.outcome is Outcome.INTERNAL
    assert "inside the policy" in given.detail
    assert len(given.trace.tool_calls) == 1


async def test_empty_final_message_is_no_answer(question, scripted):
    given = await answer(question, OFF, scripted(" \n"), Limits())
    assert given.outcome is Outcome.NO_ANSWER


async def test_bad_arguments_come_back_and_the_loop_goes_on(question, scripted):
    bad = ("ruler", {"view": "v9", "x0": 0, "y0": 0, "x1": 1, "y1": 1})
    worse = ("ruler", {"x0": "left"})
    given = await answer(question, ON, scripted([bad, worse], "<answer>1</answer>"), Limits())
    assert all(text.startswith("Error:") for text in texts(given, "tool"))
    assert given.outcome is Outcome.ANSWERED


async def test_arms_differ_by_the_tool_paragraph_only(question, scripted):
    off = await answer(question, OFF, scripted("<answer>1</answer>"), Limits())
    on = await answer(question, ON, scripted("<answer>1</answer>"), Limits())
    some = await answer(question, Condition.parse("ruler"), scripted("<answer>1</answer>"), Limits())
    assert off.prompt_sha256 == on.prompt_sha256 == some.prompt_sha256
    assert off.v0_sha256 == on.v0_sha256
    assert len({off.prompt_with_tools_sha256, on.prompt_with_tools_sha256, some.prompt_with_tools_sha256}) == 3
    assert off.trace.messages[1] == on.trace.messages[1]
    system_off, system_on = texts(off, "system")[0], texts(on, "system")[0]
    assert system_on.startswith(system_off)
    assert "ruler" not in system_off


async def test_pictures_may_travel_inside_tool_messages(question, scripted):
    chat = scripted([CROP], "<answer>1</answer>", images_in_tool_result=True)
    given = await answer(question, ON, chat, Limits())
    assert kinds(given) == ["system", "human", "ai", "tool", "ai"]
    assert [block["type"] for block in given.trace.messages[3]["content"]] == ["text", "text", "image_url"]


async def test_message_classes_on_the_way(question, scripted):
    """The history a model gets is system, user, then its own turns and their replies."""
    chat = scripted([CROP], "<answer>1</answer>")
    seen = []
    original = type(chat.model).next_message

    class Listening(type(chat.model)):
        def next_message(self, messages, **kwargs):
            seen.append([type(message) for message in messages])
            return original(self, messages, **kwargs)

    listening = Listening(name="scripted", turns=chat.model.turns)
    await answer(question, ON, type(chat)(chat.config, listening), Limits())
    assert seen == [
        [SystemMessage, HumanMessage],
        [SystemMessage, HumanMessage, AIMessage, ToolMessage, HumanMessage],
    ]
