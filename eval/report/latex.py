"""A table as LaTeX (booktabs, array), laid out for the width and height of a page.

Contract: no table is wider than `PAGE` points, nor higher than `HEIGHT` unless one row alone is. A wide one is set in
blocks below each other that repeat its first columns, samples and subjects; a long one continues in further tables.
Columns that are `detail` are left to the CSV file, and a note names them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from string import ascii_lowercase

from medvision_agent.eval.report.table import NONE, Column, Table
from medvision_agent.eval.report.tex import DEFINITION, tex, width_of

__all__ = ["COLUMN", "HEIGHT", "PAGE", "latex_text"]

PAGE = 345.0
"""Width in points: the text of an article of one column at 10 points, on A4 and letter paper."""
COLUMN = 225.0
"""Width in points: slightly less than a column of an article of two columns."""
HEIGHT = 500.0
"""Height in points that a table may have with its caption, of the 550 of a page."""
_SIZE, _LINE, _GAP = 8.0, 9.5, 3.0
_FONT = rf"\fontsize{{{_SIZE:g}}}{{{_LINE:g}}}\selectfont"
_WRAPPED = 88.0
"""Width in points above which the texts of a column are broken into lines."""
_LEAST = 28.0
_WORD = 60.0
"""Width in points of the widest words that are not broken for the width of a page."""
_KEYS = 0.62
"""Share of the page that the repeated columns may take."""
_LONG = 40
"""Characters above which texts that recur in a column stand below the table, under letters."""
_REPEATED = {"n", "subjects"}
_TOGETHER = ("high", "highest", "equal", "higher")
"""Last words of the names of columns that stay beside the column before them."""


@dataclass(frozen=True)
class _Set:
    """A column as it is set: its heading in lines, its cells, and its width in points."""

    column: Column
    head: tuple[str, ...]
    cells: tuple[str, ...]
    width: float
    side: str
    natural: float = 0
    """Its width in points if no text of it were broken into lines; 0: none is."""

    @property
    def wrapped(self) -> bool:
        """Whether its texts are broken into lines."""
        return self.natural > self.width

    @property
    def least(self) -> float:
        """The width in points below which it is not made narrower: of texts, that of the widest usual word."""
        if not self.column.text:
            return self.width
        words = [width_of(word, _SIZE) for cell in self.cells for word in cell.split(" ")]
        return min(self.width, max(_LEAST, *(width for width in words if width <= _WORD), 0))

    @property
    def form(self) -> str:
        """Its part of a tabular's argument."""
        ragged = "right" if self.side == "l" else "left"
        return rf">{{\ragged{ragged}\arraybackslash}}p{{{self.width:.1f}pt}}" if self.wrapped else self.side

    def cell(self, row: int) -> str:
        """Return a cell as LaTeX."""
        return _words(self.cells[row], self.width, _SIZE)

    def lines(self, row: int) -> int:
        """Return the number of lines that a cell takes."""
        return _lines(self.cells[row], self.width, _SIZE) if self.wrapped else 1


def latex_text(table: Table) -> str:
    """Return the table as LaTeX: one float, or several if it is longer than a page."""
    columns, notes = _columns(table)
    blocks = _blocks(columns)
    width = max(COLUMN, *map(_across, blocks))
    floats = _floats(len(table.rows), blocks, table.caption, [*table.above, *notes, *table.notes], width)
    made = "\n".join(_float(table, blocks, at, floats, width) for at in range(len(floats)))
    needs = r"% Needs \usepackage{array}, \usepackage{booktabs} and, with pdfLaTeX, \usepackage[T1]{fontenc}."
    return "\n".join([needs, *([DEFINITION] if r"\unicodecharacter" in made else []), made])


def _columns(table: Table) -> tuple[list[_Set], list[str]]:
    """Return the columns in their natural widths, and notes: texts under letters, and what only the CSV file has."""
    columns, notes, letters = list[_Set](), list[str](), iter(ascii_lowercase)
    shown = table.shown
    for number, column in enumerate(table.columns):
        cells = [row[number] for row in shown]
        texts = list(dict.fromkeys(cell for cell in cells if cell not in {"", NONE}))
        if column.detail:
            continue
        if column.text and number and len(texts) <= len(cells) / 2 and max(map(len, texts), default=0) > _LONG:
            marks = dict(zip(texts, letters, strict=False))
            cells = [marks.get(cell, cell) for cell in cells]
            notes.append(f"{column.name}: {'; '.join(f'({mark}) {text}' for text, mark in marks.items())}.")
        widest = max((width_of(cell, _SIZE) for cell in cells), default=0)
        head = _stacked(column.name, widest)
        width = max(widest, *(width_of(line, _SIZE) for line in head))
        columns.append(_Set(column, head, tuple(cells), width, "l" if column.text or number == 0 else "r"))
    if left := [column.full for column in table.columns if column.detail]:
        notes.append(f"Only in {table.id}.csv: {', '.join(left)}.")
    return columns, notes


