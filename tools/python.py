"""The ``python`` tool: arithmetic that the model writes, evaluated in a confined process of its own."""

import json

from pydantic import Field

from medvision_agent.errors import ToolError
from medvision_agent.quantity import NUMBER
from medvision_agent.tools.base import Arguments, Measurand, Output, Result, tool
from medvision_agent.tools.sandbox.process import run
from medvision_agent.tools.view.views import ViewSet

__all__ = ["CODE", "Python", "PythonArguments", "cut", "python"]

CODE = 4000
"""Longest code in characters."""
_VALUE = 600
_PRINTED = 1000


class PythonArguments(Arguments):
    """The code."""

    code: str = Field(description=f"Python code, at most {CODE} characters, with the value wanted on its last line")


class Python(Result):
    """Result of ``python``: the value of the last line (a number, other values as text) and the printed text.

    Both texts may be cut; the value is None where the last line has none.
    """

    value: int | float | str | None
    printed: str


@tool(PythonArguments, Python, sees_image=False, measures=Measurand(NUMBER, ("value",)))
def python(views: ViewSet, args: PythonArguments) -> Output:  # noqa: ARG001 (every tool is given the views)
    """Evaluate arithmetic written in Python, with math and statistics.

    Numbers, lists, dicts, loops, conditions and simple functions work. There are no files, no network, no other modules
    and no pictures. Each call starts anew. Returns value, which is that of the last line, and printed, the text
    printed.
    """
    if len(args.code) > CODE:
        raise ToolError(f"the code has {len(args.code)} characters; at most {CODE} are taken")
    value, printed = run(args.code)
    if value is None and not printed:
        raise ToolError("there is no value and nothing was printed: write the value wanted on the last line")
    if isinstance(value, str):
        value = cut(value, _VALUE)
    return Output(Python(value=value, printed=cut(printed, _PRINTED)))


def cut(text: str, most: int) -> str:
    """Return *text*; where its JSON has more than *most* characters, a shortened text that ends in "... (cut)"."""
    kept = text
    while len(json.dumps(kept)) > most:
        kept = kept[: len(kept) * 9 // 10]
    return kept if kept == text else f"{kept}... (cut)"
