"""A CSV table about images: spacing, persons and measures, one row for each measure.

Points are pixels, x to the right and y down. Column names may be in upper or lower case; an unknown column is an
error, so that a misspelt one is not ignored.
"""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from medvision_agent.errors import DataError, nearest

__all__ = ["COLUMNS", "Row", "read_rows"]

MAX_BYTES = 64 << 20
_TEXT = (
    "image", "subject", "task", "label", "landmarks", "measurement", "description", "modality", "plane", "annotator",
)  # fmt: skip
_POINTS = tuple(f"{axis}{number}" for number in range(1, 5) for axis in "xy")
_RECIST = tuple(f"{which}_{axis}{number}" for which in ("long", "short") for number in (1, 2) for axis in "xy")
_NUMBERS = (
    "slice", "height_mm", "width_mm", "spacing_mm", "x_min", "y_min", "x_max", "y_max", *_POINTS, *_RECIST,
    "value", "long_mm", "short_mm", "area_mm2",
)  # fmt: skip
COLUMNS = (*_TEXT, *_NUMBERS)
"""Every column that is known."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its line in the file, its texts, and its numbers; empty cells are left out."""

    line: int
    texts: Mapping[str, str]
    numbers: Mapping[str, float]

    @property
    def image(self) -> str:
        """The name of the image that the row is about."""
        return self.texts["image"]

    def has(self, *names: str) -> bool:
        """Return whether all of these numbers are given.

        Raises DataError, which does not name the line, if only some are.
        """
        given = [name for name in names if name in self.numbers]
        if given and len(given) < len(names):
            missing = next(name for name in names if name not in self.numbers)
            raise DataError(f"{missing}: is empty, but {given[0]} is given; fill in all of {', '.join(names)}, or none")
        return bool(given)

    def all_of(self, *names: str) -> tuple[float, ...]:
        """Return the numbers in these columns, in this order; all must be given."""
        return tuple(self.numbers[name] for name in names)


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a CSV table; raises DataError naming file, line and column."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path}: larger than {MAX_BYTES >> 20} MB; split the table")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot read the file ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8 text; save the table as CSV in UTF-8") from None
    lines = text.splitlines()
    separator = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(path, header)
        return [_row(path, header, cells, reader.line_num) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: not valid CSV ({error}); close every quote") from None


def _check_header(path: Path, header: list[str]) -> None:
    if "image" not in header:
        raise DataError(f"{path}:1: no column 'image'; the first line must name the columns: {', '.join(COLUMNS)}")
    for name in header:
        if name not in COLUMNS:
            raise DataError(
                f"{path}:1: {name!r} is not a known column.{nearest(name, COLUMNS)} Known: {', '.join(COLUMNS)}"
            )
        if header.count(name) > 1:
            raise DataError(f"{path}:1: the column {name!r} is there twice; remove one")


def _row(path: Path, header: list[str], cells: list[str], line: int) -> Row:
    if len(cells) > len(header):
        raise DataError(
            f"{path}:{line}: {len(cells)} cells under {len(header)} columns; put texts with commas in quotes"
        )
    given = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()}
    if "image" not in given:
        raise DataError(f"{path}:{line}: image: is empty; name the file that the row is about")
    texts = {name: cell for name, cell in given.items() if name in _TEXT}
    for name, cell in texts.items():
        if not cell.isprintable() or len(cell) > 500:
            raise DataError(f"{path}:{line}: {name}: expected printable text of at most 500 characters")
    return Row(line, texts, {name: _number(path, line, name, given[name]) for name in given if name in _NUMBERS})


def _number(path: Path, line: int, name: str, cell: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        hint = "; use a point as the decimal separator" if "," in cell else ""
        raise DataError(f"{path}:{line}: {name}: {cell!r} is not a number{hint}")
    return number
