"""Where samples come from: the built-in demo set, a JSON Lines file or a Parquet file. The schema is in docs/data.md.

Contract: opening a source reads and checks every sample, but no picture; what is wrong with the list is a DataError
naming file, line and field. A picture is read and checked when its sample is loaded, and fails that sample only.
"""

from pathlib import Path

from medvision_agent.errors import DataError
from medvision_agent.eval.source import Source
from medvision_agent.eval.sources.demo import DemoSource
from medvision_agent.eval.sources.jsonl import JsonlSource
from medvision_agent.eval.sources.parquet import ParquetSource

__all__ = ["open_source"]


def open_source(name: str) -> Source:
    """Return the source called *name*: ``demo``, or the path of a ``.jsonl`` or ``.parquet`` file."""
    if name == "demo":
        return DemoSource()
    path = Path(name)
    if path.suffix not in {".jsonl", ".parquet"}:
        raise DataError(f"--data {name}: expected 'demo', or a file that ends in .jsonl or .parquet")
    if not path.is_file():
        raise DataError(f"--data {name}: no such file")
    return JsonlSource(path) if path.suffix == ".jsonl" else ParquetSource(path)
