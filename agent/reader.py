"""A second reader: a model that extracts the numbers of the final answer from one stored response.

Contract: its numbers count only if each of them, with its sign, occurs in the response; else the response is unread,
with a reason. It is asked in ``reader_call.py``, which needs what asks any model; stored readings do not.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from medvision_agent import prompts
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.models import ModelConfig
from medvision_agent.frozen import Frozen
from medvision_agent.text import plural

__all__ = ["MOST_CHARACTERS", "MOST_REPLY", "TEMPLATE", "Reader", "Reading", "Wanted", "numbers_in", "prompt_sha256"]
__all__ += ["stand_in"]

MOST_CHARACTERS = 20_000
"""Of a longer response the reader gets only the end, where the final answer is."""
MOST_REPLY = 2_000
"""Characters at the end of a reply that are read and kept."""
TEMPLATE = "checks/reader"
"""The prompt of the reader."""
_VALUE = r"(?:\d+(?:\.\d*)?|(?<!\.)\.\d+)(?:[eE][-+]?\d{1,3})?"
_NUMBER = re.compile(rf"[-+]?{_VALUE}")
_IN_TEXT = re.compile(rf"(?:(?<![A-Za-z0-9_.)])[-+])?(?<![A-Za-z_\d])(?<!\d\.){_VALUE}")
"""A dash after a digit, letter or bracket is not a sign (``10-12.5``). A digit after a letter is not a number."""
_MINUS = "\N{MINUS SIGN}"
_ARRAY = re.compile(r"\[[^\[\]]*\]")


@dataclass(frozen=True)
class Wanted:
    """What a task asks for, as stated to the reader: how many numbers, and which."""

    count: int
    what: str
    """Names of the wanted numbers, with the unit."""


@dataclass(frozen=True)
class Reading:
    """The result of a second reader (a language model) for one response: the numbers of its final answer."""

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
    return sha256((Path(prompts.__file__).parent / f"{TEMPLATE}.j2").read_bytes()).hexdigest()


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
        """Return the hash of the reader's model and of its request for *response*: equal keys mean equal requests."""
        return _hash([self.identity, self.prompt_sha256, asdict(wanted), response[-MOST_CHARACTERS:]])


def _hash(content: list[Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode("utf-8", "backslashreplace")).hexdigest()


def numbers_in(reply: str, count: int, response: str) -> tuple[tuple[str, ...], str]:
    """Return the *count* numbers in a reader's *reply* and "", or () and the reason why the reply is not used.

    The numbers count only if each of them occurs in *response*, the text that the reader was given.
    """
    arrays = _ARRAY.findall(reply[-MOST_REPLY:])
    try:
        # Numbers are kept as texts, as written.
        found = json.loads(arrays[-1], parse_float=str, parse_int=str, parse_constant=str)
    except (IndexError, ValueError):
        return (), "the reader's reply has no JSON array"
    if not found:
        return (), "the reader finds no answer"
    if len(found) != count or not all(isinstance(one, str) for one in found):
        return (), f"the reader's array does not have exactly {plural(count, 'text')}, one for each number asked for"
    numbers = tuple(one.strip().replace(_MINUS, "-") for one in found)
    if not all(_NUMBER.fullmatch(one) for one in numbers):
        return (), "the reader's array has a text that is no number"
    return (
        (numbers, "") if stand_in(numbers, response) else ((), "the reader names a number that is not in the response")
    )


def stand_in(numbers: Sequence[str], response: str) -> bool:
    """Return whether each text is a number that has the value of some number in the response."""
    if not all(_NUMBER.fullmatch(one) for one in numbers):
        return False
    there = {Decimal(one) for one in _IN_TEXT.findall(response.replace(_MINUS, "-"))}
    return all(Decimal(one) in there for one in numbers)
