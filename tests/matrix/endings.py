"""What a server may send to end a reply: one fault for every row of the program's tables, and what is right for it.

The rows are the tables' own (``agent/endings/finish.py``, ``agent/wire/words.py``), so that none can be forgotten; what
follows from the meaning of a row is written here by hand.
"""

from http import HTTPStatus
from typing import NamedTuple, get_args

from fake import wires
from fake.replies import DROP, Reply, cut, error, raw, text
from openai.types.responses import ResponseStatus

from medvision_agent.agent.endings.finish import CHAT, GEMINI, RESPONSES, Finish
from medvision_agent.agent.wire import words

STOPS = "stops the run"
TABLES = {"chat": CHAT, "gemini": GEMINI, "responses": RESPONSES}
ENDINGS = {
    Finish.STOP: "answered",
    Finish.TOOL_CALLS: "answered",  # without a call: told once, then taken for what it says
    Finish.LENGTH: "limit_reached",
    Finish.BLOCKED: "refused",
    Finish.MALFORMED_CALL: "tool_protocol",
    Finish.BROKEN_OFF: "bad_reply",
    Finish.UNKNOWN: "unknown_ending",
}
"""How a sample ends whose reply says its answer and stops for this reason."""
UNKNOWN_REASON = "a_reason_nobody_knows"
NO_STANDARD = (209, 299, 419, 420, 430, 444, 449, 460, 494, 498, 499, 509, 520, 522, 524, 527, 529, 530, 561, 598, 599)
"""Statuses of gateways and of servers of models that stand in no standard."""
STATUSES = sorted({*words.TEMPORARY, *words.NEVER, *(status.value for status in HTTPStatus), *NO_STANDARD})
SAYS_MORE = {
    "context_length_exceeded": "context_overflow",
    "image_content_policy_violation": "refused",
    "tool_use_failed": "tool_protocol",
    "insufficient_quota": STOPS,
}
"""Words of an error object that say more than the status they stand for."""
BODIES: dict[str, dict[str, Reply]] = {
    "bad_reply": {
        "null": raw("null"),
        "half of JSON": raw('{"choices": [{"mess'),
        "a page": raw("<html></html>", content_type="text/html"),
        "nothing chosen": raw({"choices": [], "candidates": []}),
        "an error without a code": raw({"error": {"message": "upstream went away"}}),
    },
    "rate_limited": {"429 in the body": raw({"error": {"message": "slow down", "code": 429}})},
    STOPS: {
        "401 in the body": raw({"error": {"message": "no such key", "code": 401}}),
        "a daily quota": error(429, "Quota exceeded for metric: GenerateRequestsPerDayPerProjectPerModel"),
    },
    "context_overflow": {
        "overflow in the body": raw({"error": {"message": "maximum context length is 9 tokens", "code": 400}}),
        "overflow": error(400, "This model's maximum context length is 4096 tokens"),
    },
    "connection": {"a dropped connection": DROP, "half a reply": cut(text("<answer>8.0</answer>"))},
}


class Ending(NamedTuple):
    """A reply that ends a sample, and the class that is right for it."""

    kind: str
    """The table it comes from, in words."""
    name: str
    reply: Reply
    first: str
    """The class as the very first reply of a run."""
    later: str
    """The class after a tool call."""


def endings(wire: str) -> list[Ending]:
    """Return one fault for each row of the tables of a wire, and bodies that stand in none."""
    reasons = {**TABLES[wire], UNKNOWN_REASON: Finish.UNKNOWN}
    found = [_same("finish reasons", name, _stopped(wire, name), ENDINGS[why]) for name, why in reasons.items()]
    found += [_status("statuses", str(status), error(status), status) for status in STATUSES if _sent(status)]
    for word, status in words._STATUS.items():
        reply, kind = raw({"error": {"message": "it says no more", "code": word}}), "error objects under status 200"
        more = SAYS_MORE.get(word)
        found.append(_same(kind, word, reply, more) if more else _status(kind, word, reply, status))
    for right, bodies in BODIES.items():
        found += [_same("bodies", name, reply, right) for name, reply in bodies.items()]
    return found


def _same(kind: str, name: str, reply: Reply, right: str) -> Ending:
    return Ending(kind, name, reply, right, right)


def _status(kind: str, name: str, reply: Reply, status: int) -> Ending:
    """A refusal of the conversation is the server's rule where no sample ever got further: no result."""
    if status in {400, 422}:
        return Ending(kind, name, reply, STOPS, "unsupported")
    return _same(kind, name, reply, meaning(status))


def meaning(status: int) -> str:
    """Return the class of a status that says no more; 400 and 422 depend on the place in the conversation."""
    if status == 429:
        return "rate_limited"
    if (outcome := words.TEMPORARY.get(status)) is not None:
        return outcome.value
    if status >= 500:
        return "server_error"
    return STOPS if status < 400 or status in words.NEVER else "gateway"


def _sent(status: int) -> bool:
    """Leave out what announces another reply, and most of the hundred rows of success."""
    return status >= 300 or (status >= 200 and (status < 210 or status in NO_STANDARD))


def _stopped(wire: str, reason: str) -> Reply:
    said = "<answer>8.0</answer>"
    if wire != "responses" or reason not in get_args(ResponseStatus):
        return text(said, finish=reason)
    return raw({**wires.answer(wire, text(said), 1), "status": reason})
