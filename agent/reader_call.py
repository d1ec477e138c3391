"""One request to a second reader: which numbers does a response give as its final answer?

Contract: the reader sees the response, how many numbers are wanted, and their names and unit: no image, no ground
truth, no arm. An error of the provider raises RequestFailed or ProviderError, as for a sample.
"""

import json
from collections.abc import Callable

from langchain_core.messages import HumanMessage

from medvision_agent.agent.chat.chat import Chat
from medvision_agent.agent.endings.finish import Finish
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.reader import MOST_CHARACTERS, MOST_REPLY, TEMPLATE, Reading, Wanted, numbers_in
from medvision_agent.agent.retry import call_model
from medvision_agent.agent.session import Waiting
from medvision_agent.prompts.render import render

__all__ = ["question", "read_response"]


async def read_response(
    chat: Chat,
    response: str,
    wanted: Wanted,
    waiting: Waiting,
    on_spent: Callable[[Usage], None] | None = None,
) -> Reading:
    """Return the numbers that the reader finds in a response, or why it finds none.

    *on_spent* is called with the tokens of each reply, unusable ones included. Raises RequestFailed if no proper reply
    arrives, and ProviderError if the provider refuses to work at all.
    """
    usage = Usage()

    def paid(more: Usage) -> None:
        nonlocal usage
        usage = usage + more
        if on_spent is not None:
            on_spent(more)

    # Half of a surrogate pair, which a file of JSON may hold, cannot be sent.
    shown = response[-MOST_CHARACTERS:].encode("utf-8", "replace").decode("utf-8")
    reply = await call_model(
        chat.bind(()),
        [HumanMessage(question(shown, wanted))],
        config=chat.config,
        read=chat.read,
        sleep=waiting.sleep,
        on_fault=waiting.on_fault,
        on_spent=paid,
        redact=chat.redact,
        pace=chat.pace,
    )
    turn = reply.turn
    paid(turn.usage)
    if turn.finish is Finish.STOP:
        numbers, why = numbers_in(turn.text, wanted.count, shown)
    else:
        numbers, why = (), f"the reader stopped: {turn.finish_raw or turn.finish}"
    return Reading(numbers, why, turn.text[-MOST_REPLY:], turn.model_version, usage)


def question(response: str, wanted: Wanted) -> str:
    """Return the reader's prompt, which asks for the numbers that *response* gives as its final answer."""
    example = json.dumps([f"{12.5 + place:g}" for place in range(wanted.count)])
    text = json.dumps(response, ensure_ascii=False)
    return render(TEMPLATE, response=text, count=wanted.count, what=wanted.what, example=example)
