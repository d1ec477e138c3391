"""Decide which values are calls: spellings of name and arguments, wrappers, and objects that only look like calls.

Contract: pure functions over values that were read completely. How much a value must look like a call depends on where
it is (``Place``): inside tags made for calls, in any fenced block, or in running text.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from medvision_agent.agent.chat.names import plain_name
from medvision_agent.agent.grammars.literals import Reader, UnreadableError

__all__ = ["ARGUMENT_KEYS", "Place", "Shape", "shapes"]

NAME_KEYS = ("name", "tool_name", "function_name", "tool", "function", "action")
ARGUMENT_KEYS = ("arguments", "parameters", "args", "params", "input", "kwargs", "tool_input", "action_input")
_WRAPPERS = ("tool_calls", "tool_call", "function_calls", "function_call", "calls", "function", "action", "command")
_BESIDE = frozenset({"id", "type", "index", "call_id", "tool_call_id"})
_REPORT = frozenset({"output", "result", "results", "response", "observation", "description"})
"""Keys of an object that reports a call or declares a tool, and is not a call."""
_EXACT = frozenset({"name", "arguments"})


class Place(IntEnum):
    """Where a value stands in the text: in running text, in a fenced block, or in tags made for calls."""

    PROSE = 0
    """Anywhere: only an object with the name of a declared tool and its arguments is a call."""
    FENCE = 1
    """A fenced block of unknown purpose: an object in exactly the requested form is also a call."""
    ENVELOPE = 2
    """Tags or a fence made for calls: everything in them was meant as a call."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A tool call found in a value: its name and arguments; with a ``problem`` it cannot be run."""

    name: str
    arguments: dict[str, Any]
    problem: str = ""


def shapes(value: Any, declared: Collection[str], place: Place, depth: int = 0) -> Iterator[Shape]:
    """Yield the calls in *value*, an object or a list of objects; *declared* are the tools, *depth* is the nesting.

    *place* says where the value stands in the text, and so how much it must look like a call.
    """
    if isinstance(value, list) and depth < 3:
        for item in value:
            yield from shapes(item, declared, place, depth + 1)
    elif isinstance(value, dict):
        inner = next((value[key] for key in _WRAPPERS if isinstance(value.get(key), dict | list)), None)
        if (shape := _shape(value, declared, place)) is not None:
            yield shape
        elif inner is not None and depth < 3:
            yield from shapes(inner, declared, place, depth + 1)
        elif place is Place.ENVELOPE:
            yield Shape("", {}, "it names no tool")
    elif place is Place.ENVELOPE:
        yield Shape("", {}, "it is no JSON object")


def _shape(value: dict[str, Any], declared: Collection[str], place: Place) -> Shape | None:
    name_key = next((key for key in NAME_KEYS if isinstance(value.get(key), str) and value[key].strip()), None)
    if name_key is None:
        return _keyed_by_name(value, declared) if place is Place.ENVELOPE else None
    name = plain_name(value[name_key], declared)
    key = next((key for key in ARGUMENT_KEYS if key in value), None)
    if place is not Place.ENVELOPE:
        if name not in declared and not (place is Place.FENCE and set(value) == _EXACT):
            return None
        alone = place is Place.FENCE and set(value) == {"name"}
        if (key is None and not alone) or _REPORT & set(value) or _declares(value.get(key or "")):
            return None
    if key is None:
        return Shape(name, {each: value[each] for each in value if each != name_key and each not in _BESIDE})
    arguments = _arguments(value[key])
    if arguments is None:
        return Shape(name, {}, f"its {key} are no JSON object")
    return Shape(name, arguments)


def _keyed_by_name(value: dict[str, Any], declared: Collection[str]) -> Shape | None:
    """Return the call in an object such as ``{"ruler": {...}}``, with a tool as its only key; else None."""
    ((name, arguments),) = value.items() if len(value) == 1 else (("", None),)
    return Shape(name, arguments) if name in declared and isinstance(arguments, dict) else None


def _declares(arguments: Any) -> bool:
    """Return whether *arguments* are the parameters of a repeated tool declaration, not the arguments of a call."""
    return isinstance(arguments, dict) and isinstance(arguments.get("properties"), dict)


def _arguments(written: Any) -> dict[str, Any] | None:
    """Return the arguments as an object, parsing a JSON string; null gives {}, anything else None."""
    if written is None:
        return {}
    if isinstance(written, str):
        reader = Reader(written.strip())
        try:
            written, end = reader.value(0)
        except UnreadableError:
            return None
        if end != len(reader.text):
            return None
    return {str(key): value for key, value in written.items()} if isinstance(written, dict) else None
