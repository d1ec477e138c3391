"""The findings at the end of a command: caveats, the answer in words, the table, the next command."""

import shlex
from collections.abc import Iterator, Sequence
from os import PathLike

from medvision_agent.eval.findings.model import Findings, Row
from medvision_agent.text import fixed, percent, plural

__all__ = ["NEXT", "found_lines", "next_line"]

NEXT = ("report", "view")
"""Commands that show more of the findings; each takes the folders."""
_SAID_BEFORE = {"untested", "early"}
"""Kinds of caveats that commands print as headlines, above everything else."""
_SHOWN = 12
"""Maximum number of rows in the table; if there are more, those of the main contrast or with a claim come first."""
_HEADS = ("", "loss", "interval", "n/subj.", "w/t/l", "wrong", "cost", "claim")
_KEY = (
    "loss: difference of the mean losses, second arm minus first (below 0: the second is better); n/subj.: samples and "
    "subjects; w/t/l: samples in which the second arm wins, ties, loses; wrong: share of the answers measured in the "
    "wrong place, first arm -> second; cost: cost of a sample divided by that in the first arm"
)


def found_lines(found: Findings, width: int) -> list[str]:
    """Return the caveats, the headline and the table of findings, the table no wider than *width* columns.

    Caveats that commands print before everything else are left out.
    """
    lines = [f"caveat: {one.text}" for one in found.caveats if one.kind not in _SAID_BEFORE]
    lines += ["", *([found.banner] if found.banner else []), *found.headline]
    if not found.rows:
        return lines
    first = [row for row in found.rows if row.main or row.claim or len(found.rows) <= _SHOWN]
    shown = first[:_SHOWN]
    more = len(found.rows) - len(shown)
    lines += ["", *_table(shown, width), _KEY]
    return [*lines, f"{plural(more, 'more comparison')}: in the report"] if more else lines


def next_line(*folders: str | PathLike[str]) -> str:
    """Return the line with the commands that show more of the runs and studies in *folders*."""
    given = shlex.join(map(str, folders))
    return f"next: {'; '.join(f'medvision-agent {name} {given}' for name in NEXT)}"


def _table(rows: Sequence[Row], width: int) -> Iterator[str]:
    """Yield the rows contrast by contrast, as columns if they fit, else each row in words."""
    contrasts = list(dict.fromkeys(row.contrast for row in rows))
    cells = {row.about: _cells(row) for row in rows}
    widths = [max(map(len, column)) for column in zip(_HEADS, *cells.values(), strict=True)]
    fits = next((gap for gap in (2, 1) if sum(widths) + gap * (len(widths) - 1) <= width), 0)
    for contrast in contrasts:
        yield (
            _line((contrast, *_HEADS[1:]), [max(widths[0], len(contrast)), *widths[1:]], fits)
            if (fits and len(contrast) <= widths[0])
            else contrast
        )
        if fits and len(contrast) > widths[0]:
            yield _line(_HEADS, widths, fits)
        for row in rows:
            if row.contrast == contrast:
                own = cells[row.about]
                yield _line(own, widths, fits) if fits else _in_words(own)


def _line(cells: Sequence[str], widths: Sequence[int], gap: int) -> str:
    """Return cells in one line, each as wide as its column, with *gap* blanks between them."""
    last = len(cells) - 1
    padded = [
        cell.ljust(size) if at in {0, last} else cell.rjust(size)
        for at, (cell, size) in enumerate(zip(cells, widths, strict=True))
    ]
    return (" " * gap).join(padded).rstrip()


def _in_words(cells: Sequence[str]) -> str:
    """Return the cells of a row in one line, each with the head of its column."""
    named = [f"{head} {cell}" for head, cell in zip(_HEADS[1:], cells[1:], strict=True)]
    return f"  {cells[0]}: {', '.join(named)}"


def _cells(row: Row) -> tuple[str, ...]:
    """Return a row of findings as texts, in the order of ``_HEADS``."""
    ends = "-" if row.interval is None else " to ".join(map(_short, row.interval))
    both = [
        "?" if place is None else percent(place.elsewhere / place.located)
        for place in (row.wrong_place_against, row.wrong_place)
    ]
    return (
        row.task,
        "-" if row.difference is None else _short(row.difference),
        ends,
        f"{row.n}/{row.subjects}",
        f"{row.wins}/{row.ties}/{row.losses}",
        "-" if both == ["?", "?"] else "->".join(both),
        "-" if row.cost_ratio is None else f"{row.cost_ratio:.2g}x",
        "yes" if row.claim else f"no: {row.reason}",
    )


def _short(value: float) -> str:
    """Return a difference with its sign and three decimals, without a leading zero."""
    text = fixed(value, 3, sign=True)
    return text.replace("0.", ".", 1) if abs(value) < 1 else text
