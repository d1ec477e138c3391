"""The state of one sample's conversation besides its messages: settings, views, counters and the trace."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

from langchain_core.language_models.base import LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable

from medvision_agent.agent.chat.chat import Chat, ToolChoice, Turn
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.finish import Finish
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.grammars.protocol import Native, protocol_of
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.policies.brief import Brief
from medvision_agent.agent.retry import Reply
from medvision_agent.agent.trace import Trace
from medvision_agent.agent.wire.failures import Fault
from medvision_agent.agent.words.question import Prompt, Question
from medvision_agent.tools.view.views import ViewSet

__all__ = ["GivenUpError", "Session", "Waiting"]


class GivenUpError(Exception):
    """Raised instead of waiting for the next try of a request, because the run is being stopped."""


@dataclass(frozen=True)
class Waiting:
    """Callbacks for the time between two tries of a request."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits the given seconds; may raise GivenUpError."""
    on_fault: Callable[[Fault, int], None] = lambda fault, tries: None  # noqa: ARG005
    """Called for every failed try, with its number."""


@dataclass(eq=False)
class Session:
    """The state of one sample's conversation besides its messages; it changes with each turn and is never shared."""

    question: Question
    condition: Condition
    chat: Chat
    limits: Limits
    views: ViewSet
    waiting: Waiting = field(default_factory=Waiting)
    brief: Brief | None = None
    """The task in structured form for an offline policy; None for every real model."""
    trace: Trace = field(default_factory=Trace)
    turns: list[Turn] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    counts: Counter[str] = field(default_factory=Counter)
    """``model`` and ``tool`` calls so far, ``picture`` numbers given, ``broken`` turns in a row, ``again`` checks,
    ``handed`` images beside the question."""
    forced: bool = False
    """Whether a limit was reached: the next turn is the last one, and may not call tools."""
    words: Prompt | None = None
    """The prompt as sent; None before the first turn."""
    v0_sha256: str = ""
    waited: float = 0.0
    """Seconds spent in failed tries and in waiting for the next try: the provider's time, not the model's."""
    failed_tries: int = 0
    last_fault: Fault | None = None
    """The error of the last failed try."""
    started: float = field(default_factory=time.monotonic)

    @cached_property
    def protocol(self) -> Native:
        """The protocol by which tools are declared, called and answered in this conversation: natively, or in text."""
        return protocol_of(self.chat, [tool.name for tool in self.condition.tools])

    @cached_property
    def asked(self) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with its tools declared, for every turn but the forced one."""
        return self._bound("auto")

    @property
    def asked_last(self) -> Runnable[LanguageModelInput, AIMessage]:
        """The model for the forced turn, in which it may not call tools."""
        return self._bound("none")

    def _bound(self, choice: ToolChoice) -> Runnable[LanguageModelInput, AIMessage]:
        bound = self.protocol.bind(self.condition.schemas(self.views.frame), choice)
        return bound if self.brief is None else bound.bind(brief=self.brief)

    def hear(self, reply: Reply) -> Turn:
        """Record a reply with its tokens, wait and failed tries, and return its turn.

        In the returned turn, every tool name is one that providers accept, and every call has an id that no other call
        of the conversation has. Where the model wrote something else, it is replaced.
        """
        earlier = {call["id"] or "" for turn in self.turns for call in (*turn.tool_calls, *turn.invalid_tool_calls)}
        turn = self.protocol.settled(self._announced(reply.turn), earlier)
        self.turns.append(turn)
        self.trace.ran(turn.code_runs)
        self.usage = self.usage + turn.usage
        self.waited += reply.waited
        self.failed_tries += reply.tries - 1
        return turn

    def _announced(self, turn: Turn) -> Turn:
        """Return the turn, marked as a lost call if its finish reason announces a call and it has only text.

        The model is asked for another reply once. If a service ends every reply like this, the text is the answer.
        """
        lost = turn.finish is Finish.TOOL_CALLS and not turn.calls_a_tool and not turn.unread_calls
        told = bool(self.counts["broken"]) or self.forced or not self.condition.tools
        return replace(turn, finish=Finish.MALFORMED_CALL) if lost and not told else turn

    def failed(self, fault: Fault, tries: int) -> None:
        """Record a failed try of a request, and call ``Waiting.on_fault`` with it."""
        self.last_fault = fault
        self.waiting.on_fault(fault, tries)

    def paid(self, usage: Usage) -> None:
        """Add the tokens of an unusable reply; the provider bills them."""
        self.usage = self.usage + usage

    @property
    def unread(self) -> int:
        """Number of replies with unparsed tool calls in their text; the last answer does not count if it was forced."""
        return sum(turn.unread_calls > 0 for turn in (self.turns[:-1] if self.forced else self.turns))

    @property
    def called_all(self) -> bool:
        """Whether the calls that the condition allows are used up, so that the next turn is the answer, unforced."""
        return self.condition.calls is not None and self.counts["tool"] >= self.condition.calls

    @property
    def seconds(self) -> float:
        """Seconds since the start, without waits for the provider."""
        return time.monotonic() - self.started - self.waited

    def at_limit(self) -> bool:
        """Return whether a limit is reached, so that only the last turn without tools is left."""
        limits = self.limits
        return (
            self.counts["model"] >= limits.model_calls - 1
            or self.counts["tool"] >= limits.tool_calls
            or self.usage.input + self.usage.output >= limits.tokens
            or self.seconds >= limits.seconds
        )
