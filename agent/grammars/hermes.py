"""The grammar `hermes`: ``<tools>``, ``<tool_call>`` and ``<tool_response>``, as the chat templates of Hermes and Qwen.

The tags and the JSON between them are those of these templates (of Qwen2.5, for instance), line for line; the sentences
around them were written for this package.
"""

import json
from collections.abc import Collection, Sequence

from medvision_agent.agent.grammars.calls import parse_calls
from medvision_agent.agent.grammars.grammar import Call, CallResult, Declared, Parsed

__all__ = ["Hermes"]


class Hermes:
    """The grammar `hermes`: declarations between ``<tools>`` tags; each call and each result between its own tags."""

    opens = "<tool_response>"

    def paragraph(self, tools: Declared) -> str:
        """Return the tool part of the system text, rendered from ``prompts/grammars/hermes.j2``."""
        declarations = [json.dumps(schema, ensure_ascii=False) for schema in tools.schemas]
        return tools.render("grammars/hermes", about=tools.about, declarations=declarations)

    def write(self, calls: Sequence[Call]) -> str:
        """Return each call as JSON between ``<tool_call>`` tags; an unreadable call as its raw text between them."""
        return "\n".join(f"<tool_call>\n{call.raw if call.problem else _object(call)}\n</tool_call>" for call in calls)

    def answer(self, results: Sequence[CallResult]) -> str:
        """Return what each tool replied, unchanged, between ``<tool_response>`` tags."""
        return "\n".join(f"<tool_response>\n{result.text}\n</tool_response>" for result in results)

    def read(self, text: str, names: Collection[str]) -> Parsed:
        """Return the calls in *text*, in any form that local models use, and the text without the calls.

        *names* are the declared tools.
        """
        return parse_calls(text, names)


def _object(call: Call) -> str:
    return json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)
