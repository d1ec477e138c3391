"""Models added by a row of YAML: run in this process by transformers, and behind a real ``transformers serve``."""

import asyncio
import importlib.util
import os
import signal
import socket
import sys
from pathlib import Path

import httpx2
import pytest

pytest.importorskip("torch", reason="needs the `local` extra: pip install -e '.[local]'")
pytest.importorskip("transformers", reason="needs the `local` extra: pip install -e '.[local]'")

import commands
from fake import tiny

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.store.read import open_run

ENVIRON = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
"""No network, and one thread: tiny models are slower on several."""
GEMMA3 = "transformers.models.gemma3.modeling_gemma3"
LOCAL = "medvision_agent.agent.providers.local.chat"
SERVING = ("accelerate", "fastapi", "uvicorn")


@pytest.fixture(scope="module", autouse=True)
def _commands():
    """Have commands that need not load torch again."""
    if not commands.POSSIBLE:
        yield
        return
    with commands.server("accelerate", GEMMA3, LOCAL):
        yield


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Return the folder of a model that calls the ruler once, where it may, and then answers."""
    return tiny.gemma3(tmp_path_factory.mktemp("checkpoint") / "tiny", scripted=True)


def written(folder, row):
    path = folder / "mine.yaml"
    path.write_text(f"mine: {{{row}, max_output_tokens: 64, perceived: {{rule: fixed, height: 28, width: 28}}}}\n")
    return path


async def both_arms(call, models, folder, *more):
    """Run two demo samples with the ruler and without, and compare; return both runs."""
    for name, tools in (("with", "ruler"), ("without", "off")):
        words = ("run", "--model", "mine", "--models", models, "--task", "size,distance", "--limit", 1, *more)
        code, _, err = await call(*words, "--tools", tools, "--out", folder / name, **ENVIRON)
        assert code == 0, err
        assert "Traceback" not in err
    code, _, err = await call("compare", folder / "without", folder / "with")
    assert code == 0, err
    return open_run(folder / "with"), open_run(folder / "without")


def check(with_tools, without):
    for run, calls in ((with_tools, 1), (without, 0)):
        assert len(run.records) == 2
        for record in run.records:
            assert (record.outcome, record.response) == (Outcome.ANSWERED, tiny.ANSWER), record.detail
            assert [(use.tool, use.ok) for use in record.tool_uses] == calls * [("ruler", True)]
            assert record.usage.model_calls == calls + 1
            assert record.usage.input > 100
            assert record.usage.output > 0
            assert record.usage.unreported == 0


async def test_a_model_in_this_process(checkpoint, call, tmp_path):
    with_tools, without = await both_arms(
        call, written(tmp_path, f"provider: transformers, model: {checkpoint}"), tmp_path
    )
    check(with_tools, without)
    assert with_tools.records[0].model_versions[0].startswith("tiny@sha256:")
    assert str(checkpoint) not in str(with_tools.identity)


async def test_a_batch_of_samples_in_this_process(checkpoint, call, tmp_path):
    row = f"provider: transformers, model: {checkpoint}, batch_size: 2"
    check(*await both_arms(call, written(tmp_path, row), tmp_path))


async def test_a_template_without_tools_calls_them_in_text(call, tmp_path):
    folder = tiny.gemma3(tmp_path / "tiny", template=tiny.GEMMA_TEXT_TEMPLATE, response_template=None, scripted=True)
    row = f"provider: transformers, model: {folder}, tool_calling: text"
    check(*await both_arms(call, written(tmp_path, row), tmp_path))


async def test_an_unfit_row_leaves_no_run_behind(checkpoint, call, tmp_path):
    row = f"provider: transformers, model: {checkpoint}, response_template: {{fields: 3}}"
    words = ("run", "--model", "mine", "--models", written(tmp_path, row), "--out", tmp_path / "run")
    code, _, err = await call(*words)
    assert code == 2
    assert "response_template" in err.strip().splitlines()[-1]
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists()


GENERATING = """
import sys
from medvision_agent.agent.providers.local.engine import Engine
from medvision_agent.cli.main import main

run = Engine.run
def told(self, requests):
    print("generating", file=sys.stderr, flush=True)
    return run(self, requests)
Engine.run = told
main()
"""


async def test_ctrl_c_twice_ends_a_run_soon(tmp_path):
    """Generating cannot be cancelled, only told to stop."""
    endless = tiny.gemma3(tmp_path / "tiny", scripted=True, ends=False)
    models = tmp_path / "models.yaml"
    models.write_text(
        f"endless: {{provider: transformers, model: {endless}, perceived: {{rule: native}}, "
        "max_output_tokens: 15000}\n"  # would take minutes
    )
    words = ("run", "--model", "endless", "--models", models, "--tools", "off", "--limit", 1, "--out", "run")
    process = await asyncio.create_subprocess_exec(
        *(commands.PYTHON, "-c", GENERATING, *map(str, words)),
        cwd=tmp_path,
        env=os.environ | ENVIRON,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(150):
        assert b"not checked yet" in await process.stderr.readline()
        assert (await process.stderr.readline()).startswith(b"writing to ")
        assert await process.stderr.readline() == b"generating\n"
        process.send_signal(signal.SIGINT)
        assert b"finishing the samples in flight" in await process.stderr.readline()
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            _, err = await process.communicate()
    assert process.returncode == 130, err
    assert b"--resume" in err
    assert b"Traceback" not in err


@pytest.fixture(scope="module")
async def served(tmp_path_factory):
    """Return the address of ``transformers serve``, a process of its own; it loads the model a request names."""
    if missing := [name for name in SERVING if importlib.util.find_spec(name) is None]:
        pytest.skip(f"needs {', '.join(missing)}: pip install {' '.join(SERVING)}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log.txt"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("transformers"),
            *("serve", "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"),
            env=os.environ | ENVIRON,
            stdout=output,
            stderr=output,
        )
    try:
        await asyncio.wait_for(_answers(f"http://127.0.0.1:{port}", process, log), 180)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 20)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _answers(url, process, log):
    """Wait until the server takes requests."""
    async with httpx2.AsyncClient(timeout=5) as client:
        while True:
            assert process.returncode is None, log.read_text()
            try:
                await client.get(f"{url}/health")
            except httpx2.TransportError:
                await asyncio.sleep(0.3)
            else:
                return


async def test_a_model_behind_transformers_serve(checkpoint, served, call, tmp_path):
    server = f"provider: openai, api: chat, base_url: '{served}', api_key_env: null"
    row = f"{server}, model: {checkpoint}, timeout_seconds: 100"
    check(*await both_arms(call, written(tmp_path, row), tmp_path, "--max-connections", 1))


async def test_a_served_template_that_drops_the_declarations_is_refused(served, call, tmp_path):
    """The server takes the tools and says nothing; only the count of the prompt's tokens shows that they are gone."""
    folder = tiny.gemma3(tmp_path / "tiny", template=tiny.GEMMA_TEXT_TEMPLATE, response_template=None, scripted=True)
    row = f"provider: openai, base_url: '{served}', api_key_env: null, model: {folder}, timeout_seconds: 100"
    words = ("run", "--model", "mine", "--models", written(tmp_path, row), "--tools", "ruler", "--limit", 1)
    code, _, err = await call(*words, "--out", tmp_path / "run", **ENVIRON)
    assert code == 2, err
    assert "the same message has 46 prompt tokens with them and 46 without" in err
    assert "Set `tool_calling: text` in its row" in err
    assert not (tmp_path / "run").exists()
