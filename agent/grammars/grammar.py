"""The interface of a grammar: how tools are declared, called and answered in the text of messages.

Contract: a grammar is four pure functions over texts, in one small file beside this one (``plain.py``) or in another
package (``registry.py``). It decides nothing else: the loop, its limits, its endings and the images are the same in
all of them. A grammar must parse each call that it writes into that same call.
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
    """The tools of a conversation, which a grammar declares in text."""

    names: Sequence[str]
    schemas: Sequence[Mapping[str, Any]]
    """For each tool ``{"type": "function", "function": {"name", "description", "parameters"}}``; ``parameters`` is the
    JSON schema of its arguments."""
    about: str
    """The paragraph that says that tools can be called: the same in every grammar; a study may vary its wording.
    It calls a message with results by the grammar's own ``opens``."""
    render: Callable[..., str]
    """Renders a template of ``prompts/`` by its name, with the values given."""


@dataclass(frozen=True)
class Call:
    """A tool call, as a grammar reads it from a reply or writes it."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    raw: str = ""
    """What the model wrote, for a call that cannot be read."""
    problem: str = ""
    """Why the call cannot be read; empty for a valid call."""


@dataclass(frozen=True)
class Parsed:
    """The tool calls that a grammar found in a text, and the text without them."""

    calls: "tuple[ToolCall, ...]"
    """Ids are ``call_1``, ``call_2``, ... by the place in the text, counted together with the invalid ones."""
    invalid: "tuple[InvalidToolCall, ...]"
    """Calls that cannot be run; ``error`` says why."""
    prose: str
    """The text without its calls."""


@dataclass(frozen=True, eq=False)
class CallResult:
    """The reply of a tool to one call."""

    call_id: str
    name: str
    text: str
    """JSON, or ``Error: ...``."""
    ok: bool
    picture: Blocks
    """The picture and its caption, or empty. A grammar does not change them: they follow its text."""


class Grammar(Protocol):
    """A form in which tools are declared, called and answered in the text of messages."""

    @property
    def opens(self) -> str:
        """The text with which a message with tool results starts; the prompt quotes it."""
        ...

    def paragraph(self, tools: Declared) -> str:
        """Return the tool part of the system text: which tools there are and how to call them."""
        ...

    def write(self, calls: Sequence[Call]) -> str:
        """Return the calls of one turn as the model would have written them; an unreadable call as its raw text.

        The model's own turns stay unchanged. This is for calls that a service parsed out of a turn by itself.
        """
        ...

    def answer(self, results: Sequence[CallResult]) -> str:
        """Return the text that answers the calls of one turn, in their order. Pictures follow this text."""
        ...

    def read(self, text: str, names: Collection[str]) -> Parsed:
        """Return the calls in a reply's *text*, and the text without them; *names* are the available tools."""
        ...
