"""How tools are declared, called and answered: by native function calling, or in the text of the messages.

Contract: ``Native`` leaves everything to the service. ``Text`` sends no declarations: with its grammar the prompt
holds the declarations, calls are read out of the reply's text, and results go back in one user message. Both give the
same ``Turn``, so that the agent's loop, limits and endings are the same. Calls found in text that were not
parsed as calls are counted as unread.
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
    """The protocol of a model that calls tools by its service's own function calling."""

    chat: Chat
    names: Collection[str]
    """The tools that can be called."""

    def bind(self, tools: Sequence[Mapping[str, Any]], choice: ToolChoice) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with *tools* declared; *choice* "none" asks for a turn without tool calls."""
        return self.chat.bind(tools, choice)

    def sent(self, messages: Sequence[AnyMessage]) -> list[AnyMessage]:
        """Return the conversation *messages* in the form in which the service gets it."""
        return ordered(messages, self.chat.config)

    def read(self, message: AIMessage) -> Turn:
        """Return the model's reply in parsed form: its text, its tool calls, and why it stopped."""
        return self._with_unread(self.chat.read(message), message)

    def settled(self, turn: Turn, taken: Collection[str]) -> Turn:
        """Return *turn* with plain tool names and unique ids of its calls; *taken* are the ids of earlier calls."""
        return settled(turn, self.names, taken)

    def kept(self, message: AIMessage, turn: Turn) -> AIMessage | None:
        """Return the reply as later requests send it back, or None to leave it out; *turn* is from ``settled``."""
        return legal(message, turn, self.names)

    def _with_unread(self, turn: Turn, message: AIMessage) -> Turn:
        """Return the turn with the number of calls in its text that were not parsed; 0 for a turn that calls a tool.

        For a reply without text the reasoning is searched: a server's reasoning parser may swallow a call.
        """
        if not self.names or turn.calls_a_tool:
            return turn
        extras = message.additional_kwargs
        thoughts = (extras[name] for name in ("reasoning_content", "reasoning") if isinstance(extras.get(name), str))
        said = turn.text if turn.text.strip() else "\n".join(thoughts)
        found = parse_calls(said, self.names)
        return replace(turn, unread_calls=len(found.calls) + len(found.invalid))

    def problem(self, broken: InvalidToolCall) -> str:  # noqa: ARG002
        """Return why the call *broken* cannot be run, as words about its arguments."""
        return "they are no JSON object"

    def answers(self, results: Sequence[CallResult]) -> list[AnyMessage]:
        """Return the messages that answer a turn's calls: a tool message for each, then the pictures.

        All providers accept this form: text-only tool messages first, then one user message that is labelled as tool
        output and holds every picture with its caption. A model whose row sets ``images_in_tool_result`` gets each
        picture inside its tool message.
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
        # A call of an undeclared tool, and its answer, are plain text in the conversation.
        rest: Blocks = [{"type": "text", "text": result.text} for result in results if result.name not in self.names]
        rest += [] if inside else [block for result in declared for block in result.picture]
        if rest:
            messages.append(HumanMessage([{"type": "text", "text": render("replies/tool_output")}, *rest]))
        return newest_pictures(messages, config.pictures_per_request)


@dataclass(frozen=True, eq=False)
class Text(Native):
    """The protocol of calls in the text of the messages, for models and services without function calling."""

    grammar: Grammar

    def bind(
        self,
        tools: Sequence[Mapping[str, Any]],  # noqa: ARG002 - they stand in the prompt
        choice: ToolChoice,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model without any tool declared, because the prompt declares them."""
        return self.chat.bind([], choice)

    def read(self, message: AIMessage) -> Turn:
        """Return the model's reply in parsed form; calls that the service parsed come before those in the text."""
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
        """Return the turn unchanged: ids and names of calls are not sent."""
        return turn

    def kept(self, message: AIMessage, turn: Turn) -> AIMessage | None:
        """Return the reply as text, or None to leave out an empty one.

        A call that the service parsed is written as text, because it would need a tool message as its answer.
        """
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
        """Return why the call *broken* cannot be run, in the grammar's words if it gave any."""
        return broken["error"] or super().problem(broken)

    def answers(self, results: Sequence[CallResult]) -> list[AnyMessage]:
        """Return one user message: results in the order of the calls in the text, then all pictures with captions.

        Empty if there are no results.
        """
        if not results:
            return []
        text = self.grammar.answer(_in_order(results))
        pictures = [block for result in results for block in result.picture]
        message = HumanMessage([{"type": "text", "text": text}, *pictures])
        return newest_pictures([message], self.chat.config.pictures_per_request)


def protocol_of(chat: Chat, names: Collection[str]) -> Native:
    """Return the protocol by which *chat* calls the tools *names*: ``Text`` if its row has a grammar, else ``Native``.

    It is also ``Native`` if there are no tools.
    """
    grammar = grammar_of(chat.config)
    return Text(chat, names, grammar) if names and grammar is not None else Native(chat, names)


def _in_order(results: Sequence[CallResult]) -> list[CallResult]:
    """Return the results in the order of the calls in the text: unreadable calls are answered after the others."""
    numbered = sorted(enumerate(results, start=1), key=lambda pair: _number(pair[1], pair[0]))
    return [result for _, result in numbered]


def _number(result: CallResult, otherwise: int) -> int:
    number = result.call_id.removeprefix("call_")
    return int(number) if number.isdecimal() and len(number) < 9 else otherwise
