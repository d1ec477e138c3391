"""Error by label and box-to-image ratio, as in the published figure: a map for each arm.

The bins of the ratio are MedVision's (5% wide); its bins above 35% are one column here.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from medvision_agent.eval.figures.figure import Figure, Panel, relative
from medvision_agent.eval.figures.style import BACK, INK, MUTED, RAMP, TEXT
from medvision_agent.eval.figures.words import fitted
from medvision_agent.text import plural

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["Boxes", "Labelled", "loss_by_label"]

_EDGES = tuple(step / 20 for step in range(1, 8))
"""Bin edges, 0.05 to 0.35; a ratio equal to an edge belongs to the bin above."""
_NAMES = ("<5", "5", "10", "15", "20", "25", "30", "≥35")
_MOST = 12
"""Most labels in a panel: those with the most samples are kept."""
_ROW, _HEAD = 0.24, 0.85
_LABEL_WIDTH = 92
"""Width of the labels in points."""


Boxes = Callable[[str, str], str]
"""Returns a link to the boxes of an arm with a label; empty if there is none."""


class Labelled(NamedTuple):
    """The loss of one box, with its label and the relative size of the true box."""

    label: str
    subject: str
    ratio: float
    """Area of the true box as a share of the image area, 0 to 1."""
    loss: float


class _Cell(NamedTuple):
    loss: float | None
    """None if there are too few subjects."""
    n: int


def loss_by_label(
    name: str,
    title: str,
    arms: Mapping[str, Sequence[Labelled]],
    few: int,
    to: Boxes | None = None,
) -> Figure | None:
    """Return the figure of mean loss by label and box-to-image ratio, a panel for each arm.

    *arms* holds the boxes of each arm. A cell with fewer than *few* subjects has no mean; None if no cell has enough.
    *to* gives the link of an arm's boxes with a label. *name* is the file name and *title* the heading.
    """
    every = [one for own in arms.values() for one in own]
    labels = sorted({one.label for one in every}, key=lambda own: (-sum(one.label == own for one in every), own))
    cells = {arm: _cells(own, few) for arm, own in arms.items()}
    if all(cell.loss is None for own in cells.values() for cell in own.values()):
        return None
    how = (
        "Mean loss of boxes (1 - IoU) by label and by the share of the image's area that the true box takes, in the "
        f"published steps of 5%. Darker, or on a dark page lighter: a larger loss. A cross stands for fewer than {few} "
        "subjects, which have no mean."
    )
    more = f" {plural(len(labels) - _MOST, 'label')} with fewer samples left out." if len(labels) > _MOST else ""
    made = tuple(_panel(arm, own, labels[:_MOST], to) for arm, own in cells.items())
    return Figure(name, title, how + more, made)


def _cells(samples: Sequence[Labelled], few: int) -> dict[tuple[str, int], _Cell]:
    groups: dict[tuple[str, int], list[Labelled]] = {}
    for one in samples:
        groups.setdefault((one.label, bisect_right(_EDGES, one.ratio)), []).append(one)
    return {
        place: _Cell(
            sum(one.loss for one in own) / len(own) if len({one.subject for one in own}) >= few else None, len(own)
        )
        for place, own in groups.items()
    }


def _panel(arm: str, cells: Mapping[tuple[str, int], _Cell], labels: Sequence[str], to: Boxes | None) -> Panel:
    shown = {place: cell for place, cell in cells.items() if place[0] in labels}
    hrefs = {own: to(arm, own) for own, _ in shown} if to else {}

    def draw(axes: "Axes") -> None:
        from matplotlib.patches import Rectangle  # noqa: PLC0415 - takes half a second

        for (own, column), cell in shown.items():
            row = labels.index(own)
            words, colour = "x", MUTED
            made: list[Artist] = []
            if cell.loss is not None:
                step = min(int(cell.loss * len(RAMP)), len(RAMP) - 1)
                words, colour = f"{cell.loss:.2f}".removeprefix("0"), BACK if step > 2 else INK
                area = Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, color=RAMP[step].light, linewidth=0)
                made.append(axes.add_patch(area))
            made.append(axes.text(column, row, words, ha="center", va="center", color=colour))
            if href := hrefs.get(own):
                for artist in made:
                    artist.set_url(relative(href))
        axes.set(xlim=(-0.5, len(_NAMES) - 0.5), ylim=(len(labels) - 0.5, -0.5))
        axes.set_xticks(range(len(_NAMES)), _NAMES)
        axes.set_yticks(range(len(labels)), [fitted(one, _LABEL_WIDTH, TEXT) for one in labels])
        axes.set_xlabel("box-to-image ratio from, %")
        axes.tick_params(length=0)
        axes.grid(visible=False)

    words = "; ".join(
        f"{own}, {_NAMES[column]}%: {f'{cell.loss:.3f}' if cell.loss is not None else 'too few subjects'}, n {cell.n}"
        for (own, column), cell in sorted(shown.items(), key=lambda item: (item[0][1], item[0][0]))
    )
    links = {href: f"boxes of {own}, {arm}" for own, href in hrefs.items() if href}
    return Panel(arm, _HEAD + _ROW * len(labels), draw, f"{words}.", links)
