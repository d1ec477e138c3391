"""A grammar of one's own, as a package of one file: calls as `CALL ruler {...}` lines, results as `GOT {...}` lines.

pip install examples/grammar
then, in a model's row: `tool_calling: text` and `grammar: steps`
"""

import json
import re
from collections.abc import Collection, Sequence

from medvision_agent.agent.grammars.calls import Parsed, parsed
from medvision_agent.agent.grammars.grammar import Call, CallResult, Declared

_CALL = re.compile(r"^CALL (\w+) (.*)\n?", re.MULTILINE)


class Steps:
    """One line for each call and for each result. Stands for the form that some model was trained on."""

    opens = "GOT"

    def paragraph(self, tools: Declared) -> str:
        """Return the words about the tools, with their declarations; `about` is the same in all grammars."""
        declared = "\n".join(json.dumps(schema["function"]) for schema in tools.schemas)
        return f"{tools.about}\n\nTo call a tool, write a line: CALL name {{arguments as JSON}}\n\n{declared}"

    def write(self, calls: Sequence[Call]) -> str:
        """Return a line for each call."""
        return "\n".join(f"CALL {call.name} {call.raw or json.dumps(call.arguments)}" for call in calls)

    def answer(self, results: Sequence[CallResult]) -> str:
        """Return a line for each result: JSON, or what was wrong."""
        return "\n".join(f"{self.opens} {result.name} {result.text}" for result in results)

    def read(self, text: str, names: Collection[str]) -> Parsed:
        """Return the calls and the text without them; a call that cannot be read says why, and is never guessed."""
        return parsed([_call(*found.groups()) for found in _CALL.finditer(text)], _CALL.sub("", text))


def _call(name: str, written: str) -> Call:
    try:
        arguments = json.loads(written)
    except ValueError as error:
        return Call(name, raw=written, problem=f"the arguments are no JSON: {error}")
    if not isinstance(arguments, dict):
        return Call(name, raw=written, problem="the arguments are no JSON object")
    return Call(name, arguments)
