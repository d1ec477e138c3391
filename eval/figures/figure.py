"""What a figure is: panels one column wide, a key to its looks, a title, and how it is read, in words."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medvision_agent.eval.figures.style import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Figure", "Panel", "relative"]


def relative(href: str) -> str:
    """Return an address relative to the page's own; raises ValueError for a scheme, a host or a root."""
    if not re.fullmatch(r"(?!/)[^:\\\x00-\x20]+", href):
        raise ValueError(f"{href!r} is no address relative to the page")
    return href


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    title: str
    height: float
    """Inches, with its title and axes."""
    draw: Callable[["Axes"], None]
    """Puts the data on the axes; called once for each form that is written."""
    words: str
    """Its values, for who does not see it."""
    links: Mapping[str, str] = field(default_factory=dict)
    """What marks with a link lead to, in words, by address."""


@dataclass(frozen=True)
class Figure:
    """A figure with all that is needed to show it on a page (``page``) or write it to a file (``files``)."""

    name: str
    """For ids and files; no other figure of a report has it."""
    title: str
    description: str
    """How it is read."""
    panels: tuple[Panel, ...]
    key: Mapping[str, Look] = field(default_factory=dict)
    href: str = ""
    """Where the figure as a whole leads to; empty for nowhere."""
