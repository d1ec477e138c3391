"""The ``execute_python`` tool: MedVision's own tool by name and argument, evaluated in the sandbox of ``python``.

Its package (medvision_bm 1.2.1) knows this one tool, which takes ``code`` and returns what the code printed. Ours does
the same under the limits of ``tools/sandbox``: what they refuse is an error in the conversation, counted as one.
"""

from pydantic import Field

from medvision_agent.errors import ToolError
from medvision_agent.quantity import NUMBER
from medvision_agent.tools.base import Arguments, Measurand, Output, Result, tool
from medvision_agent.tools.python import CODE, cut
from medvision_agent.tools.sandbox.process import run
from medvision_agent.tools.view.views import ViewSet

__all__ = ["ExecutePythonArguments", "execute_python"]

_PRINTED = 1000


class ExecutePythonArguments(Arguments):
    """The code."""

    code: str = Field(description=f"Python code, at most {CODE} characters, that prints what is wanted")


class ExecutePython(Result):
    """Result of ``execute_python``: the printed text without blanks around it, which may be empty or cut."""

    printed: str


@tool(ExecutePythonArguments, ExecutePython, sees_image=False, measures=Measurand(NUMBER, ("printed",)))
def execute_python(views: ViewSet, args: ExecutePythonArguments) -> Output:  # noqa: ARG001 (every tool is given the views)
    """Run Python code for a calculation and get the text that it prints.

    The modules math and statistics can be used. There are no files, no network, no other modules and no pictures.
    """
    if len(args.code) > CODE:
        raise ToolError(f"the code has {len(args.code)} characters; at most {CODE} are taken")
    _, printed = run(args.code)
    return Output(ExecutePython(printed=cut(printed.strip(), _PRINTED)))
