"""Writes the tables of stored runs for other programs: three Parquet, CSV or JSON Lines files in a folder.

Contract: the files have the content of the DataFrames. The folder appears whole or not at all, and an existing folder
is never changed. In CSV, text that a spreadsheet would read as a formula gets a leading apostrophe; in JSON Lines, a
missing value is null, and infinities are the strings ``Infinity`` and ``-Infinity``.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as arrow
from pyarrow.parquet import ParquetWriter

from medvision_agent.errors import StorageError
from medvision_agent.frozen import strict
from medvision_agent.placed import placed

__all__ = ["FORMATS", "Format", "export_tables"]

Format = Literal["parquet", "csv", "jsonl"]


Parts = Iterable[pd.DataFrame]
"""A table in parts; at least one part, which may have no rows."""


def export_tables(tables: Mapping[str, Parts], out: Path, form: Format) -> dict[Path, int]:
    """Write each table into the new folder *out*, in a file with its name; return the number of rows of each file.

    Raises StorageError if *out* exists already or cannot be written.
    """
    if out.exists():
        raise StorageError(f"{out}: exists already; export to another folder, or remove it first")
    counts: dict[Path, int] = {}
    with placed(out) as folder:
        folder.mkdir()
        for name, table in tables.items():
            counts[out / f"{name}.{form}"] = FORMATS[form](table, folder / f"{name}.{form}")
    return counts


def _write_parquet(table: Parts, file: Path) -> int:
    rows, writer = 0, None
    try:
        for part in table:
            rows += len(part)
            content = arrow.Table.from_pandas(part, preserve_index=False)
            writer = writer or ParquetWriter(file, content.schema)
            writer.write_table(content)
    finally:
        if writer is not None:
            writer.close()
    return rows


def _write_csv(table: Parts, file: Path) -> int:
    rows = 0
    with file.open("w", encoding="utf-8", newline="") as lines:
        for part in table:
            texts = part.select_dtypes("string").columns
            plain = part.assign(**{name: part[name].map(_no_formula, na_action="ignore") for name in texts})
            plain.to_csv(lines, index=False, header=rows == 0)
            rows += len(part)
    return rows


def _write_jsonl(table: Parts, file: Path) -> int:
    rows = 0
    with file.open("w", encoding="utf-8") as lines:
        for part in table:
            rows += len(part)
            for row in part.astype(object).where(part.notna(), None).to_dict(orient="records"):
                lines.write(json.dumps(strict(row), allow_nan=False) + "\n")
    return rows


def _no_formula(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


FORMATS: dict[Format, Callable[[Parts, Path], int]] = {
    "parquet": _write_parquet,
    "csv": _write_csv,
    "jsonl": _write_jsonl,
}
