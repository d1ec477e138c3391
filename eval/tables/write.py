"""Writing the tables of stored runs for other programs: three Parquet, CSV or JSON Lines files in a folder.

Contract: the files hold what the DataFrames hold. The folder appears whole or not at all, and one that is there already
is never touched. In CSV, text that a spreadsheet would take for a formula gets an apostrophe in front; in JSON Lines,
what is missing is null and infinities are the strings ``Infinity`` and ``-Infinity``.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from medvision_agent.errors import StorageError
from medvision_agent.frozen import strict

__all__ = ["FORMATS", "Format", "export_tables"]

Format = Literal["parquet", "csv", "jsonl"]


def export_tables(tables: Mapping[str, pd.DataFrame], out: Path, form: Format) -> dict[Path, int]:
    """Write each table into a new folder, in a file of its name; returns the files and their numbers of rows."""
    if out.exists():
        raise StorageError(f"{out}: exists already; export to another folder, or remove it first")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=out.parent) as work:
            part = Path(work) / "part"
            part.mkdir()
            for name, table in tables.items():
                FORMATS[form](table, part / f"{name}.{form}")
            part.replace(out)
    except OSError as error:
        raise StorageError(f"{out}: cannot write it ({error.strerror or error})") from None
    return {out / f"{name}.{form}": len(table) for name, table in tables.items()}


def _write_parquet(table: pd.DataFrame, file: Path) -> None:
    table.to_parquet(file, engine="pyarrow", index=False)


def _write_csv(table: pd.DataFrame, file: Path) -> None:
    texts = table.select_dtypes("string").columns
    table.assign(**{name: table[name].map(_no_formula, na_action="ignore") for name in texts}).to_csv(file, index=False)


def _write_jsonl(table: pd.DataFrame, file: Path) -> None:
    with file.open("w", encoding="utf-8") as lines:
        for row in table.astype(object).where(table.notna(), None).to_dict(orient="records"):
            lines.write(json.dumps(strict(row), allow_nan=False) + "\n")


def _no_formula(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


FORMATS: dict[Format, Callable[[pd.DataFrame, Path], Any]] = {
    "parquet": _write_parquet,
    "csv": _write_csv,
    "jsonl": _write_jsonl,
}
