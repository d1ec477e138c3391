"""A figure as data: panels one column wide, a key, a title, and a description of how to read it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medvision_agent.eval.figures.style import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Figure", "Panel", "relative"]


def relative(href: str) -> str:
    """Return *href* unchanged if it is an address relative to the page.

    Raises ValueError for one with a scheme or a host, or one that begins with a slash.
    """
    if not re.fullmatch(r"(?!/)[^:\\\x00-\x20]+", href):
        raise ValueError(f"{href!r} is not an address relative to the page; expected a path without scheme and host")
    return href


@dataclass(frozen=True)
class Panel:
    """One panel of a figure: a pair of axes, with a function that draws the data on them."""

    title: str
    height: float
    """Height in inches, including title and axes."""
    draw: Callable[["Axes"], None]
    """Draws the data on the axes; called once for each output format."""
    words: str
    """The values in words, for readers who cannot see the panel."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Describes the target of each linked mark, by address."""


@dataclass(frozen=True)
class Figure:
    """A figure with everything needed to show it on a page (``page``) or write it to a file (``files``)."""

    name: str
    """Name for ids and files; unique in a report."""
    title: str
    description: str
    """How to read the figure."""
    panels: tuple[Panel, ...]
    key: Mapping[str, Look] = field(default_factory=dict)
    href: str = ""
    """Link target of the whole figure; empty if there is none."""
