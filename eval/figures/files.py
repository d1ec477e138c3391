"""Figures as files for papers: SVG with editable text, and PDF with its fonts, in the colours for paper.

Contract: the same figure gives the same bytes. Links are left out, because a file may be moved anywhere.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from medvision_agent.errors import StorageError
from medvision_agent.eval.figures.canvas import drawing, laid_out, saved, sheet
from medvision_agent.eval.figures.figure import Figure, Panel

__all__ = ["FORMS", "PAGE", "pages", "write_figure"]

FORMS: Final = ("svg", "pdf")
"""The formats, which are also the file extensions."""
PAGE: Final = 9.0
"""The most inches that the panels of one file are high together, so that it fits a printed page."""
_ACROSS = 2
"""Panels side by side."""


def pages(figure: Figure) -> list[Figure]:
    """Return the figure in parts that each fit a page, named ``NAME``, ``NAME-2`` and so on.

    A figure that fits one page is the only part.
    """
    parts: list[list[Panel]] = []
    height = 0.0
    for row in _rows(figure):
        tall = max(panel.height for panel in row)
        if not parts or height + tall > PAGE:
            parts.append([])
            height = 0.0
        parts[-1] += row
        height += tall
    names = [figure.name, *(f"{figure.name}-{number}" for number in range(2, len(parts) + 1))]
    return [replace(figure, name=name, panels=tuple(part)) for name, part in zip(names, parts, strict=True)]


def _rows(figure: Figure) -> Iterator[tuple[Panel, ...]]:
    for start in range(0, len(figure.panels), _ACROSS):
        yield figure.panels[start : start + _ACROSS]


def write_figure(figure: Figure, folder: Path) -> list[Path]:
    """Write a figure as ``NAME.svg`` and ``NAME.pdf`` into *folder* and return the files.

    A figure too high for one page is written in several parts (``pages``). Raises StorageError if writing fails.
    """
    return [file for part in pages(figure) for file in _write_page(part, folder)]


def _write_page(figure: Figure, folder: Path) -> list[Path]:
    files = []
    with drawing(figure.name):
        made = sheet(figure, _ACROSS)
        for artist in made.findobj():
            artist.set_url(None)  # this removes a link
        laid_out(made)  # one layout for both formats
        for form in FORMS:
            file = folder / f"{figure.name}.{form}"
            try:
                folder.mkdir(parents=True, exist_ok=True)
                file.write_bytes(saved(made, form))
            except OSError as error:
                raise StorageError(
                    f"{file} cannot be written: {error.strerror}; check the folder and its free space"
                ) from error
            files.append(file)
    return files
