"""What figures share: panels side by side, a legend above them, and names that fit."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PANEL", "legend", "panels", "short"]

PANEL = 2.9
"""Inches of a panel's side."""


def panels(names: Sequence[str], *, height: float = PANEL, across: int = 0) -> "tuple[Figure, list[Axes]]":
    """Return a figure with a panel for each name, at most *across* side by side (without it, all)."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - takes half a second

    columns = min(across, len(names)) if across else len(names)
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(PANEL * max(2, columns), height * rows), layout="constrained")
    every = [axes for row in figure.subplots(rows, columns, squeeze=False) for axes in row]
    for spare in every[len(names) :]:
        spare.set_axis_off()
    return figure, every[: len(names)]


def legend(figure: "Figure", look: Mapping[str, tuple[str, str]], *, bars: bool = False) -> None:
    """Name the colours and markers of *look* above the panels."""
    from matplotlib.lines import Line2D  # noqa: PLC0415 - takes half a second

    handles = [
        Line2D([], [], color=colour, marker="s" if bars else marker, linestyle="none", label=short(label))
        for label, (colour, marker) in look.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(4, len(handles)), fontsize=9)


def short(text: str, most: int = 40) -> str:
    """Return a name of *most* letters at most."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
