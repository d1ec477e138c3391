"""The images of shared runs: their samples, their licences, and which of them may not be shared.

Contract: a stored image belongs to every sample in whose conversation it stands, or to the sample whose image was shown
instead. It may be shared where all of these may. Rows come in the order of their hashes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.sharing.licences import Licence, licence_of
from medvision_agent.eval.tables.column import Column

__all__ = ["IMAGES", "ImageRow", "Images"]

_OTHERS = Licence("", "", "", "", "the sample whose image was shown instead is not among those of the run")


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One stored image of the shared runs, with the licences of all samples that it belongs to."""

    sha256: str
    run: str
    """The first run that stores it."""
    sample: str
    """The first sample that it belongs to."""
    samples: int
    licences: tuple[Licence, ...]

    @property
    def refused(self) -> str:
        """Why the image may not be shared; empty if it may."""
        return "; ".join(dict.fromkeys(one.refused for one in self.licences if one.refused))


def _file(row: ImageRow) -> str | None:
    return None if row.refused else f"pictures/{row.sha256}.png"


def _each(texts: Iterable[str]) -> str | None:
    return " | ".join(dict.fromkeys(text for text in texts if text)) or None


IMAGES: tuple[Column[ImageRow], ...] = (
    Column("picture", "text", "SHA-256 of the image", lambda row: row.sha256),
    Column("file", "text", "File of the image; missing where it is not shared", _file),
    Column("not_shared_because", "text", "Why it is not shared; missing where it is", lambda row: row.refused or None),
    Column("licence", "text", "Licences, joined by ' | '", lambda row: _each(one.licence for one in row.licences)),
    Column("basis", "text", "Who states the licence", lambda row: _each(one.basis for one in row.licences)),
    Column("origin", "text", "Where the image comes from", lambda row: _each(one.origin for one in row.licences)),
    Column("dataset", "text", "Data set", lambda row: _each(one.dataset for one in row.licences)),
    Column("sample", "text", "First sample that the image belongs to", lambda row: row.sample),
    Column("samples", "integer", "How many samples it belongs to", lambda row: row.samples),
)


class Images:
    """A collector of the images of all conversations, used while the tables of runs are written.

    *samples* are the samples of each run; *stated* are licences by data set that the user states.
    """

    def __init__(self, samples: Mapping[str, Sequence[Sample]], stated: Mapping[str, str]) -> None:
        self._licences = {
            run: {sample.id: licence_of(sample, stated) for sample in own} for run, own in samples.items()
        }
        self._donors: dict[tuple[str, str], str] = {}
        self._owners: dict[str, dict[tuple[str, str], None]] = {}

    def hear(self, parts: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Yield the *parts* of a table unchanged, and note the images in them; the table of samples must come first."""
        for part in parts:
            if "donor" in part:
                for run, sample, donor in zip(part["run"], part["id"], part["donor"], strict=True):
                    if pd.notna(donor):
                        self._donors[run, sample] = donor
            for name in {"picture_sha256", "pictures", "picture"} & set(part.select_dtypes("string").columns):
                for run, sample, hashes in zip(part["run"], part["id"], part[name], strict=True):
                    self._note(run, sample, hashes)
            yield part

    def rows(self) -> list[ImageRow]:
        """Return all collected images, sorted by their hashes."""
        return [self._row(sha256, tuple(owners)) for sha256, owners in sorted(self._owners.items())]

    def _note(self, run: str, sample: str, hashes: object) -> None:
        if isinstance(hashes, str):
            owner = run, self._donors.get((run, sample), sample)
            for sha256 in hashes.split():
                self._owners.setdefault(sha256, {})[owner] = None

    def _row(self, sha256: str, owners: Sequence[tuple[str, str]]) -> ImageRow:
        licences = dict.fromkeys(self._licences[run].get(sample, _OTHERS) for run, sample in owners)
        samples = len({sample for _, sample in owners})
        return ImageRow(sha256, owners[0][0], owners[0][1], samples, tuple(licences))
