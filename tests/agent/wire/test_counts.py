"""Token counts that are none: the reply is kept, and its usage is not reported."""

import pytest
from fake import wires
from fake.replies import raw, text

from medvision_agent.agent.endings.usage import Usage

NAMES = {
    "chat": ("usage", "prompt_tokens", "completion_tokens"),
    "responses": ("usage", "input_tokens", "output_tokens"),
    "gemini": ("usageMetadata", "promptTokenCount", "candidatesTokenCount"),
}
NO_COUNTS = [None, -5, 10**30, 1e300, 12.5, "12", True, {}, [1]]


def reply(provider, usage):
    """Return a good reply with this in the place of its token counts."""
    return raw(wires.answer(provider.wire, text("fine"), 1) | {NAMES[provider.wire][0]: usage})


@pytest.mark.parametrize("usage", [None, {}, {"total_tokens": 110, "totalTokenCount": 110}, "none", [1], 7])
async def test_usage_that_is_missing_or_partial(provider, usage):
    turn = await provider.turn(reply(provider, usage))
    assert (turn.text, turn.usage) == ("fine", Usage(model_calls=1, unreported=1))


@pytest.mark.parametrize("count", NO_COUNTS, ids=str)
@pytest.mark.parametrize("which", [1, 2])
async def test_counts_that_are_none(provider, which, count):
    counts = dict.fromkeys(NAMES[provider.wire][1:], 10) | {NAMES[provider.wire][which]: count}
    turn = await provider.turn(reply(provider, counts))
    assert (turn.text, turn.usage) == ("fine", Usage(model_calls=1, unreported=1))


async def test_details_that_are_no_counts(chat_completions):
    counts = {"prompt_tokens": 10, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": "x"}}
    turn = await chat_completions.turn(reply(chat_completions, counts))
    assert (turn.text, turn.usage.unreported) == ("fine", 1)
