"""The mapping file that says which person a case shows, where dataset and case are not enough to tell.

A CSV file with the columns ``dataset``, ``case`` and ``subject``; cases it does not name keep ``dataset/case``.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from medvision_agent.errors import ConfigError, DataError

__all__ = ["read_subjects"]

_COLUMNS = ("dataset", "case", "subject")


def read_subjects(path: Path) -> Mapping[tuple[str, str], str]:
    """Return (dataset, case) to subject; DataError names file, line and column."""
    found: dict[tuple[str, str], str] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not set(_COLUMNS) <= set(rows.fieldnames or ()):
                raise DataError(f"{path}: expected a first line with the columns {', '.join(_COLUMNS)}")
            for row in rows:
                place = f"{path}:{rows.line_num}"
                dataset, case, subject = ((row[column] or "").strip() for column in _COLUMNS)
                if not (dataset and case and subject):
                    raise DataError(f"{place}: dataset, case and subject must all be given")
                if found.setdefault((dataset, case), subject) != subject:
                    raise DataError(f"{place}: case {case!r} of {dataset} is given two subjects")
    except OSError as error:
        raise ConfigError(f"--subjects {path}: cannot read it ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV file in UTF-8 ({error})") from None
    return found
