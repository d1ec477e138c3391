"""What a grammar is: how tools are declared, called and answered in the text of messages.

Contract: a grammar is four pure functions over texts, and one small file beside this one (``plain.py``) or in another
package (``registry.py``). It decides nothing else: the loop, its limits, its endings and the pictures are the same in
all of them. What a grammar writes as a call it must read back as that call.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # stored runs are read without LangChain
    from langchain_core.messages import InvalidToolCall, ToolCall

__all__ = ["Blocks", "Call", "CallResult", "Declared", "Grammar", "Parsed"]

Blocks = list[str | dict[str, Any]]
"""Content blocks of a message."""


@dataclass(frozen=True)
class Declared:
    """The tools of a conversation, which a grammar puts into words."""

    names: Sequence[str]
    schemas: Sequence[Mapping[str, Any]]
    """For each tool ``{"type": "function", "function": {"name", "description", "parameters"}}``; ``parameters`` is the
    JSON schema of its arguments."""
    about: str
    """The paragraph that says that tools can be called: the same in every grammar, and what a study varies in words.
    It calls a message with results by the grammar's own ``opens``."""
    render: Callable[..., str]
    """Renders a template of ``prompts/`` by its name, with the values given."""


@dataclass(frozen=True)
class Call:
    """A call of a tool."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    raw: str = ""
    """What the model wrote, of a call that cannot be read."""
    problem: str = ""
    """Why it cannot be read; empty for a good call."""


@dataclass(frozen=True)
class Parsed:
    """A text, read."""

    calls: "tuple[ToolCall, ...]"
    """Ids are ``call_1``, ``call_2``, ... by the place in the text, counted together with the invalid ones."""
    invalid: "tuple[InvalidToolCall, ...]"
    """What was meant as a call and cannot be run; ``error`` says why."""
    prose: str
    """The text without its calls."""


@dataclass(frozen=True, eq=False)
class CallResult:
    """What one call is answered with."""

    call_id: str
    name: str
    text: str
    """JSON, or ``Error: ...``."""
    ok: bool
    picture: Blocks
    """The picture and its caption; empty where there is none. A grammar leaves them alone: they follow its text."""


class Grammar(Protocol):
    """How tools are declared, called and answered in text."""

    @property
    def opens(self) -> str:
        """How a message with results starts; the prompt names it."""
        ...

    def paragraph(self, tools: Declared) -> str:
        """Return the end of the system text: that there are tools, their declarations, and how they are called."""
        ...

    def write(self, calls: Sequence[Call]) -> str:
        """Return the calls of one turn as the model would have written them; of an unreadable one, what it wrote.

        The model's own turns stay as they are. This is for calls that a service read out of a turn by itself.
        """
        ...

    def answer(self, results: Sequence[CallResult]) -> str:
        """Return the text of the message that answers the calls of one turn, in their order. Pictures follow it."""
        ...

    def read(self, text: str, names: Collection[str]) -> Parsed:
        """Return the calls in a reply's *text*, and the text without them; *names* are the tools there are."""
        ...
