"""Remove invalid token counts from the body of a reply, so that they are "not reported" instead of zero.

The adapters read a missing or null count as 0, and lose the whole reply if a count is not a whole number.
"""

from typing import Any

from medvision_agent.agent.endings.usage import MOST_TOKENS

__all__ = ["drop_false_counts"]

_PLACES = {
    "usage": (("prompt_tokens", "completion_tokens"), ("input_tokens", "output_tokens")),
    "usageMetadata": (("promptTokenCount",),),  # a blocked prompt has no candidates
}
"""Keys of token counts in a body, and the required counts: chat completions, responses; Gemini."""


def drop_false_counts(content: Any) -> bool:
    """Remove incomplete or invalid token counts from a body in place; return whether any were removed."""
    if not isinstance(content, dict):
        return False
    false = [place for place in _PLACES if content.get(place) is not None and not _counts(content[place], place)]
    for place in false:
        del content[place]
    return bool(false)


def _counts(usage: Any, place: str) -> bool:
    if not isinstance(usage, dict):
        return False
    complete = any(all(_count(usage.get(name)) for name in names) for names in _PLACES[place])
    return complete and all(_count(value) for value in _values(usage))


def _values(usage: dict[str, Any]) -> list[Any]:
    """Return all values of *usage* that must be counts: of keys that name tokens, also within details; no nulls."""
    details = [value for name, value in usage.items() if _details(name) and isinstance(value, dict)]
    named = [(name, value) for one in (usage, *details) for name, value in one.items() if "token" in name.lower()]
    return [value for name, value in named if value is not None and not _details(name)]


def _details(name: str) -> bool:
    return name.lower().endswith("details")


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS
