"""The command line where an event loop takes no signal handlers and the modules and calls of POSIX are not there."""

import asyncio
import json
import os
import signal
import sys

import pytest
from fake.replies import HANG, text

from medvision_agent.eval.store.read import open_run, read_trace

AS_ON_WINDOWS = """\
import asyncio, os, signal, sys

for name in ("add_signal_handler", "remove_signal_handler"):
    delattr(asyncio.SelectorEventLoop, name)  # what is left raises NotImplementedError
for name in ("resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("fork", "killpg", "setsid", "geteuid", "sched_getaffinity"):
    delattr(os, name)
for name in ("SIGKILL", "SIGXCPU", "SIGHUP", "SIGALRM"):
    delattr(signal, name)

from medvision_agent.cli.main import main

main()
"""
ANSWER = text("<answer>10.0</answer>")


@pytest.fixture
def start(tmp_path):
    """Return a function that starts the command line as a process that lacks what Windows lacks."""

    async def started(*words, **environ):
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", AS_ON_WINDOWS, *map(str, words)),
            cwd=tmp_path,
            env=os.environ | environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    return started


@pytest.fixture
def run_words(data, models):
    words = ("--models", models, "--data", data, "--tools", "off", "--max-connections", 1)
    return ("run", "--model", "fake-openai", *words, "--out", "run")


@pytest.mark.parametrize("command", ["run", "ablate"])
async def test_the_first_stop_finishes_what_is_in_flight(server, run_words, data, models, start, tmp_path, command):
    words = run_words
    if command == "ablate":
        arms = "arms: {off: {tools: off}}\nmax_connections: 1\n"
        (tmp_path / "study.yaml").write_text(
            f"name: study\nmodels: [fake-openai]\ndata: {data}\nmodels_file: {models}\n{arms}"
        )
        words = ("ablate", "study.yaml", "--out", "study")
    released = asyncio.Event()
    server.script([ANSWER, ANSWER, {**ANSWER, "until": released}])
    process = await start(*words)
    await server.wait_for(3)
    process.send_signal(signal.SIGINT)
    assert b"not checked yet" in await process.stderr.readline()
    assert b"writing to" in await process.stderr.readline()
    assert b": 1 of " in await process.stderr.readline()
    assert b"finishing the samples in flight" in await process.stderr.readline()
    released.set()
    _, err = await process.communicate()
    assert process.returncode == 130
    assert "to go on, repeat the command" in err.decode()
    (database,) = tmp_path.glob("**/run.sqlite")
    assert len(open_run(database.parent).records) == 3


async def test_the_second_stop_stops_at_once(server, run_words, start):
    server.script([ANSWER, HANG])
    process = await start(*run_words)
    await server.wait_for(2)
    process.send_signal(signal.SIGINT)
    assert b"not checked yet" in await process.stderr.readline()
    await process.stderr.readline()  # where it writes
    assert b": 1 of " in await process.stderr.readline()
    assert b"press Ctrl-C again" in await process.stderr.readline()
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        _, err = await process.communicate()
    assert process.returncode == 130
    assert "--resume" in err.decode()
    assert "Traceback" not in err.decode()


async def test_a_run_goes_to_its_end_and_the_model_is_told_that_python_is_not_there(call, tmp_path):
    turns = [[{"name": "python", "args": {"code": "1 + 1"}}], "<answer>1</answer>"]
    (tmp_path / "script.json").write_text(json.dumps(turns))
    words = ("--model", "scripted", "--script", "script.json", "--task", "distance", "--limit", 1)
    code, out, err = await call("run", *words, "--out", "run")
    assert code == 0, err
    assert "1 of 1 samples finished" in out
    (record,) = open_run(tmp_path / "run").records
    (tool_call,) = read_trace(tmp_path / "run", record.sample.id)["tool_calls"]
    assert "this tool is not available" in json.dumps(tool_call)
    for words in (("score", "run"), ("why", "run"), ("report", "run", "--out", "page.html")):
        code, _, err = await call(*words)
        assert code == 0, err


async def test_what_a_stream_cannot_write_is_escaped(call, data):
    lines = data.read_text().splitlines()
    label = json.dumps({**json.loads(lines[0]), "landmarks": ["\u03b1", "\u03b2"]})
    data.write_text("\n".join([label, *lines[1:]]))
    code, out, err = await call("data", "list", "--data", data, PYTHONIOENCODING="cp1252", PYTHONUTF8="0")
    assert code == 0, err
    assert "\\u03b1" in out
