"""A second reader: a model that extracts the numbers of the final answer from one stored response.

Contract: the reader sees the response, how many numbers are wanted, and their names and unit: no image, no ground
truth, no arm. Its numbers count only if each of them, with its sign, occurs in the response; else the response is
unread, with a reason. An error of the provider raises RequestFailed or ProviderError, as for a sample.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from medvision_agent import prompts
from medvision_agent.agent.endings.finish import Finish
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.models import ModelConfig
from medvision_agent.frozen import Frozen
from medvision_agent.prompts.render import render

if TYPE_CHECKING:
    from medvision_agent.agent.chat.chat import Chat
    from medvision_agent.agent.session import Waiting

__all__ = ["MOST_CHARACTERS", "Reader", "Reading", "Wanted", "numbers_in", "prompt_sha256", "read_response", "stand_in"]

MOST_CHARACTERS = 20_000
"""Of a longer response the reader gets only the end, where the final answer is."""
_MOST_REPLY = 2_000
_TEMPLATE = "checks/reader"
_VALUE = r"(?:\d+(?:\.\d*)?|(?<!\.)\.\d+)(?:[eE][-+]?\d{1,3})?"
_NUMBER = re.compile(rf"[-+]?{_VALUE}")
_IN_TEXT = re.compile(rf"(?:(?<![A-Za-z0-9_.)])[-+])?(?<![A-Za-z_\d])(?<!\d\.){_VALUE}")
"""A dash after a digit, letter or bracket is not a sign (``10-12.5``). A digit after a letter is not a number."""
_MINUS = "\N{MINUS SIGN}"
_ARRAY = re.compile(r"\[[^\[\]]*\]")


@dataclass(frozen=True)
class Wanted:
    """What a task asks for, as stated to the reader."""

    count: int
    what: str
    """Names of the wanted numbers, with the unit."""


@dataclass(frozen=True)
class Reading:
    """The reader's result for one response."""

    numbers: tuple[str, ...] = ()
    """The numbers as the reader wrote them; empty if the response is unread."""
    unread: str = ""
    """Why the response is unread; empty if it was read."""
    reply: str = ""
    """The end of the reader's reply, from which the numbers are taken."""
    model_version: str | None = None
    usage: Usage = field(default_factory=Usage)


def prompt_sha256() -> str:
    """Return the hash of the reader's prompt template, which identifies its version."""
    return sha256((Path(prompts.__file__).parent / f"{_TEMPLATE}.j2").read_bytes()).hexdigest()


class Reader(Frozen):
    """The identity of a reader: its model and its prompt. Equal readers get the same request for each response."""

    name: str
    """Name of the model in the catalogue or the user's models."""
    identity: dict[str, Any]
    """The fields that define the model."""
    prompt_sha256: str

    @classmethod
    def of(cls, name: str, model: ModelConfig) -> Self:
        """Return *model* as a reader, with the current prompt."""
        identity = json.loads(json.dumps(model.identity(), default=str))
        return cls(name=name, identity=identity, prompt_sha256=prompt_sha256())

    @property
    def id(self) -> str:
        """Hash of the model and the prompt, without the model's name."""
        return _hash([self.identity, self.prompt_sha256])

    def key(self, response: str, wanted: Wanted) -> str:
        """Return the hash of the request for a response and of the reader's model."""
        return _hash([self.identity, self.prompt_sha256, asdict(wanted), response[-MOST_CHARACTERS:]])


def _hash(content: list[Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode("utf-8", "backslashreplace")).hexdigest()


async def read_response(
    chat: "Chat",
    response: str,
    wanted: Wanted,
    waiting: "Waiting",
    on_spent: Callable[[Usage], None] = lambda more: None,  # noqa: ARG005
) -> Reading:
    """Return which numbers the reader finds in a response; raises RequestFailed or ProviderError.

    *on_spent* gets all tokens, including those of unusable replies.
    """
    # Here, so that readings can be read without what asks a model.
    from langchain_core.messages import HumanMessage  # noqa: PLC0415

    from medvision_agent.agent.retry import call_model  # noqa: PLC0415

    usage = Usage()

    def paid(more: Usage) -> None:
        nonlocal usage
        usage = usage + more
        on_spent(more)

    # Half of a surrogate pair, which a file of JSON may hold, cannot be sent.
    shown = response[-MOST_CHARACTERS:].encode("utf-8", "replace").decode("utf-8")
    reply = await call_model(
        chat.bind(()),
        [HumanMessage(_question(shown, wanted))],
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
    return Reading(numbers, why, turn.text[-_MOST_REPLY:], turn.model_version, usage)


def _question(response: str, wanted: Wanted) -> str:
    example = json.dumps([f"{12.5 + place:g}" for place in range(wanted.count)])
    text = json.dumps(response, ensure_ascii=False)
    return render(_TEMPLATE, response=text, count=wanted.count, what=wanted.what, example=example)


def numbers_in(reply: str, count: int, response: str) -> tuple[tuple[str, ...], str]:
    """Return the numbers of a reader's reply and "", or () and the reason why they do not count."""
    arrays = _ARRAY.findall(reply[-_MOST_REPLY:])
    try:
        # Numbers are kept as texts, as written.
        found = json.loads(arrays[-1], parse_float=str, parse_int=str, parse_constant=str)
    except (IndexError, ValueError):
        return (), "the reader's reply holds no JSON array"
    if not found:
        return (), "the reader finds no answer"
    if len(found) != count or not all(isinstance(one, str) for one in found):
        return (), f"the reader's array is not one of {count} texts"
    numbers = tuple(one.strip().replace(_MINUS, "-") for one in found)
    if not all(_NUMBER.fullmatch(one) for one in numbers):
        return (), "what the reader names is no number"
    return (numbers, "") if stand_in(numbers, response) else ((), "what the reader names does not stand in the text")


def stand_in(numbers: Sequence[str], response: str) -> bool:
    """Return whether each text is a number that has the value of some number in the response."""
    if not all(_NUMBER.fullmatch(one) for one in numbers):
        return False
    there = {Decimal(one) for one in _IN_TEXT.findall(response.replace(_MINUS, "-"))}
    return all(Decimal(one) in there for one in numbers)
