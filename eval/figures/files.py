"""Figures as files for papers: as SVG, whose text can be edited, and as PDF with its fonts, in the colours of paper.

Contract: the same figure gives the same bytes. Links are left out, as a file may lie anywhere.
"""

from pathlib import Path
from typing import Final

from medvision_agent.errors import StorageError
from medvision_agent.eval.figures.canvas import drawing, saved, sheet
from medvision_agent.eval.figures.figure import Figure

__all__ = ["FORMS", "write_figure"]

FORMS: Final = ("svg", "pdf")
"""The formats, which are also the ends of the files' names."""


def write_figure(figure: Figure, folder: Path) -> list[Path]:
    """Write a figure as ``NAME.svg`` and ``NAME.pdf``; returns the files. Raises StorageError where that fails."""
    files = []
    with drawing(figure.name):
        made = sheet(figure)
        for artist in made.findobj():
            artist.set_url(None)  # how a link is taken away
        made.draw_without_rendering()
        made.set_layout_engine("none")  # laid out once, for both
        for form in FORMS:
            file = folder / f"{figure.name}.{form}"
            try:
                folder.mkdir(parents=True, exist_ok=True)
                file.write_bytes(saved(made, form))
            except OSError as error:
                raise StorageError(f"{file} cannot be written: {error.strerror}") from error
            files.append(file)
    return files
