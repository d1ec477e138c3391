"""Runs that workers of a Ray cluster ask: the same records as of one process, also where a worker is killed."""

import asyncio
import os
import signal
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from alike import records
from fake.replies import HANG, calls, text
from fake.servers import turn_of

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.store.read import open_run

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra cluster")
RULER = ("ruler", {"view": "v0", "x0": 0.25, "y0": 0.5, "x1": 0.75, "y1": 0.5})
ANSWER = text("<think>so</think><answer>10.0</answer>")


def rule(request):
    """Answer as a model that measures before it answers, where it can."""
    return calls(RULER) if request.body.get("tools") and turn_of(request) == 0 else ANSWER


def words(data, models, out, *more):
    common = ("run", "--model", "fake-openai", "--models", models, "--data", data, "--tools", "ruler", "--out", out)
    return (*common, "--max-connections", 4, *more)


def actors() -> list[int]:
    """Return the ids of the processes in which Ray runs our actors."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (path / "cmdline").read_bytes().startswith(b"ray::_Actor"):
                found.append(int(path.name))
    return found


async def test_a_cluster_stores_what_one_process_does(server, data, models, call, tmp_path):
    models.write_text(models.read_text().replace("  max_tries: 2\n", "  max_tries: 2\n  requests_per_minute: 1000\n"))
    server.behave(rule)
    assert (await call(*words(data, models, "one", "--processes", 1)))[0] == 0
    code, _, err = await call(*words(data, models, "ray", "--engine", "ray", "--processes", 2), seconds=300)
    assert code == 0, err
    assert "asking by 2 workers of the Ray cluster of this machine" in err
    assert records(tmp_path / "ray") == records(tmp_path / "one")
    assert len(server.requests) == 2 * 2 * 12
    assert (await call("verify", "ray"))[0] == 0


async def test_a_worker_that_is_killed_loses_nothing(server, data, models, start, tmp_path):
    server.behave(lambda request: HANG)
    process = await start(*words(data, models, "ray", "--engine", "ray", "--processes", 2))
    await server.wait_for(4)
    pids = actors()
    server.behave(rule)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(300):
        _, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    kept = open_run(tmp_path / "ray")
    assert [record.outcome for record in kept.records] == [Outcome.ANSWERED] * 12
    first = server.asked()[:4]
    assert sorted(server.asked()) == sorted([*first, *range(12), *range(12)]), "only what was in flight is asked again"


async def test_a_cluster_that_is_not_there_is_named(data, models, call):
    code, _, err = await call(*words(data, models, "x", "--engine", "ray", "--address", "127.0.0.1:1"), seconds=300)
    assert code == 2
    assert "--address 127.0.0.1:1" in err
    assert "Traceback" not in err
