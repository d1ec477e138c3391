"""Where samples come from: the demo set, phantoms, MedVision's data folder, JSON Lines or Parquet (docs/data.md).

Sources with a name come through entry points of the group ``medvision_agent.sources``, the shipped ones
(``shipped.py``) as well as other packages': a function that makes a source of what follows ``NAME:`` in ``--data``.

Contract: opening a file reads and checks every sample, but no picture; what is wrong with the list is a DataError
naming file, line and field. A picture is read and checked when its sample is loaded, and fails that sample only. A
MedVision folder is read while it is asked for samples (eval/data/medvision/source.py). What another package offers is
checked (``offered.py``).
"""

import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from medvision_agent.errors import ConfigError, DataError, nearest
from medvision_agent.eval.data.medvision.source import Reading
from medvision_agent.eval.data.source import Source
from medvision_agent.eval.data.sources.checks import FileSource
from medvision_agent.eval.data.sources.jsonl import JsonlSource
from medvision_agent.eval.data.sources.offered import OfferedSource
from medvision_agent.eval.data.sources.other_forms import remedy_for
from medvision_agent.eval.data.sources.parquet import ParquetSource
from medvision_agent.plugins import Door

__all__ = ["SOURCES", "is_script", "open_source", "script_message"]


_LOG = logging.getLogger(__name__)
SOURCES = Door("medvision_agent.sources", "source", DataError)
"""The group of entry points through which named sources are found."""
_FILES: Mapping[str, Callable[[Path], Source]] = {".jsonl": JsonlSource, ".parquet": ParquetSource}


def open_source(name: str, reading: Reading | None = None, *, listing: bool = True) -> Source:
    """Return the source *name*: ``NAME`` or ``NAME:ARGUMENT`` of a registered source, or a JSONL or Parquet file.

    *reading* says how MedVision's data is read, and is allowed with ``medvision:DIR`` only. With *listing*, the samples
    of a file are read and checked now, else when they are first asked for. Raises DataError if the source does not
    exist or its samples are wrong, ConfigError for arguments that do not fit it.
    """
    source = _opened(name, reading or Reading())
    if listing and isinstance(source, FileSource):
        _ = source.samples
    _LOG.info("source %s opened", name)
    return source


def _opened(name: str, reading: Reading) -> Source:
    kind, colon, argument = name.partition(":")
    if kind != "medvision" and reading != Reading():
        raise ConfigError(
            f"--data {name}: --annotations, --no-filters and --subjects are for MedVision's data only; leave them out, "
            "or give --data medvision:DIR"
        )
    names = SOURCES.names()
    if kind in names:
        if colon and not argument:
            raise ConfigError(f"--data {name}: nothing follows the colon; expected {_FORMS.get(kind) or _other(kind)}")
        offer = SOURCES.offer(kind)
        made: Source = offer.made(argument, reading) if offer.shipped else OfferedSource(offer, name, argument)
        return made
    if is_script(name):
        raise DataError(script_message(name))
    return _of_file(Path(name), name, names)


_FORMS = {"demo": "demo", "phantom": "phantom, phantom:N or phantom:N:SEED", "medvision": "medvision:DIR"}


def _other(kind: str) -> str:
    return f"{kind}:ARGUMENT, or {kind} alone if the package that offers this source says so"


def _of_file(path: Path, name: str, names: list[str]) -> Source:
    if path.suffix not in _FILES:
        if path.exists() and (remedy := remedy_for(path)):
            raise DataError(f"--data {name}: {remedy}")
        others = "".join(f", {known!r}" for known in names if known not in {"demo", "phantom", "medvision"})
        raise DataError(
            f"--data {name}: expected 'demo', 'phantom', 'medvision:DIR'{others}, or a file that ends in .jsonl or "
            f".parquet.{nearest(name.partition(':')[0], names)}"
        )
    if not path.is_file():
        raise DataError(
            f"--data {name}: there is no such file; check the path: it is relative to the current folder, {Path.cwd()}"
        )
    return _FILES[path.suffix](path)


REPOSITORY = "YongchengYAO/MedVision"


def is_script(name: str) -> bool:
    """Return whether *name* asks for a repository of Hugging Face or a loading script."""
    return name.startswith("hf:") or name.endswith(".py") or name.lower() == REPOSITORY.lower()


def script_message(name: str) -> str:
    """Return an error message: why *name* cannot be read by this program, and the commands that fetch the data."""
    pins = "export MedVision_DATA_DIR=$PWD/Data MedVision_PLANNER_VERSION=1.0.0 MedVision_ACK_RELEASE=1.4.0"
    load = f"load_dataset('{REPOSITORY}', name='KiPA22_TumorLesionSize_Task01_Axial_Test', trust_remote_code=True,"
    return f"""--data {name}: medvision-agent does not run MedVision's loading script, which needs datasets==3.6.0 \
(installed here: datasets {version("datasets")}). Download the data in a separate environment, in one of two ways:
1. with MedVision's downloader, which installs datasets 3.6.0 and torch (TASKS.json: one of MedVision's task lists):
     python3.11 -m venv medvision-env && medvision-env/bin/pip install medvision-bm==1.2.1
     {pins}
     medvision-env/bin/python -m medvision_bm.benchmark.download_datasets --tasks_json TASKS.json --data_dir Data
2. with the loading script itself; this example also writes the rows of one configuration to rows.parquet:
     python3.11 -m venv datasets-env && datasets-env/bin/pip install datasets==3.6.0 huggingface_hub==0.36.0
     {pins}
     datasets-env/bin/python -c "from datasets import load_dataset; \
{load} split='test').to_parquet('rows.parquet')"
Both ways leave annotations and volumes in the folder Data. Then give medvision-agent: --data medvision:Data"""
