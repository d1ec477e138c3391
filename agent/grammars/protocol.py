"""How tools are declared, called and answered: by the service's own function calling, or in the text of the messages.

Contract: ``Native`` leaves everything to the service. ``Text`` declares nothing on the wire: by its grammar the prompt
holds the declarations, calls are read out of the reply's text, and results go back in one user message. Both give the
same ``Turn``, so that the agent's loop, its limits and its endings are one. One reader finds calls in texts: what it
finds where nobody read it is counted as unread.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.language_models.base import LanguageModelInput
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, InvalidToolCall, ToolMessage
from langchain_core.runnables import Runnable

from medvision_agent.agent.chat.chat import Chat, ToolChoice, Turn
from medvision_agent.agent.chat.history import is_empty, legal, newest_pictures, ordered, settled
from medvision_agent.agent.endings.finish import Finish
from medvision_agent.agent.grammars.calls import parse_calls
from medvision_agent.agent.grammars.grammar import Blocks, Call, CallResult, Grammar
from medvision_agent.agent.grammars.registry import grammar_of
from medvision_agent.prompts.render import render

__all__ = ["Native", "Text", "protocol_of"]


@dataclass(frozen=True, eq=False)
class Native:
    """The service's own function calling."""

    chat: Chat
    names: Collection[str]
    """The tools that can be called."""

    def bind(self, tools: Sequence[Mapping[str, Any]], choice: ToolChoice) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model, ready to be asked with *tools*."""
        return self.chat.bind(tools, choice)

    def sent(self, messages: Sequence[AnyMessage]) -> list[AnyMessage]:
        """Return a conversation as it is sent."""
        return ordered(messages, self.chat.config)

    def read(self, message: AIMessage) -> Turn:
        """Return what a reply says and calls."""
        return self._with_unread(self.chat.read(message), message)

    def settled(self, turn: Turn, taken: Collection[str]) -> Turn:
        """Return a turn whose calls have names and ids to go on with; *taken* are the ids of earlier calls."""
        return settled(turn, self.names, taken)

    def kept(self, message: AIMessage, turn: Turn) -> AIMessage | None:
        """Return a reply as it stands in the conversation from now on, if it does; *turn* is its settled reading."""
        return legal(message, turn, self.names)

    def _with_unread(self, turn: Turn, message: AIMessage) -> Turn:
        """Return a turn with the calls in its text that were not read; a turn that calls a tool has none.

        Of a reply without text the reasoning is looked at: a server's parser of reasoning may swallow a call.
        """
        if not self.names or turn.calls_a_tool:
            return turn
        extras = message.additional_kwargs
        thoughts = (extras[name] for name in ("reasoning_content", "reasoning") if isinstance(extras.get(name), str))
        said = turn.text if turn.text.strip() else "\n".join(thoughts)
        found = parse_calls(said, self.names)
        return replace(turn, unread_calls=len(found.calls) + len(found.invalid))

    def problem(self, broken: InvalidToolCall) -> str:  # noqa: ARG002
        """Say why a call cannot be run."""
        return "they are no JSON object"

    def answers(self, results: Sequence[CallResult]) -> list[AnyMessage]:
        """Return the messages that answer a turn's calls: a tool message for each, then the pictures.

        By the one recipe that all providers accept: text-only tool messages first, then one user message that is
        labelled as tool output and holds every picture with its caption. A model whose service takes pictures inside
        tool messages may have them there (``images_in_tool_result``).
        """
        config = self.chat.config
        inside = config.images_in_tool_result
        declared = [result for result in results if result.name in self.names]
        messages: list[AnyMessage] = [
            ToolMessage(
                [{"type": "text", "text": result.text}, *result.picture] if inside and result.picture else result.text,
                tool_call_id=result.call_id,
                name=result.name,
                status="success" if result.ok else "error",
            )
            for result in declared
        ]
        # A call of an undeclared tool stands in words in the conversation, and so does its answer.
        rest: Blocks = [{"type": "text", "text": result.text} for result in results if result.name not in self.names]
        rest += [] if inside else [block for result in declared for block in result.picture]
        if rest:
            messages.append(HumanMessage([{"type": "text", "text": render("replies/tool_output")}, *rest]))
        return newest_pictures(messages, config.pictures_per_request)


@dataclass(frozen=True, eq=False)
class Text(Native):
    """Calls in the text of the messages, for models and services without function calling."""

    grammar: Grammar

    def bind(
        self,
        tools: Sequence[Mapping[str, Any]],  # noqa: ARG002 - they stand in the prompt
        choice: ToolChoice,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model without any tool declared."""
        return self.chat.bind([], choice)

    def read(self, message: AIMessage) -> Turn:
        """Return what a reply says and calls; calls a service read by itself come first."""
        turn = self.chat.read(message)
        parsed = self.grammar.read(turn.text, self.names)
        if not parsed.calls and not parsed.invalid:
            return self._with_unread(turn, message)
        return replace(
            turn,
            text=parsed.prose,
            tool_calls=turn.tool_calls + parsed.calls,
            invalid_tool_calls=turn.invalid_tool_calls + parsed.invalid,
            finish=Finish.TOOL_CALLS if turn.finish is Finish.STOP else turn.finish,
        )

    def settled(self, turn: Turn, taken: Collection[str]) -> Turn:  # noqa: ARG002
        """Return the turn itself: no id and no name of a call is on the wire."""
        return turn

    def kept(self, message: AIMessage, turn: Turn) -> AIMessage | None:
        """Return the reply as text: a call the service made one of its own would want a tool message as its answer."""
        if is_empty(turn):
            return None
        if not message.tool_calls and not message.invalid_tool_calls:
            return message
        calls = [Call(call["name"], call["args"]) for call in message.tool_calls]
        calls += [
            Call(broken["name"] or "", raw=str(broken["args"]), problem=self.problem(broken))
            for broken in message.invalid_tool_calls
        ]
        said = self.chat.read(message).text
        return AIMessage("\n".join([*([said] if said else []), self.grammar.write(calls)]))

    def problem(self, broken: InvalidToolCall) -> str:
        """Say why a call cannot be run."""
        return broken["error"] or super().problem(broken)

    def answers(self, results: Sequence[CallResult]) -> list[AnyMessage]:
        """Return one user message: the results in the order of the calls in the text, then all pictures, captioned."""
        if not results:
            return []
        text = self.grammar.answer(_in_order(results))
        pictures = [block for result in results for block in result.picture]
        message = HumanMessage([{"type": "text", "text": text}, *pictures])
        return newest_pictures([message], self.chat.config.pictures_per_request)


def protocol_of(chat: Chat, names: Collection[str]) -> Native:
    """Return how the tools of these *names* are called with *chat*; without tools there is nothing to tell."""
    grammar = grammar_of(chat.config)
    return Text(chat, names, grammar) if names and grammar is not None else Native(chat, names)


def _in_order(results: Sequence[CallResult]) -> list[CallResult]:
    """Return the results in the order of the calls in the text: unreadable calls are answered after the others."""
    numbered = sorted(enumerate(results, start=1), key=lambda pair: _number(pair[1], pair[0]))
    return [result for _, result in numbered]


def _number(result: CallResult, otherwise: int) -> int:
    number = result.call_id.removeprefix("call_")
    return int(number) if number.isdecimal() and len(number) < 9 else otherwise
