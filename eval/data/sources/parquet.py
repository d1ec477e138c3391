"""Samples from a Parquet file: one sample per row, the image's PNG bytes in column ``image_bytes``.

The columns are the fields of ``Sample``: ``pixel_size``, ``marks`` and ``values`` are structs, ``truth_points`` a list
of structs, ``target`` and ``landmarks`` lists, ``medvision`` JSON text. A null or a missing column stands for a field's
default, so a file written by any tool can be read; ``image`` names the image but is not opened. The file is read with
``datasets``.
"""

import json
import logging
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from hashlib import sha256
from pathlib import Path
from typing import Any

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import Inspected, NativeImage, Read
from medvision_agent.eval.data.sources.checks import FileSource, inspected, native_of, parse_sample
from medvision_agent.eval.data.sources.fields import without_nulls
from medvision_agent.eval.data.sources.framed import FRAME, read_frame
from medvision_agent.eval.data.sources.picture import size_in

__all__ = ["FACTS", "PICTURE", "ParquetSource"]

PICTURE = "image_bytes"
"""The column with the images."""
FACTS = "medvision"
"""The column with MedVision's facts, as JSON text."""


@contextmanager
def _quiet_datasets() -> Iterator[Any]:
    """Import ``datasets`` (slow, so only here) and silence its progress bars and its log meanwhile."""
    import datasets  # noqa: PLC0415

    logger = logging.getLogger("datasets")
    level, had_none = logger.level, datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield datasets
    finally:
        logger.setLevel(level)
        if not had_none:
            datasets.enable_progress_bars()


class ParquetSource(FileSource):
    """The samples of one Parquet file; images are read row by row through a temporary memory map."""

    form = "per row"

    def __init__(self, path: Path) -> None:
        """Open the file; raises DataError where it cannot be read, or has no column of images."""
        super().__init__(path)
        self._opened = _sha256_of(path)
        cache = tempfile.mkdtemp(prefix="medvision-agent-")
        weakref.finalize(self, shutil.rmtree, cache, ignore_errors=True)
        self._rows = _open(path, cache)

    def fingerprint(self) -> str | None:
        """Return a SHA-256 of all columns; None if the file cannot be read, or changed since it was opened.

        Of the column of images only the sizes of its bytes enter the hash.
        """
        now = _sha256_of(self._path)
        return now if now == self._opened else None

    def read(self) -> Iterator[Read]:
        """Yield the number of each row (from 1) with the checked sample or the error in it.

        Images are read only if their size is needed.
        """
        # Only a frame needs the images, and reading all of them is slow.
        rows = self._rows if FRAME in self._rows.column_names else self._rows.remove_columns(PICTURE)
        for row, fields in enumerate(rows, start=1):
            yield row, _sample(fields, self.place(row))

    def place(self, number: int) -> str:
        """Return the file and the row, as ``FILE: row N``, from 1."""
        return f"{self._path}: row {number}"

    def _inspected(self, sample: Sample, place: str, number: int | None) -> Inspected:
        return inspected(sample, self._picture(sample, place, number), place, PICTURE)

    def _loaded(self, sample: Sample, place: str, number: int | None) -> NativeImage:
        return native_of(sample, self._picture(sample, place, number), place, PICTURE)

    def _picture(self, sample: Sample, place: str, number: int | None) -> bytes:
        row = self._row(sample) if number is None else number - 1
        return _bytes(self._rows[row], place)

    def _row(self, sample: Sample) -> int:
        """Return the row of a sample, from 0, found in the column of ids: a resumed run need not list the file."""
        import pyarrow  # noqa: PLC0415 - slow
        from pyarrow import compute  # noqa: PLC0415

        row = -1
        with suppress(KeyError, pyarrow.ArrowException):  # no such column, or ids of another type
            row = compute.index(self._rows.data.column("id"), sample.id).as_py()
        return row if row >= 0 else self._listing.row(sample)


