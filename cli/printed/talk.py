"""One conversation for a terminal, turn by turn.

Contract: what models, servers and tools wrote is printed as plain characters, never as markup or terminal control, and
wrapped to the terminal. Images appear as their size and file.
"""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from medvision_agent.cli.printed.table import number
from medvision_agent.eval.browse.forms import Call, Talk, Turn
from medvision_agent.eval.store.files import picture_path
from medvision_agent.text import plural, printable

__all__ = ["others_line", "talk_view"]

_INDENT = (0, 0, 0, 2)
_NAMED = 4
"""Maximum number of arms that are named."""


def talk_view(talk: Talk, name: str, folder: Path) -> RenderableType:
    """Return a printed conversation; *name* and *folder* are those of its run.

    The folder has the images, which are printed as their size and file.
    """
    return Group(*_head(talk, name), *(part for turn in talk.turns for part in _turn(turn, folder)), Text())


def others_line(arms: Sequence[str]) -> Text:
    """Return the line that says how to see the arms that are not shown."""
    named = f"{', '.join(arms[:_NAMED])}{', ...' if len(arms) > _NAMED else ''}"
    return _text(f"{plural(len(arms), 'more arm')} ({named}): --arm NAME, or --all for all of them")


def _head(talk: Talk, name: str) -> Iterator[RenderableType]:
    """Yield the lines above a conversation: run (*name*) and sample, ground truth, answer, outcome and score.

    Without an answer the line says "none"; without a score, the line of scores is left out.
    """
    title = _text(f"{name}: {talk.id}")
    title.stylize("bold")
    yield title
    outcome = f"{talk.outcome} ({talk.detail})" if talk.detail else talk.outcome
    yield _text(f"ground truth {talk.target}; answer {talk.answer or 'none'}; outcome {outcome}")
    figures = [f"{one.name} {number(one.value)}{f' {one.unit}' if one.unit else ''}" for one in talk.numbers]
    place = {"right": "in the right place", "elsewhere": "elsewhere", "unknown": "at a place that is not known"}
    measured = [f"measured {place[talk.place]}"] if talk.place in place else []
    if figures or measured:
        yield _text("; ".join([*figures, *measured]))
    for line in talk.made_of:
        yield _text(line)


def _turn(turn: Turn, folder: Path) -> Iterator[RenderableType]:
    """Yield the parts of a turn: a rule with time and tokens, thoughts, text, images and tool calls."""
    took = [
        turn.version,
        f"{turn.seconds:.1f} s" if turn.seconds is not None else "",
        f"{turn.tokens_in:,} tokens in" if turn.tokens_in is not None else "",
        f"{turn.tokens_out:,} tokens out" if turn.tokens_out is not None else "",
        turn.finish,
    ]
    more = f" ({', '.join(part for part in took if part)})" if any(took) else ""
    yield Rule(_text(f"{turn.number} {turn.role}{more}"), align="left", characters="-")
    if turn.thoughts:
        yield _indented(_text(f"[thoughts] {turn.thoughts}", style="dim"))
    if turn.text:
        yield _indented(_text(turn.text))
    for picture in turn.pictures:
        yield _indented(_picture(folder, picture))
    for call in turn.calls:
        yield from map(_indented, _call(call, folder))
    if turn.cut:
        yield _indented(_text("[longer texts are cut here; `export --format jsonl` has them whole]"))


def _call(call: Call, folder: Path) -> Iterator[RenderableType]:
    """Yield the lines of a tool call: tool and arguments, its result or error, and its image."""
    line = _text(f"call {call.number}: {call.tool} {call.arguments} ({call.seconds:.3f} s)")
    line.stylize("bold", 0, len(f"call {call.number}: {call.tool}"))
    yield line
    kind = "result" if call.ok else "error"
    shown = ", not shown to the model" if call.shown is False else ""
    if call.result:
        yield _indented(_text(f"{kind}{shown}: {call.result}"))
    if call.failure:
        yield _indented(_text(f"failure: {call.failure}"))
    if call.picture is not None:
        yield _indented(_picture(folder, call.picture, "" if call.picture_shown is not False else ", not shown"))


def _picture(folder: Path, name: str, more: str = "") -> Text:
    """Return the size and the file of an image; the path is never broken or cut, so that it can be copied."""
    path = picture_path(folder, name)
    try:
        with path.open("rb") as file:
            width, height = struct.unpack(">II", file.read(24)[16:24])
    except (OSError, struct.error):
        line = _text(f"image missing or damaged{more}: {path}")
    else:
        line = _text(f"image, {width} x {height} pixels{more}: {path}")
    line.no_wrap, line.overflow = True, "ignore"
    return line


def _indented(part: RenderableType) -> RenderableType:
    """Return a part two columns to the right; the path of an image stays in one line."""
    if isinstance(part, Text) and part.no_wrap:  # a padding would cut it
        line = Text(" " * _INDENT[3], no_wrap=True, overflow="ignore")
        return line.append_text(part)
    return Padding(part, _INDENT, expand=False)


def _text(text: str, style: str = "") -> Text:
    """Return text with unprintable characters replaced, without interpreting markup."""
    return Text(printable(text, lines=True), style=style)
