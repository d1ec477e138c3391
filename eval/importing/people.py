"""The person an image shows: pseudonyms in the order in which people appear, ``subject-1`` and so on.

A CSV file of the user (columns ``image`` and ``subject``) states which images show one person. Where neither it nor a
header states this, each image counts as a separate person, and the user is asked. The name of a person in any file
is never written.
"""

import csv
from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.importing.found import Scan
from medvision_agent.eval.importing.ledger import Ledger

__all__ = ["People"]


class People:
    """The pseudonyms of the people in one import; *stated* is the user's CSV file that says who an image shows."""

    def __init__(self, stated: Path | None) -> None:
        self._numbers: dict[str, int] = {}
        self._stated = _read(stated) if stated else {}
        self._path = stated

    def of(self, scan: Scan, ledger: Ledger, named: str = "") -> str:
        """Return the pseudonym (``subject-N``) of the person an image shows; *named* is the person that a table states.

        Raises DataError if the user's file has no row for the image.
        """
        known = next((self._stated[name] for name in scan.aliases if name in self._stated), "")
        if self._path is not None and not known:
            raise DataError("--subjects has no row for this image; add one with the name of its file")
        for origin, who in (
            ("--subjects, as a pseudonym", known),
            ("the table, as a pseudonym", named),
            ("DICOM PatientID, as a pseudonym", scan.person),
        ):
            if who:
                ledger.note("subject", origin)
                return self._pseudonym(f"said:{who}")
        ledger.note("subject", "each image counts as a person of its own")
        ledger.ask("Which images show one person? Give --subjects FILE (CSV: image, subject).", scan.tag)
        return self._pseudonym(f"alone:{scan.tag}")

    def _pseudonym(self, key: str) -> str:
        return f"subject-{self._numbers.setdefault(key, len(self._numbers) + 1)}"


def _read(path: Path) -> dict[str, str]:
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not readable as CSV in UTF-8 ({error}); expected the columns image,subject") from None
    if not rows or [name.strip().lower() for name in rows[0]] != ["image", "subject"]:
        raise DataError(f"{path}:1: the first line must be: image,subject")
    found: dict[str, str] = {}
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != 2 or not all(cell.strip() for cell in row):
            raise DataError(f"{path}:{line}: expected two cells that are not empty: image and subject")
        image, subject = (cell.strip() for cell in row)
        if found.setdefault(image, subject) != subject:
            raise DataError(
                f"{path}:{line}: {image!r} has another subject in a line above; name one person for each image"
            )
    return found