def _bytes(fields: Mapping[str, Any], place: str) -> bytes:
    data = fields.get(PICTURE)
    if not isinstance(data, bytes):
        found = "no value" if data is None else f"a value of the type {type(data).__name__}"
        raise DataError(f"{place}: {PICTURE}: expected the bytes of a PNG file, found {found}")
    return data


def _sample(fields: Mapping[str, Any], place: str) -> Sample | DataError:
    try:
        given = without_nulls({name: value for name, value in fields.items() if name != PICTURE})
        framed = read_frame(given, lambda: size_in(_bytes(fields, place), f"{place}: {PICTURE}"), place)
        return _picture_sample(_as_json(framed), place)
    except DataError as error:
        return error


def _picture_sample(text: str, place: str) -> Sample:
    sample = parse_sample(text, place)
    if sample.volume is not None:
        raise DataError(
            f"{place}: volume: cannot be given in a Parquet file, which holds images only; ask about slices of volumes "
            "in a JSON Lines file"
        )
    if sample.mask is not None:
        raise DataError(
            f"{place}: mask: cannot be given in a Parquet file, which holds images only; name masks in a JSON Lines "
            "file, or leave mask out"
        )
    return sample


def _open(path: Path, cache: str) -> Any:
    from pyarrow import parquet  # noqa: PLC0415 - slow

    try:
        with _quiet_datasets() as datasets:
            # The columns as Parquet has them: names of types that another version of datasets adds do not matter.
            features = datasets.Features.from_arrow_schema(parquet.read_schema(path).remove_metadata())
            if not parquet.read_metadata(path).num_rows:  # which ``datasets`` cannot read
                return datasets.Dataset.from_dict({name: [] for name in features}, features=features)
            # The file that is named is the file that is read: its name is no pattern.
            rows = datasets.Dataset.from_parquet(escape(str(path)), features=features, cache_dir=cache)
    except Exception as error:  # every layer below raises its own kinds
        cause = error.__cause__ or error
        reason = str(cause).splitlines()[0]
        raise DataError(f"{path}: is not a readable Parquet file ({reason}); copy or write it again") from error
    if PICTURE not in rows.column_names:
        found = ", ".join(rows.column_names)
        raise DataError(
            f"{path}: there is no column {PICTURE!r}; expected one that holds the bytes of each sample's PNG image "
            f"(docs/data.md); the columns are {found}"
        )
    return rows


def _sha256_of(path: Path) -> str | None:
    """Return a SHA-256 over the bytes of all columns, as they lie in the file; None if it is unreadable.

    The images may be gigabytes. Only the sizes of their bytes enter the hash, since a sample that states its frame
    needs the size in pixels; a few images are compared when a run is resumed.
    """
    from pyarrow import ArrowException, parquet  # noqa: PLC0415 - slow

    found = sha256()
    try:
        with path.open("rb") as file, parquet.ParquetFile(file) as opened:
            about = opened.metadata
            found.update(f"{about.num_rows} rows, {opened.schema_arrow}".encode())
            for group in map(about.row_group, range(about.num_row_groups)):
                for chunk in map(group.column, range(group.num_columns)):
                    sizes = chunk.total_compressed_size, chunk.total_uncompressed_size
                    found.update(f"{chunk.path_in_schema} {group.num_rows} {sizes}".encode())
                    if chunk.path_in_schema != PICTURE:
                        starts = chunk.data_page_offset, chunk.dictionary_page_offset
                        file.seek(min(start for start in starts if start))
                        found.update(file.read(chunk.total_compressed_size))
    except (OSError, ValueError, ArrowException):
        return None
    return found.hexdigest()


def _as_json(row: dict[str, Any]) -> str:
    """Return a row as JSON; a value that JSON cannot hold becomes text and fails the check of its field."""
    with suppress(ValueError):  # not JSON: the text stays and fails the check of its field
        row |= {FACTS: json.loads(row[FACTS])} if isinstance(row.get(FACTS), str) else {}
    return json.dumps(row, default=str)
