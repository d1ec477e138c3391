"""The key of a model's row that solves a server's complaint: a table and one function."""

import re

__all__ = ["with_hint"]

_HINTS = {
    "set system_role: fold": (
        r"system (role|message|prompt)s?\b.{0,40}not (supported|allowed)|does not support system|roles? must alternate"
    ),
    "set user_after_tool: false": r"role '?user'? after role '?tool'?",
    "set pictures_per_request to what the server takes": (
        r"at most \d+ image|(too many|number of|multiple) images|only (one|1|a single) image"
    ),
    "set return_reasoning: false": (
        r"reasoning(_content|_details)?['\"`]?.{0,60}(unsupported|not (permitted|supported)|unexpected|unknown|extra)"
        r"|(extra inputs|unknown|unrecognized|unexpected|unsupported).{0,80}reasoning"
    ),
    "set empty_content: empty": (
        r"content.{0,60}(null|none\b|should be a valid string|must be a string|expected string)"
    ),
    "set tool_calling: text; or start the server with --enable-auto-tool-choice and --tool-call-parser NAME": (
        r"tool choice requires --enable-auto-tool-choice"
    ),
    "let the server read tool calls, or set tool_calling: text": (
        r"does not support (tool|function)|support tool use"
        r"|tool( use|s|[ _]calls|[ _]calling)? (is|are) not supported"
    ),
    "set images_in_tool_result: false": r"tool message.{0,40}only supports? text",
    "set tool_choice_none: false": r"tool_choice.{0,60}none.{0,60}(not|un)",
    "set output_limit_key: max_tokens": (
        r"max_completion_tokens.{0,80}(unsupported|not (supported|permitted)|unknown|unrecognized|extra)"
        r"|(unsupported|extra inputs|unknown|unrecognized).{0,80}max_completion_tokens"
    ),
}
_PATTERNS = tuple((re.compile(words, re.IGNORECASE | re.DOTALL), hint) for hint, words in _HINTS.items())


def with_hint(detail: str) -> str:
    """Return a server's message, followed by the key of the model's row that solves it; unchanged if none is known."""
    hint = next((hint for pattern, hint in _PATTERNS if pattern.search(detail)), "")
    return f"{detail} (in the model's row: {hint})" if hint else detail
