"""Parse tool calls in a reply's text, for models without native function calling.

Contract: ``parse_calls`` is pure, never raises, evaluates nothing, and takes time linear in the text. Only the last
``READ`` characters are searched; text before them is prose. A call is read
completely or not at all: an unreadable or cut-off call becomes an invalid call with a reason,
and no number is ever completed. Thoughts hold no calls. A text without a call comes back as it is.
"""

from collections.abc import Collection, Iterable, Iterator

from langchain_core.messages import InvalidToolCall, ToolCall

from medvision_agent.agent.grammars.grammar import Call, Parsed
from medvision_agent.agent.grammars.marks import FOREIGN, MARK, THOUGHT, unread_form
from medvision_agent.agent.grammars.scan import Find, Scan
from medvision_agent.agent.grammars.shapes import Place

__all__ = ["READ", "parse_calls", "parsed"]

READ = 100_000
"""Characters at the end of a text that are searched for calls (half a second at worst): more would delay other
samples, and no output limit of a model is far above it."""
_KEPT = 1000
"""Characters of an unreadable call that are kept."""


def parse_calls(text: str, tool_names: Collection[str]) -> Parsed:
    """Return the tool calls in a reply's *text*, and the text without them; *tool_names* are the declared tools."""
    shown, open_thought = _without_thoughts(text)
    start = max(0, len(text) - READ)
    finds = _said(Scan(shown, frozenset(tool_names)).run(start), shown, open_thought)
    if not finds and (unknown := _unknown(shown[:open_thought], start, frozenset(tool_names))) is not None:
        at, name = unknown
        return parsed([Call(name, raw=text[at:], problem="the form of this call is not known")], text[:at])
    return parsed(_calls(text, finds), _prose(text, finds))


def parsed(found: Iterable[Call], prose: str) -> Parsed:
    """Return the calls *found* in a text as valid and invalid ones, with ids ``call_1``, ``call_2``, ... in order.

    *prose* is the text without the calls.
    """
    calls: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for number, call in enumerate(found, start=1):
        key = f"call_{number}"
        if call.problem:
            raw = call.raw[:_KEPT]
            invalid.append(
                InvalidToolCall(type="invalid_tool_call", id=key, name=call.name, args=raw, error=call.problem)
            )
        else:
            calls.append(ToolCall(type="tool_call", id=key, name=call.name, args=dict(call.arguments)))
    return Parsed(tuple(calls), tuple(invalid), prose)


def _calls(text: str, finds: Iterable[Find]) -> Iterator[Call]:
    for find in finds:
        shape = find.shape
        problem = shape.problem or ("" if shape.name else "it names no tool")
        yield Call(shape.name, shape.arguments, raw=text[find.start : find.end], problem=problem)


def _without_thoughts(text: str) -> tuple[str, int | None]:
    """Return *text* with closed thoughts replaced by blank lines, and the position where an unclosed thought begins.

    The position is None if every thought is closed.
    """
    spans: list[tuple[int, int]] = []
    begun: int | None = None
    for mark in THOUGHT.finditer(text):
        if mark["begin"]:
            begun = mark.start() if begun is None else begun
        elif begun is not None or not spans:
            # Some chat templates open the thought: the reply then starts inside it.
            spans.append((begun or 0, mark.end()))
            begun = None
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], "\n" * (end - start)]
        at = end
    return "".join([*pieces, text[at:]]), begun


def _said(finds: list[Find], text: str, open_thought: int | None) -> list[Find]:
    """Return *finds* without those in an unclosed thought, which begins at *open_thought* (None: no such thought).

    A call at the very end of the thought stays: there the model is waiting for the result.
    """
    if open_thought is None:
        return finds
    said = [find for find in finds if find.start < open_thought]
    thought = finds[len(said) :]
    if thought and thought[-1].block.place is Place.ENVELOPE:
        last = thought[-1]
        rest = MARK.sub(lambda mark: "" if mark["close"] or mark["fence"] else mark[0], text[last.end :])
        if not rest.strip():
            said += [find for find in thought if find.block is last.block]
    return said


def _unknown(text: str, start: int, names: frozenset[str]) -> tuple[int, str] | None:
    """Return the position and tool of the first text after *start* that looks like a call in an unsupported form.

    The tool is "" if only a mark suggests a call. None if no text looks like a call.
    """
    marks = (mark.start() for mark in FOREIGN.finditer(text, start))
    foreign = next((at for at in marks if (known := MARK.match(text, at)) is None or known["open"] is None), None)
    named = unread_form(names).search(text, start)
    if named is not None and (foreign is None or named.start() <= foreign):
        return named.start(), next(filter(None, named.groups()))
    return None if foreign is None else (foreign, "")


def _prose(text: str, finds: Iterable[Find]) -> str:
    """Return *text* without calls and the blocks that held them."""
    pieces, at = [], 0
    for find in finds:
        block = find.block
        whole = block.place is not Place.PROSE
        start = min(find.start, block.start) if whole else find.start
        end = max(find.end, block.end or find.end) if whole else find.end
        if start > at:
            pieces.append(text[at:start])
        at = max(at, end)
    return "".join([*pieces, text[at:]])
