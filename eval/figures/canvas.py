"""Drawing with matplotlib: single panels for a web page, or all panels of a figure on one sheet.

Why matplotlib: its axes, ticks and layout are better than our own code would be, its SVG keeps text as text, and its
PDF has vectors and fonts without another library. It is imported only when something is drawn.
"""

import io
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from medvision_agent.eval.figures.figure import Figure, Panel
from medvision_agent.eval.figures.style import COLUMN, MARK, SETTINGS, TEXT, TITLE
from medvision_agent.eval.figures.words import fitted, width_of
from medvision_agent.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Sheet
    from matplotlib.figure import FigureBase, SubFigure

__all__ = ["drawing", "laid_out", "saved", "sheet", "single"]

_POINTS = 72
_PAD = 0.04
"""Margin around the axes in inches."""
_KEY_LINE = 1.65 * TEXT / _POINTS
"""Height of a line of the key in inches."""
_TITLE_WIDTH = 200
"""Width of a title in points: the panel without the ticks to the left of its axes."""
_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""File metadata without anything that differs between two writings."""


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Within the context, matplotlib uses this project's settings for the figure *name*; a user's own are ignored."""
    import matplotlib as mpl  # noqa: PLC0415 - takes half a second

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # so that a name in any script is drawn
        mpl.rcdefaults()
        settings: dict[Any, Any] = {**SETTINGS, "svg.hashsalt": name}
        mpl.rcParams.update(settings)
        yield


def single(panel: Panel) -> "Sheet":
    """Return a matplotlib figure with one panel, one column wide, laid out by the text widths of SVG."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415 - takes half a second

    made = _blank(COLUMN, panel.height)
    FigureCanvasSVG(made)
    _put(made, panel)
    return made


def sheet(figure: Figure, across: int = 2) -> "Sheet":
    """Return a matplotlib figure with all panels under the key, at most *across* side by side.

    Every panel keeps its own height.
    """
    columns = min(across, len(figure.panels))
    rows = [figure.panels[start : start + columns] for start in range(0, len(figure.panels), columns)]
    ncols, lines = _key_shape([printable(name) for name in figure.key], columns)
    heights = [max(one.height for one in row) for row in rows]
    key = [lines * _KEY_LINE + _PAD] if lines else []
    made = _blank(COLUMN * columns, sum([*key, *heights]))
    parts = made.subfigures(len(key) + len(rows), 1, squeeze=False, height_ratios=[*key, *heights])[:, 0]
    if key:
        _legend(parts[0], figure, ncols, columns)
    for part, row, height in zip(parts[len(key) :], rows, heights, strict=True):
        for cell, panel in zip(part.subfigures(1, columns, squeeze=False)[0], row, strict=False):
            rest = height - panel.height
            _put(cell.subfigures(2, 1, height_ratios=[panel.height, rest])[0] if rest else cell, panel)
    return made


def _blank(width: float, height: float) -> "Sheet":
    from matplotlib.figure import Figure as Sheet  # noqa: PLC0415 - takes half a second

    made = Sheet(figsize=(width, height), layout="constrained")
    made.get_layout_engine().set(w_pad=_PAD, h_pad=_PAD)  # type: ignore[union-attr, call-arg]
    return made


def _put(place: "FigureBase", panel: Panel) -> None:
    axes = place.subplots()
    panel.draw(axes)
    note = axes.get_title(loc="right")
    axes.set_title(fitted(panel.title, _TITLE_WIDTH - (width_of(note, TEXT) if note else 0), TITLE, bold=True))


def _key_shape(names: Sequence[str], columns: int) -> tuple[int, int]:
    """Return how many names fit in a line of the key, and how many lines the key has.

    *columns* is the number of panels side by side, and so the width of the key.
    """
    if not names:
        return 1, 0
    widest = max(width_of(name, TEXT) for name in names) + 4 * TEXT
    ncols = max(1, min(len(names), int(COLUMN * columns * _POINTS / widest)))
    return ncols, math.ceil(len(names) / ncols)


def _legend(made: "FigureBase", figure: Figure, ncols: int, columns: int) -> None:
    from matplotlib.lines import Line2D  # noqa: PLC0415 - takes half a second

    handles = [
        Line2D(
            *([], []),
            color=look.colour,
            marker=look.shape,
            markerfacecolor=look.face,
            markersize=MARK,
            linestyle="none",
            label=fitted(name, COLUMN * columns * _POINTS - 4 * TEXT, TEXT),
        )
        for name, look in figure.key.items()
    ]
    made.legend(handles=handles, loc="upper left", ncols=ncols, handletextpad=0.2, columnspacing=1.2, borderaxespad=0.2)


def laid_out(made: "Sheet") -> "Sheet":
    """Return the same matplotlib figure with its layout computed now.

    Otherwise matplotlib would draw the figure twice for each file.
    """
    if (engine := made.get_layout_engine()) is not None:
        engine.execute(made)
        made.set_layout_engine(None)
    return made


def saved(made: "Sheet", form: Literal["svg", "pdf"]) -> bytes:
    """Return a matplotlib figure as the bytes of an SVG or PDF file; the same figure gives the same bytes."""
    out = io.BytesIO()
    if form == "pdf":
        _hide_backgrounds(made)
    made.savefig(out, format=form, metadata=_METADATA[form])
    return _numbered(out.getvalue()) if form == "svg" else out.getvalue()


def _hide_backgrounds(made: "Sheet | SubFigure") -> None:
    """Hide the transparent backgrounds: a PDF file would hold their outlines, with 0 or -0 at random."""
    made.patch.set_visible(False)
    for part in made.subfigs:
        _hide_backgrounds(part)


def _numbered(svg: bytes) -> bytes:
    """Return the SVG with numbers for ids.

    matplotlib derives ids from hashes of coordinates, whose last digits vary.
    """
    ids = dict.fromkeys(re.findall(rb' id="([a-z][0-9a-f]{10})"', svg))
    numbers = {own: b"r%d" % number for number, own in enumerate(ids, start=1)}
    return re.sub(rb'( id="|#)([a-z][0-9a-f]{10})\b', lambda found: found[1] + numbers.get(found[2], found[2]), svg)
