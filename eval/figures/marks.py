"""Elements shared by figures: marks of samples and arms, intervals, rows with their names."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

from medvision_agent.eval.figures.figure import relative
from medvision_agent.eval.figures.style import BACK, COLUMN, INK, LINE, MARK, MUTED, ROW, SMALL_MARK, TEXT, THIN, Look
from medvision_agent.eval.figures.words import fitted, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Dot", "Dots", "Point", "columns", "dots", "interval", "label", "losses", "mark", "reference", "rows"]
__all__ += ["rows_height"]

Point = tuple[float, float]


class Dot(NamedTuple):
    """The mark of one sample in a panel, at x and y in the units of the axes."""

    x: float
    y: float
    name: str = ""
    """Of the sample."""
    href: str = ""


class Dots(Sequence[Dot]):
    """Marks of samples, each made when it is used: there may be very many, of which only some are drawn."""

    def __init__(
        self,
        x: Sequence[float],
        y: Sequence[float],
        names: Sequence[str] | None = None,
        to: Callable[[str], str] = lambda _: "",
    ) -> None:
        """Take the places of the marks in the units of the axes, and the names of the samples.

        *to* takes the name of a sample, and returns a link to it or an empty text.
        """
        self.x, self.y = x, y
        self._names, self._to = names, to

    def __len__(self) -> int:
        return len(self.x)

    @overload
    def __getitem__(self, at: int) -> Dot: ...

    @overload
    def __getitem__(self, at: slice) -> list[Dot]: ...

    def __getitem__(self, at: int | slice) -> Dot | list[Dot]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        name = self._names[at] if self._names else ""
        return Dot(self.x[at], self.y[at], name, self._to(name) if name else "")


_HEAD = 0.85
"""Inches that the title and the two-line axis of a panel with rows take."""
_ROW_WIDTH = COLUMN * 72 - 34
"""Length of a row in points."""
_WORDS, _BELOW = 0.145, 0.12
"""Inches from the marks of a row up to its words, and down to its end."""
_AXIS_WIDTH = 190
"""Space for an axis label in points."""


def columns(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    """Return the x values and the y values of some points, as two lists."""
    return [x for x, _ in points], [y for _, y in points]


def dots(axes: "Axes", samples: Sequence[Dot], look: Look, *, size: float = SMALL_MARK) -> None:
    """Draw samples as small transparent marks of *size* points; each sample with a link is a mark of its own."""
    without = [one for one in samples if not one.href]
    for own in [*([without] if without else []), *([one] for one in samples if one.href)]:
        (line,) = axes.plot(
            *columns([(one.x, one.y) for one in own]),
            marker=look.shape,
            color=look.colour,
            markerfacecolor=look.face,
            markersize=size,
            markeredgewidth=THIN,
            linestyle="none",
            alpha=0.5,
        )
        if own[0].href:
            line.set_url(relative(own[0].href))


def mark(axes: "Axes", x: float, y: float, look: Look, *, href: str = "", size: float = MARK) -> None:
    """Draw the mark of an arm or a contrast at a point of the axes, *size* points wide, with a link if there is one."""
    (line,) = axes.plot(
        [x],
        [y],
        marker=look.shape,
        color=look.colour,
        markerfacecolor=look.face,
        markersize=size,
        markeredgewidth=1.4,
        linestyle="none",
        zorder=4,
        clip_on=False,
    )
    if href:
        line.set_url(relative(href))


def interval(axes: "Axes", start: Point, end: Point, look: Look) -> None:
    """Draw an interval as a line from *start* to *end*, points in the units of the axes."""
    axes.plot([start[0], end[0]], [start[1], end[1]], color=look.colour, linewidth=LINE, zorder=3)


def reference(axes: "Axes", *, x: float | None = None, y: float | None = None, dash: object = "-") -> None:
    """Draw a thin line across the panel at *x* (vertical) or else at *y* (horizontal), such as that at 0."""
    draw, at = (axes.axvline, x) if x is not None else (axes.axhline, y)
    draw(at or 0.0, color=MUTED, linewidth=THIN + 0.2, linestyle=dash, zorder=1)


def losses(axes: "Axes", axis: str, words: str = "mean loss", *, ends: Sequence[float] = ()) -> None:
    """Set up the *axis* ("x" or "y") for losses, from 0 to 1, or farther if *ends* lie beyond; *words* is its label."""
    low, high = min([-0.04, *ends]), max([1.04, *ends])
    step = 0.25 if high < 1.5 else 0.5
    ticks = [step * number for number in range(int(high / step) + 1)]
    axes.set(**{f"{axis}lim": (low, high), f"{axis}label": words, f"{axis}ticks": ticks})


def label(text: str) -> str:
    """Return an axis label, cut in its middle if it is too long for a panel."""
    return fitted(text, _AXIS_WIDTH, TEXT)


def rows_height(count: int, row: float = ROW) -> float:
    """Return the height in inches of a panel with *count* rows, each *row* inches high."""
    return _HEAD + row * count


def rows(
    axes: "Axes",
    names: Sequence[tuple[str, str]],
    *,
    row: float = ROW,
    under: Sequence[str] = (),
    lanes: float = 0.0,
    head: str = "",
) -> None:
    """Write the name of each row, and a note at its right end, above the row's line; row 0 is at the top.

    *names* holds the name and the note of each row. *row* is the height of a row in inches, of which *lanes* are below
    its line; *under* gives a second line for each name, and *head* is written above the notes, beside the panel's
    title.
    """
    if head:
        axes.set_title(head, loc="right", fontsize=TEXT, fontweight="normal", color=MUTED)
    below = _BELOW + lanes
    axes.set_ylim(len(names) - 1 + below / row, -(row - below) / row)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    for number, (name, note) in enumerate(names):
        up = number - (_WORDS + (_WORDS if under else 0.0)) / row
        room = _ROW_WIDTH - (width_of(note, TEXT) + 8 if note else 0)
        _line(axes, up, fitted(name, room, TEXT))
        _line(axes, up, note, at=1.0, color=MUTED)
        if under:
            _line(axes, number - _WORDS / row, fitted(under[number], _ROW_WIDTH, TEXT), color=MUTED)


def _line(axes: "Axes", height: float, words: str, *, at: float = 0.0, color: str = INK) -> None:
    if words:
        side, where = "right" if at else "left", axes.get_yaxis_transform()
        behind = {"facecolor": BACK, "edgecolor": "none", "pad": 0.6}  # keeps lines from crossing the words
        axes.text(at, height, words, transform=where, ha=side, va="center", fontsize=TEXT, color=color, bbox=behind)
