"""A folder with two runs of a baseline on the demo set, made through the API, and what version 0.1.0 stored."""

from pathlib import Path

import pytest
from archive import unpack

import medvision_agent as mva


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folders that version 0.1.0 stored."""
    return unpack(tmp_path_factory.mktemp("stored"))


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the runs ``off`` and ``on``."""
    folder = tmp_path_factory.mktemp("runs")
    for tools in ("off", "on"):
        mva.run(model="oracle", tools=tools, selection={"limit": 2}, out=folder / tools, progress=False)
    return folder
