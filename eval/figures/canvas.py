"""Drawing with matplotlib: a panel by itself for a page, or all panels of a figure on one sheet.

Why matplotlib, which the report had before: its axes, ticks and layout are better than any we would write, its SVG keeps
text as text, and its PDF holds vectors and fonts without another library. It is imported when something is drawn.
"""

import io
import math
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

__all__ = ["drawing", "saved", "sheet", "single"]

_POINTS = 72
_PAD = 0.04
"""Inches around the axes."""
_TITLE_WIDTH = 200
"""Points of a title: a panel but for the ticks to the left of its axes."""
_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""Nothing that differs from one writing to the next."""


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Hold matplotlib's settings for one figure; whatever a user's own settings are, they are not used."""
    import matplotlib as mpl  # noqa: PLC0415 - takes half a second

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a name in any script is drawn
        mpl.rcdefaults()
        settings: dict[Any, Any] = {**SETTINGS, "svg.hashsalt": name}
        mpl.rcParams.update(settings)
        yield


def single(panel: Panel) -> "Sheet":
    """Return a panel by itself, one column wide."""
    return _sheet([panel], 1, 0.0)


def sheet(figure: Figure, across: int = 2) -> "Sheet":
    """Return all panels, at most *across* side by side, under the key."""
    columns = min(across, len(figure.panels))
    ncols, lines = _key_shape([printable(name) for name in figure.key], columns)
    made = _sheet(figure.panels, columns, lines * 1.6 * TEXT / _POINTS)
    if figure.key:
        _legend(made, figure, ncols, columns)
    return made


def _sheet(panels: Sequence[Panel], columns: int, key: float) -> "Sheet":
    from matplotlib.figure import Figure as Sheet  # noqa: PLC0415 - takes half a second

    rows = math.ceil(len(panels) / columns)
    heights = [max(one.height for one in panels[row * columns : (row + 1) * columns]) for row in range(rows)]
    made = Sheet(figsize=(COLUMN * columns, sum(heights) + key), layout="constrained")
    made.get_layout_engine().set(w_pad=_PAD, h_pad=_PAD)  # type: ignore[union-attr, call-arg]
    grid = made.add_gridspec(rows, columns, height_ratios=heights)
    for number, panel in enumerate(panels):
        axes = made.add_subplot(grid[number // columns, number % columns])
        panel.draw(axes)
        axes.set_title(fitted(panel.title, _TITLE_WIDTH, TITLE, bold=True))
    return made


def _key_shape(names: Sequence[str], columns: int) -> tuple[int, int]:
    """Return how many names stand in a line of the key, and how many lines it has."""
    if not names:
        return 1, 0
    widest = max(width_of(name, TEXT) for name in names) + 4 * TEXT
    ncols = max(1, min(len(names), int(COLUMN * columns * _POINTS / widest)))
    return ncols, math.ceil(len(names) / ncols)


def _legend(made: "Sheet", figure: Figure, ncols: int, columns: int) -> None:
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
    made.legend(handles=handles, loc="outside upper left", ncols=ncols, handletextpad=0.2, columnspacing=1.2)


def saved(made: "Sheet", form: Literal["svg", "pdf"]) -> bytes:
    """Return a sheet as a file's bytes; the same sheet gives the same bytes."""
    out = io.BytesIO()
    made.savefig(out, format=form, metadata=_METADATA[form])
    return out.getvalue()
