"""Export of samples to files that ``open_source`` reads back unchanged: a folder of JSON Lines and PNG, or Parquet.

The result appears complete or not at all: it is written under a temporary name beside its place, then moved there.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from medvision_agent.errors import DataError, StorageError
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import Source
from medvision_agent.eval.data.sources.framed import FRAME, in_one_frame
from medvision_agent.eval.data.sources.parquet import FACTS, PICTURE
from medvision_agent.eval.data.sources.picture import to_levels
from medvision_agent.placed import placed
from medvision_agent.tools.view.png import encode_png

__all__ = ["export"]

_ONLY_IN_LINES = ("volume", "mask")
"""Fields that name files beside a JSON Lines file, which an export does not hold."""
_ROWS_TOGETHER = 100
"""Rows in one group of a Parquet file: a reader holds the images of a whole group in memory."""


def export(source: Source, samples: Sequence[Sample], out: Path, *, force: bool = False) -> None:
    """Write *samples* of *source* and their images to *out*: a Parquet file if it ends in .parquet, else a folder.

    An existing *out* is replaced only with *force*, and a folder only if it holds an earlier export: StorageError
    otherwise. Raises DataError if *samples* is empty, or an image cannot be read or stored exactly enough.
    """
    if not samples:
        raise DataError("there is nothing to export: no sample is selected; give other filters (see data list)")
    _check_free(out, force=force)
    with placed(out) as made:
        if out.suffix == ".parquet":
            _write_parquet(source, samples, made)
        else:
            _write_folder(source, samples, made)


def _check_free(out: Path, *, force: bool) -> None:
    if out.suffix not in {"", ".parquet"}:
        raise StorageError(f"{out}: give the name of a folder (without a dot) or of a .parquet file to export to")
    if not out.exists():
        return
    if not force:
        raise StorageError(f"{out}: exists already; choose another name, or replace it with --force")
    ours = (out / "samples.jsonl").is_file() and {item.name for item in out.iterdir()} <= {"samples.jsonl", "images"}
    if out.is_dir() != (out.suffix != ".parquet") or (out.is_dir() and not ours):
        raise StorageError(
            f"{out}: exists already and is not an earlier export of this kind, so --force does not replace it; "
            "choose another name"
        )


def _write_folder(source: Source, samples: Sequence[Sample], folder: Path) -> None:
    (folder / "images").mkdir(parents=True)
    with (folder / "samples.jsonl").open("w", encoding="utf-8", newline="\n") as lines:
        for sample in samples:
            stored, sample = to_levels(source.load(sample), sample)  # noqa: PLW2901 - the same, with its levels
            data = encode_png(stored)
            # Named by content: questions about one image share its file, and no source's name can leave the folder.
            image = f"images/{hashlib.sha256(data).hexdigest()[:20]}.png"
            (folder / image).write_bytes(data)
            fields = in_one_frame(sample, lambda: stored.shape) | {"image": image}  # noqa: B023 - asked at once
            lines.write(json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n")


def _write_parquet(source: Source, samples: Sequence[Sample], file: Path) -> None:
    """Write *samples* as plain Parquet: other versions of ``datasets`` cannot read what it adds to a file's schema."""
    import pyarrow.parquet  # noqa: PLC0415 - slow

    rows = [_row(*to_levels(source.load(sample), sample)) for sample in samples]
    table = pyarrow.Table.from_pylist(rows, schema=_schema(pyarrow))
    pyarrow.parquet.write_table(table, file, row_group_size=_ROWS_TOGETHER)


def _schema(arrow: Any) -> Any:
    text, number, flag = arrow.string(), arrow.float64(), arrow.bool_()
    columns: dict[str, Any] = dict.fromkeys(
        (name for name in (*Sample.model_fields, FRAME) if name not in _ONLY_IN_LINES), text
    )
    columns |= {
        "pixel_size": arrow.struct({"height_mm": number, "width_mm": number}),
        "landmarks": arrow.list_(text),
        "target": arrow.list_(number),
        "truth_points": arrow.list_(arrow.struct({"name": text, "x": number, "y": number})),
        "marks": arrow.struct({"silver": flag, "derived": flag, "synthetic": flag}),
        "values": arrow.struct({"units": text, "slope": number, "intercept": number}),
        PICTURE: arrow.binary(),
    }
    return arrow.schema(columns)


def _row(stored: NDArray[Any], sample: Sample) -> dict[str, Any]:
    row = sample.model_dump(mode="json") | in_one_frame(sample, lambda: stored.shape)
    facts = sample.medvision.model_dump_json(exclude_defaults=True) if sample.medvision else None
    return row | {FACTS: facts, PICTURE: encode_png(stored)}