def _stacked(name: str, width: float) -> tuple[str, ...]:
    """Return a column's name in lines hardly wider than its cells; words are never broken."""
    lines: list[str] = []
    for word in name.split():
        if lines and width_of(f"{lines[-1]} {word}", _SIZE) <= max(width, 40):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return tuple(lines) or ("",)


def _blocks(columns: list[_Set]) -> list[list[_Set]]:
    """Return the columns in blocks that fit the page: the first columns, samples and subjects stand in each."""
    if _across(columns) <= PAGE:
        return [columns]
    columns = [replace(one, width=_WRAPPED, natural=one.width) if one.width > _WRAPPED else one for one in columns]
    first = _names(columns)
    if _across(columns) <= PAGE or first == len(columns):
        return [_filled(_shrunk(columns, PAGE))]
    keys = {
        at for at, one in enumerate(columns) if at < first or (one.column.name in _REPEATED and not one.column.group)
    }
    narrow = _shrunk([one for at, one in enumerate(columns) if at in keys], _KEYS * PAGE)
    for at, one in zip(sorted(keys), narrow, strict=True):
        columns[at] = one
    room = PAGE - _across(narrow) - 2 * _GAP
    own = {one.column.group: at for at, one in enumerate(columns) if one.column.group and one.column.name == "n"}
    room -= max((columns[at].width + 2 * _GAP for at in own.values()), default=0)
    units = _units(columns, {*keys, *own.values()}, room)
    most = len(_packed(columns, units, room))
    limits = (room * share / 20 for share in range(1, 21))
    packed = next(packed for limit in limits if len(packed := _packed(columns, units, limit)) <= most)
    counts = [{own[columns[at].column.group] for at in block if columns[at].column.group in own} for block in packed]
    wholes = [sorted({*keys, *block, *count}) for block, count in zip(packed, counts, strict=True)]
    return [_filled([columns[at] for at in whole]) for whole in wholes]


def _names(columns: Sequence[_Set]) -> int:
    """Return how many of the first columns are needed to tell the rows apart; of text, and at least one."""
    texts = next((at for at, one in enumerate(columns) if at and not one.column.text), len(columns))
    rows = [list(zip(*(one.cells for one in columns[:count]), strict=True)) for count in range(1, texts + 1)]
    return next((count for count, row in enumerate(rows, 1) if len(set(row)) == len(row)), texts)


def _units(columns: Sequence[_Set], keys: set[int], room: float) -> list[list[int]]:
    """Return the columns that are not keys, by number; those of one group, or of one interval, in one list."""
    units: list[list[int]] = []
    for at in (at for at in range(len(columns)) if at not in keys):
        joined = units and units[-1][-1] == at - 1 and _beside(columns[at - 1].column, columns[at].column)
        if joined and _across([columns[one] for one in (*units[-1], at)]) <= room:
            units[-1].append(at)
        else:
            units.append([at])
    return units


def _beside(one: Column, other: Column) -> bool:
    """Return whether the second column stays beside the first."""
    if one.group or other.group:
        return one.group == other.group
    return other.name.endswith(_TOGETHER) or one.name.endswith("against")


def _packed(columns: Sequence[_Set], units: Sequence[list[int]], room: float) -> list[list[int]]:
    packed: list[list[int]] = []
    for unit in units:
        groups = {columns[at].column.group for at in (*packed[-1], *unit)} if packed else set()
        if len(groups) == 1 and _across([columns[at] for at in (*packed[-1], *unit)]) <= room:
            packed[-1] += unit
        else:
            packed.append(list(unit))
    return packed


def _shrunk(columns: list[_Set], room: float) -> list[_Set]:
    """Return the columns with their texts in narrower lines, so that they fit the room if they can."""
    spare = sum(one.width - one.least for one in columns)
    share = (room - _across(columns) + spare) / spare if spare else 1
    if share >= 1:
        return columns
    share = max(0.0, share)
    return [
        replace(one, width=one.least + share * (one.width - one.least), natural=one.natural or one.width)
        if one.width > one.least
        else one
        for one in columns
    ]


def _filled(block: list[_Set]) -> list[_Set]:
    """Return a block whose broken texts take what is left of the page."""
    left, wanted = PAGE - _across(block), sum(one.natural - one.width for one in block if one.natural)
    share = min(1, max(0, left) / wanted) if wanted else 0
    return [replace(one, width=one.width + share * (one.natural - one.width)) if one.natural else one for one in block]


