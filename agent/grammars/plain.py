"""The grammar `plain`: a fenced block with one JSON line per call; results as JSON lines with the call's number."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from medvision_agent.agent.grammars.calls import parse_calls
from medvision_agent.agent.grammars.grammar import Call, CallResult, Declared, Parsed
from medvision_agent.prompts.render import render

__all__ = ["Plain"]


class Plain:
    """The grammar `plain`: calls in a fenced block labelled ``tool_call``, results in numbered lines."""

    opens = render("replies/tool_output")

    def paragraph(self, tools: Declared) -> str:
        """Return the rendered ``prompts/tools_text.j2``, or a researcher's own text of that name."""
        declarations = tuple(json.dumps(schema["function"], ensure_ascii=False) for schema in tools.schemas)
        return tools.render("tools_text", declarations=declarations)

    def write(self, calls: Sequence[Call]) -> str:
        """Return one fenced block with a JSON line for each call; an unreadable call as its raw text."""
        lines = [call.raw if call.problem else _line(call) for call in calls]
        return "\n".join(["```tool_call", *lines, "```"])

    def answer(self, results: Sequence[CallResult]) -> str:
        """Return the results under the text ``opens``: one JSON line for each call, with the call's number."""
        lines = [
            json.dumps({"call": number, "name": result.name[:60], **_outcome(result)})
            for number, result in enumerate(results, start=1)
        ]
        return "\n".join([self.opens, *lines])

    def read(self, text: str, names: Collection[str]) -> Parsed:
        """Return the calls in *text*, in any form that local models use, and the text without the calls.

        *names* are the declared tools.
        """
        return parse_calls(text, names)


def _line(call: Call) -> str:
    return json.dumps({"name": call.name, "arguments": call.arguments})


def _outcome(result: CallResult) -> dict[str, Any]:
    return {"result": json.loads(result.text)} if result.ok else {"error": result.text.removeprefix("Error: ")}
