"""The grammar `medvision`: tool calls in text in the form of MedVision's own package (medvision_bm 1.2.1).

The form is that package's: a tool is declared by the JSON object of its function schema in the system text; a call is a
JSON object with ``name`` and ``arguments`` between ``<tool_call>`` tags; what the tool printed comes back, bare,
between ``<tool_response>`` tags, and an error as text that begins with ``ERROR:``. The sentences around are new.

Contract: reading is strict, never raises and takes time linear in the text. Only the first ``READ`` characters are
read. Between the tags there must be one JSON object; anything else is an invalid call with a reason. A last call may
lack its closing tag if its JSON is complete: a server that stops at the tag does not send it.
"""

import json
import math
import re
from collections.abc import Collection, Sequence
from typing import NoReturn

from medvision_agent.agent.grammars.calls import READ, parsed
from medvision_agent.agent.grammars.grammar import Call, CallResult, Declared, Parsed

__all__ = ["CALLS", "MedVision", "told"]

CALLS = 32
"""Maximum number of calls read in one message; all further ones become a single invalid call."""
_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_NAME = re.compile(r'"name"\s{0,9}:\s{0,9}"([A-Za-z_][\w.-]{0,80})"')
_FORM = 'expected a JSON object {"name": ..., "arguments": {...}} between the tags'


class MedVision:
    """The grammar `medvision`: unchanged function schemas; each call and each result between its own tags."""

    opens = "<tool_response>"

    def paragraph(self, tools: Declared) -> str:
        """Return the tool part of the system text, rendered from ``prompts/grammars/medvision.j2``."""
        declarations = [json.dumps(schema, ensure_ascii=False) for schema in tools.schemas]
        return tools.render("grammars/medvision", about=tools.about, declarations=declarations)

    def write(self, calls: Sequence[Call]) -> str:
        """Return each call between ``<tool_call>`` tags; a closing tag inside a string is escaped."""
        return "".join(f"{_OPEN}{call.raw if call.problem else _object(call)}{_CLOSE}" for call in calls)

    def answer(self, results: Sequence[CallResult]) -> str:
        """Return each result between ``<tool_response>`` tags: printed text alone if that is all, else the JSON."""
        return "\n".join(told(result.text, ok=result.ok) for result in results)

    def read(self, text: str, names: Collection[str]) -> Parsed:  # noqa: ARG002 - the loop reports unknown names
        """Return the calls in *text*, in their order, and the text without them; *names* is not used."""
        calls, prose, at, limit = list[Call](), list[str](), 0, min(len(text), READ)
        while (start := text.find(_OPEN, at, limit)) >= 0:
            prose.append(text[at:start])
            if len(calls) == CALLS:
                calls.append(Call("", raw=text[start:limit], problem=f"a message has more than {CALLS} calls"))
                at = limit
                break
            inside = start + len(_OPEN)
            end = text.find(_CLOSE, inside, limit)
            calls.append(_call(text[inside : end if end >= 0 else limit], closed=end >= 0))
            at = end + len(_CLOSE) if end >= 0 else limit
        return parsed(calls, "".join([*prose, text[at:]]))


def _call(inside: str, *, closed: bool) -> Call:
    try:
        found = json.loads(inside, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        name = _NAME.search(inside)
        problem = f"no JSON; {_FORM}" if closed else f"it is cut off: {_CLOSE} is missing"
        return Call(name[1] if name else "", raw=inside, problem=problem)
    name = found.get("name") if isinstance(found, dict) else None
    if not isinstance(name, str) or not name:
        return Call("", raw=inside, problem=f"it names no tool; {_FORM}")
    arguments = found.get("arguments")
    if not isinstance(arguments, dict):
        return Call(name, raw=inside, problem=f"it has no object of arguments; {_FORM}")
    return Call(name, arguments)


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _finite(word: str) -> float:
    number = float(word)
    return number if math.isfinite(number) else _no_number(word)


def _object(call: Call) -> str:
    written = json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)
    return written.replace(_CLOSE, _CLOSE.replace("/", "\\/"))


def told(text: str, *, ok: bool = True) -> str:
    """Return a tool's result, or its error if not *ok*, between ``<tool_response>`` tags.

    *text* is the result as JSON, or the error. A result that consists only of printed text is written without JSON.
    """
    if ok:
        found = json.loads(text)
        said = str(found["printed"]) if isinstance(found, dict) and found.keys() == {"printed"} else text
    else:
        said = f"ERROR: {text.removeprefix('Error: ')}"
    return f"{MedVision.opens}{said}</tool_response>"
