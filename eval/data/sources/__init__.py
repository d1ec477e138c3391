"""Where samples come from: the demo set, phantoms, MedVision's data folder, JSON Lines or Parquet (docs/data.md).

Contract: opening a file reads and checks every sample, but no picture; what is wrong with the list is a DataError
naming file, line and field. A picture is read and checked when its sample is loaded, and fails that sample only. A
MedVision folder is read while it is asked for samples (eval/data/medvision/source.py).
"""

import logging
from pathlib import Path

from medvision_agent.errors import ConfigError, DataError
from medvision_agent.eval.data.medvision.script import is_script, script_message
from medvision_agent.eval.data.medvision.source import MedVisionSource, Reading
from medvision_agent.eval.data.source import Source
from medvision_agent.eval.data.sources.demo import DemoSource
from medvision_agent.eval.data.sources.jsonl import JsonlSource
from medvision_agent.eval.data.sources.parquet import ParquetSource
from medvision_agent.eval.data.sources.phantom import PhantomSource, is_phantom

__all__ = ["open_source"]


_LOG = logging.getLogger(__name__)
_MEDVISION = "medvision:"


def open_source(name: str, reading: Reading | None = None) -> Source:
    """Return the source called *name*: ``demo``, ``phantom[:N[:SEED]]``, ``medvision:DIR``, a JSONL or Parquet file.

    *reading* goes with ``medvision:DIR`` only.
    """
    source = _opened(name, reading)
    _LOG.info("source %s opened", name)
    return source


def _opened(name: str, reading: Reading | None) -> Source:
    if name.startswith(_MEDVISION):
        return MedVisionSource(Path(name.removeprefix(_MEDVISION)), reading or Reading())
    if reading not in {None, Reading()}:
        raise ConfigError("--annotations, --no-filters and --subjects go with --data medvision:DIR")
    if is_script(name):
        raise DataError(script_message(name))
    if name == "demo":
        return DemoSource()
    if is_phantom(name):
        return PhantomSource(name)
    path = Path(name)
    if path.suffix not in {".jsonl", ".parquet"}:
        raise DataError(
            f"--data {name}: expected 'demo', 'phantom', 'medvision:DIR', or a file that ends in .jsonl or .parquet"
        )
    if not path.is_file():
        raise DataError(f"--data {name}: no such file")
    return JsonlSource(path) if path.suffix == ".jsonl" else ParquetSource(path)
