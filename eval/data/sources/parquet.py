"""Samples from a Parquet file: one sample per row, the picture's PNG bytes in column ``image_bytes``.

The columns are the fields of ``Sample``: ``pixel_size``, ``marks`` and ``values`` are structs, ``truth_points`` a list
of structs, ``target`` and ``landmarks`` lists, ``medvision`` JSON text. A null or a missing column stands for a field's
default, so a file written by any tool can be read; ``image`` names the picture but is not opened. The file is read with
``datasets``.
"""

import json
import logging
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from medvision_agent.errors import DataError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage
from medvision_agent.eval.data.sources.checks import FileSource, native_of, parse_sample
from medvision_agent.eval.data.sources.listing import Listing

__all__ = ["FACTS", "PICTURE", "ParquetSource"]

PICTURE = "image_bytes"
"""The column with the pictures."""
FACTS = "medvision"
"""The column with MedVision's facts, as JSON text."""


@contextmanager
def _quiet_datasets() -> Iterator[Any]:
    """Import ``datasets`` (slow, so only here) and hold its progress bars and its log back for a while."""
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
    """The samples of one Parquet file; pictures are read row by row from a temporary memory map."""

    form = "per row"

    def __init__(self, path: Path) -> None:
        """Open the file; raises DataError where it cannot be read, or has no pictures."""
        super().__init__(path)
        cache = tempfile.mkdtemp(prefix="medvision-agent-")
        weakref.finalize(self, shutil.rmtree, cache, ignore_errors=True)
        self._rows = _open(path, cache)

    def _listed(self, path: Path) -> Listing:
        """Read and check every row but no picture; raises DataError naming file, row and field."""

        def place(row: int) -> str:
            return f"{path}: row {row}"

        fields = enumerate(map(_as_json, self._rows.remove_columns(PICTURE)), start=1)
        return Listing(((row, _picture_sample(text, place(row))) for row, text in fields), place)

    def _loaded(self, sample: Sample, place: str) -> NativeImage:
        data = self._rows[self._listing.row(sample)][PICTURE]
        if not isinstance(data, bytes):
            raise DataError(f"{place}: {PICTURE}: expected the bytes of a PNG file, found {type(data).__name__}")
        return native_of(sample, data, place, PICTURE)


def _picture_sample(text: str, place: str) -> Sample:
    sample = parse_sample(text, place)
    if sample.volume is not None:
        raise DataError(f"{place}: volume: a Parquet file holds pictures; name slices of volumes in a JSON Lines file")
    return sample


def _open(path: Path, cache: str) -> Any:
    from pyarrow import parquet  # noqa: PLC0415 - slow

    try:
        with _quiet_datasets() as datasets:
            # The columns as Parquet has them: names of types that another version of datasets adds do not matter.
            features = datasets.Features.from_arrow_schema(parquet.read_schema(path).remove_metadata())
            rows = datasets.Dataset.from_parquet(str(path), features=features, cache_dir=cache)
    except Exception as error:  # every layer below raises its own kinds
        cause = error.__cause__ or error
        raise DataError(f"{path}: not a readable Parquet file ({str(cause).splitlines()[0]})") from error
    if PICTURE not in rows.column_names:
        found = ", ".join(rows.column_names)
        raise DataError(f"{path}: no column {PICTURE!r}; expected the PNG bytes there, found columns {found}")
    return rows


def _as_json(fields: Mapping[str, Any]) -> str:
    """Return a row as JSON without its nulls; what JSON cannot hold becomes text and fails the check of its field."""
    row = _without_nulls(fields)
    with suppress(ValueError):  # no JSON: the text stays and fails the check of its field
        row |= {FACTS: json.loads(row[FACTS])} if isinstance(row.get(FACTS), str) else {}
    return json.dumps(row, default=str)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