def _across(block: Sequence[_Set]) -> float:
    """Return the width of columns beside each other, in points."""
    width = -2 * _GAP
    for group, own in groupby(block, key=lambda one: one.column.group):
        width += max(sum(one.width + 2 * _GAP for one in own), width_of(group, _SIZE) + 4 * _GAP)
    return width


def _floats(
    count: int, blocks: Sequence[Sequence[_Set]], caption: str, notes: Sequence[str], width: float
) -> list[tuple[range, list[str]]]:
    """Return the rows and notes of each float, so that none is higher than `HEIGHT` (a single row may be)."""
    above = 30 + 12 * _lines(f"{caption} (part 10 of 10)", width, 1.35 * _SIZE)
    heads = sum(_LINE * (_head_lines(block) + 1) + 16 for block in blocks)
    floats, used = [(range(0), list[str]())], above + heads
    for row in range(count):
        height = sum(_LINE * max(one.lines(row) for one in block) + 1.5 for block in blocks)
        if used + height > HEIGHT and len(floats[-1][0]):
            floats.append((range(row, row), []))
            used = above + heads
        floats[-1] = (range(floats[-1][0].start, row + 1), [])
        used += height
    for note in notes:
        height = _LINE * _lines(note, width, _SIZE) + 3
        if used + height > HEIGHT:
            floats.append((range(count, count), []))
            used = above
        floats[-1][1].append(note)
        used += height
    return floats


def _head_lines(block: Sequence[_Set]) -> int:
    return max(_lines(one.column.name, one.width, _SIZE) if one.wrapped else len(one.head) for one in block)


def _float(
    table: Table, blocks: Sequence[Sequence[_Set]], at: int, floats: Sequence[tuple[range, list[str]]], width: float
) -> str:
    rows, notes = floats[at]
    name = "table" if width <= COLUMN else "table*"
    part = f" (part {at + 1} of {len(floats)})" if len(floats) > 1 else ""
    label = re.sub(r"[^A-Za-z0-9]+", "-", table.id) + (f"-{at + 1}" if at else "")
    lines = [
        rf"\begin{{{name}}}",
        r"\centering\sloppy",
        rf"\caption{{{_words(f'{table.caption}{part}', width, 1.35 * _SIZE)}}}",
        rf"\label{{tab:{label}}}",
        rf"{_FONT}\setlength{{\tabcolsep}}{{{_GAP:g}pt}}",
    ]
    for number, block in enumerate(blocks if len(rows) or not table.rows else ()):
        lines += [r"\par\medskip"] if number else []
        lines += _tabular(block, rows)
    if notes:
        words = (rf"{_words(note, width, _SIZE)}\par" for note in notes)
        lines += [r"\par\smallskip", rf"\parbox{{{width:.1f}pt}}{{\raggedright", *words, "}"]
    return "\n".join([*lines, rf"\end{{{name}}}", ""])


def _tabular(block: Sequence[_Set], rows: Iterable[int]) -> list[str]:
    apart = r" \\ \addlinespace[1.5pt]" if any(one.wrapped for one in block) else r" \\"
    return [
        rf"\begin{{tabular}}{{@{{}}{''.join(one.form for one in block)}@{{}}}}",
        r"\toprule",
        *_groups(block),
        " & ".join(map(_heading, block)) + r" \\",
        r"\midrule",
        *(" & ".join(one.cell(row) for one in block) + apart for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]


def _groups(block: Sequence[_Set]) -> list[str]:
    """Return the row above the column names, with a rule under each group; empty if there is no group."""
    cells, rules, first = list[str](), list[str](), 1
    for group, own in groupby(block, key=lambda one: one.column.group):
        count = len(list(own))
        cells.append(rf"\multicolumn{{{count}}}{{c}}{{{tex(group)}}}")
        rules += [rf"\cmidrule(lr){{{first}-{first + count - 1}}}"] if group else []
        first += count
    return [" & ".join(cells) + r" \\", " ".join(rules)] if rules else []


def _heading(one: _Set) -> str:
    if one.wrapped or len(one.head) == 1:
        return _words(one.column.name, one.width, _SIZE)
    lines = r" \\ ".join(map(tex, one.head))
    return rf"\shortstack[{one.side}]{{{lines}}}"


def _words(text: str, width: float, size: float) -> str:
    """Return text as LaTeX; a word that is wider than the line can be broken anywhere."""
    return " ".join(tex(word, breaks=width_of(word, size) > width) for word in text.split(" "))


def _lines(text: str, width: float, size: float) -> int:
    """Return the most lines that a text takes in a width in points."""
    lines, used = 1, 0.0
    for word in text.split(" "):
        own = width_of(word, size)
        if used and used + own > width:
            lines, used = lines + 1, 0.0
        lines += int(own / width)
        used += own % width + width_of(" ", size)
    return lines
