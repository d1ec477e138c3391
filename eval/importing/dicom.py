"""DICOM files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from medvision_agent.eval.importing.found import Ledger

__all__ = ["open_series"]


def open_series(paths: list[Path], ledger: Ledger) -> Iterator[Any]:
    yield from ()
