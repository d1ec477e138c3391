"""Functions called as a library leave the process as it was: environment, logs, collector, warnings, progress bars.

Imports come first: what libraries do when they are imported is theirs. No tracing service is sent a conversation.
"""

import asyncio
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import warnings
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import datasets
import pytest
import scipy.sparse  # noqa: F401 - datasets imports it when it first writes a file
from fake.replies import text
from fake.server import FakeServer
from golden import GOLDEN
from matplotlib import rcParams

from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.eval.asking.launch import Settings, execute, prepare
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.data.sources import open_source
from medvision_agent.eval.data.sources.export import export
from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.write import write_report
from medvision_agent.eval.results.load import load_answers, without_collector
from medvision_agent.eval.results.summary import sections
from medvision_agent.eval.scorer.protocol import PROTOCOLS

RULES = PROTOCOLS["medvision-1.2"]
LIBRARIES = ("datasets", "google", "httpx2", "langchain_google_genai", "langsmith", "matplotlib", "openai")


def state():
    """Return what belongs to the whole process and not to us."""
    loggers = [logging.getLogger(name) for name in (None, *LIBRARIES)]
    return {
        "environment": dict(os.environ),
        "loggers": [(one.level, one.propagate, one.disabled, [*one.handlers], [*one.filters]) for one in loggers],
        "collector": (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()),
        "warnings": list(warnings.filters),
        "signals": (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)),
        "bars": datasets.are_progress_bars_disabled(),
        "matplotlib": dict(rcParams),
        "imports": list(sys.path),
        "folder": os.getcwd(),  # noqa: PTH109 - what others read
    }


@contextmanager
def undisturbed():
    gc.unfreeze()  # what was collected, and what commands left that ran in this process: their number varies
    before = state()
    yield
    after = state()
    gc.freeze()
    assert after == before


async def run(out, model="baseline-cv", **more):
    settings = Settings(model=model, out=out, selection=Selection(tasks=("distance",), limit=1), **more)
    return await execute(prepare(settings), watch=Watch(), stop=asyncio.Event())


async def test_a_run_and_its_report(tmp_path):
    with undisturbed():
        await run(tmp_path / "on", tools="on")
        await run(tmp_path / "off", tools="off")
        write_report(collect([tmp_path / "on", tmp_path / "off"]), tmp_path / "page.html", "html")


async def test_a_gemini_run(tmp_path, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-key-of-this-test")
    async with FakeServer() as server:
        settings = {"provider": "gemini", "model": "gemini-2.5-flash", "base_url": server.gemini_url}
        row = MODEL_CONFIG.validate_python(settings | {"perceived": {"rule": "native"}})
        server.script([text("<answer>10.0</answer>")], by_turn=True)
        with undisturbed():
            (record,) = (await run(tmp_path / "run", row=row)).records
    assert record.outcome == "answered"


def test_scoring_result_files():
    file = GOLDEN / "v1.2" / "tl" / "inputs.jsonl.gz"
    with undisturbed():
        with without_collector():
            assert not gc.isenabled()
            answers, _ = load_answers(file, RULES)
        assert sections(answers, RULES)


@pytest.mark.parametrize("shown", [True, False])
def test_a_parquet_file(tmp_path, shown):
    source = open_source("demo")
    (datasets.enable_progress_bars if shown else datasets.disable_progress_bars)()
    try:
        with undisturbed():
            export(source, source.samples[:2], tmp_path / "two.parquet")
            assert len(open_source(str(tmp_path / "two.parquet")).samples) == 2
    finally:
        datasets.enable_progress_bars()


TRACED = """\
import asyncio, sys
from pathlib import Path
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.langchain import wait_for_all_tracers
from medvision_agent.eval.asking.launch import Settings, execute, prepare
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.data.selection import Selection

settings = Settings(model="baseline-cv", out=Path("run"), selection=Selection(tasks=("distance",), limit=1))


async def main():
    await execute(prepare(settings), watch=Watch(), stop=asyncio.Event())


RunnableLambda(lambda words: words).invoke("before the run")
asyncio.run(main())
RunnableLambda(lambda words: words).invoke("after the run")
wait_for_all_tracers()
"""


def test_tracing_sends_what_the_caller_traces_and_nothing_of_a_run(tmp_path):
    bodies = []

    class Service(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.do_GET()

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as service:
        thread = threading.Thread(target=service.serve_forever)
        thread.start()
        place = f"http://127.0.0.1:{service.server_port}"
        environ = {"LANGSMITH_TRACING": "true", "LANGSMITH_API_KEY": "key", "LANGSMITH_ENDPOINT": place}
        command = [sys.executable, "-c", TRACED]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | environ, capture_output=True, timeout=120, check=False
        )
        service.shutdown()
        thread.join()
    assert done.returncode == 0, done.stderr.decode()
    sent = b"".join(bodies)
    assert b"before the run" in sent
    assert b"after the run" in sent
    assert b"data:image" not in sent
    assert b"Landmark" not in sent
