"""Facts that a table and the options state about an image, in addition to its file. Contradictions are refused."""

import numpy as np

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.found import Scan
from medvision_agent.eval.importing.ledger import Ledger
from medvision_agent.eval.importing.table import Row
from medvision_agent.tools.view.geometry import Spacing

__all__ = ["complete"]

_CLOSE = 1e-3
"""Relative difference allowed between two statements of a pixel's size: tables state them rounded."""


def complete(scan: Scan, rows: list[Row], choices: Choices, ledger: Ledger) -> None:
    """Add facts from the table's rows and the options to *scan*, in place; raises DataError where they disagree.

    Also raises DataError if nothing states the pixel size of a 2-D image.
    """
    for row in rows:
        scan.modality = row.texts.get("modality", scan.modality)
        scan.description = row.texts.get("description", scan.description)
        if scan.grid is None:
            scan.plane = row.texts.get("plane", scan.plane)
    _redact(scan, choices, ledger)
    if scan.grid is None:
        _space(scan, rows, choices, ledger)
        scan.plane = scan.plane or choices.plane
        if not scan.plane:
            ledger.ask("Which plane do the images show? Give --plane, or a column plane.", scan.tag)
    elif choices.spacing:
        raise DataError(
            "the header of this volume states the spacing, and --spacing is for images that state none; leave "
            "--spacing out, or import these images separately"
        )
    else:
        own = scan.cut(choices.plane).spacing
        for said in filter(None, map(_spacing_of, rows)):
            if not np.allclose((said.height_mm, said.width_mm), (own.height_mm, own.width_mm), rtol=_CLOSE):
                raise DataError(
                    f"--table states a pixel of {said.height_mm:g} x {said.width_mm:g} mm, but the header one of "
                    f"{own.height_mm:g} x {own.width_mm:g} mm; leave height_mm, width_mm and spacing_mm empty, or "
                    "correct one of the two"
                )
    _ask_about_modality(scan, choices, ledger)


def _ask_about_modality(scan: Scan, choices: Choices, ledger: Ledger) -> None:
    if not (scan.modality or choices.modality):
        ledger.ask("What is the modality of the images? Give --modality, or a column modality.", scan.tag)
    if choices.modality and scan.modality not in {"", choices.modality}:
        ledger.ask("The file or the table states another modality than --modality. Is --modality right?", scan.tag)
    if (choices.modality or scan.modality) == "CT" and not scan.hu and not scan.displayed:
        ledger.ask("Are the CT values in HU? If so, give --units HU.", scan.tag)


def _space(scan: Scan, rows: list[Row], choices: Choices, ledger: Ledger) -> None:
    stated = {one for one in map(_spacing_of, rows) if one is not None}
    if len(stated) > 1:
        raise DataError(
            "the rows of --table for this image state different pixel sizes; state one in height_mm and width_mm, or "
            "in spacing_mm"
        )
    for table in stated:
        if scan.spacing is not None and scan.spacing != table:
            raise DataError(
                f"--table states a pixel of {table.height_mm:g} x {table.width_mm:g} mm, but --spacing or the header "
                f"one of {scan.spacing.height_mm:g} x {scan.spacing.width_mm:g} mm; leave one out, or correct it"
            )
        scan.spacing = table
        ledger.note("pixel_size", "the table")
    if scan.spacing is None:
        raise DataError(
            "nothing states the pixel size of this image: give --spacing HEIGHT,WIDTH in mm, or --table with "
            "height_mm and width_mm"
        )
    if not stated and scan.spacing == choices.spacing:
        ledger.note("pixel_size", "--spacing: the user's word")


def _redact(scan: Scan, choices: Choices, ledger: Ledger) -> None:
    """Set the pixels in the rectangles of --redact to the image's least value, in every plane and in place."""
    columns, rows = (0, 1) if scan.grid is not None else (1, 0)
    for x0, y0, x1, y1 in choices.redact:
        if x1 > scan.values.shape[columns] or y1 > scan.values.shape[rows]:
            raise DataError(
                f"--redact {x0},{y0},{x1},{y1}: extends beyond the image of {scan.values.shape[columns]} x "
                f"{scan.values.shape[rows]} px; give a rectangle within every image, or import this one separately"
            )
        across, down = slice(x0, x1), slice(y0, y1)
        scan.values = scan.values.copy()
        scan.values[(across, down) if columns == 0 else (down, across)] = scan.values.min()
        ledger.note("native values", "a rectangle redacted: set to the least value")


def _spacing_of(row: Row) -> Spacing | None:
    """Return the pixel size in mm that a row states; None if it states none.

    Raises DataError naming the line if it is incomplete or not above 0.
    """
    try:
        if row.has("height_mm", "width_mm"):
            return Spacing(*row.all_of("height_mm", "width_mm"))
        return Spacing(*row.all_of("spacing_mm") * 2) if "spacing_mm" in row.numbers else None
    except (DataError, ValueError) as error:
        raise DataError(f"--table, line {row.line}: {error}") from None
