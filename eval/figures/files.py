"""Figures as files for papers: SVG with editable text, and PDF with its fonts, in the colours for paper.

Contract: the same figure gives the same bytes. Links are left out, because a file may be moved anywhere.
"""

from pathlib import Path
from typing import Final

from medvision_agent.errors import StorageError
from medvision_agent.eval.figures.canvas import drawing, saved, sheet
from medvision_agent.eval.figures.figure import Figure

__all__ = ["FORMS", "write_figure"]

FORMS: Final = ("svg", "pdf")
"""The formats, which are also the file extensions."""


def write_figure(figure: Figure, folder: Path) -> list[Path]:
    """Write a figure as ``NAME.svg`` and ``NAME.pdf`` and return the files. Raises StorageError if that fails."""
    files = []
    with drawing(figure.name):
        made = sheet(figure)
        for artist in made.findobj():
            artist.set_url(None)  # this removes a link
        made.draw_without_rendering()
        made.set_layout_engine("none")  # one layout for both formats
        for form in FORMS:
            file = folder / f"{figure.name}.{form}"
            try:
                folder.mkdir(parents=True, exist_ok=True)
                file.write_bytes(saved(made, form))
            except OSError as error:
                raise StorageError(f"{file} cannot be written: {error.strerror}") from error
            files.append(file)
    return files
