"""The command line as real processes that share one start: importing LangGraph and the SDKs takes over a second.

``COMMAND`` is started as ``medvision-agent`` would be: a process of its own with its own exit code, streams, folder,
environment and signals. Behind it a server (``fast/server.py``, one for each worker of pytest) forks the process that
does the work. ``PYTHON -c CODE`` runs Python code in the same way. Tests about starting up use ``INSTALLED``.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FAST = Path(__file__).parent / "fast"
INSTALLED = Path(sys.executable).with_name("medvision-agent")
POSSIBLE = hasattr(os, "fork") and hasattr(os, "pidfd_open")
COMMAND = FAST / "medvision-agent" if POSSIBLE else INSTALLED
PYTHON = COMMAND if POSSIBLE else Path(sys.executable)


@contextmanager
def server(*more: str) -> Iterator[None]:
    """Serve commands from here on, by a process that has also imported the modules *more*."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "socket"
        one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen([sys.executable, FAST / "server.py", path, *more], env={**os.environ, **one_thread})
        try:
            while not path.exists():
                assert process.poll() is None, "the server of commands ended"
                time.sleep(0.05)
            patch.setenv("MEDVISION_TEST_SERVER", str(path))
            patch.setenv("MEDVISION_TEST_COMMAND", str(INSTALLED))
            patch.setenv("MEDVISION_TEST_PYTHONPATH", os.environ.get("PYTHONPATH", ""))
            yield
        finally:
            process.kill()
            process.wait()
