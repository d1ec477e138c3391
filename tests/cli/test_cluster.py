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
from medvision_agent.api.score_apart import ALONE, Workers
from medvision_agent.api.scoring import score
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.launch import prepare
from medvision_agent.eval.engines.choice import engine_for
from medvision_agent.eval.settings.settings import Settings
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


def limited(models):
    """Limit the requests per minute, so that all workers wait for one actor that keeps them."""
    models.write_text(models.read_text().replace("  max_tries: 2\n", "  max_tries: 2\n  requests_per_minute: 1000\n"))


def actors() -> list[int]:
    """Return the ids of the processes in which Ray runs our actors."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (path / "cmdline").read_bytes().startswith(b"ray::_Actor"):
                found.append(int(path.name))
    return found


async def test_a_cluster_stores_what_one_process_does(server, data, models, call, tmp_path):
    limited(models)
    server.behave(rule)
    assert (await call(*words(data, models, "one", "--processes", 1)))[0] == 0
    code, _, err = await call(*words(data, models, "ray", "--engine", "ray", "--processes", 2), seconds=300)
    assert code == 0, err
    assert "asking by 2 workers of the Ray cluster of this machine" in err
    assert records(tmp_path / "ray") == records(tmp_path / "one")
    assert len(server.requests) == 2 * 2 * 12
    assert (await call("verify", "ray"))[0] == 0


async def test_killed_workers_and_a_killed_command_lose_nothing(server, data, models, start, tmp_path):
    hang = 0

    def hanging(request):
        return HANG if len(server.requests) > hang else rule(request)

    limited(models)
    server.behave(hanging)  # no sample is finished, and all workers die
    process = await start(*words(data, models, "ray", "--engine", "ray", "--processes", 2, "--tools", "off"))
    await server.wait_for(4)
    pids = actors()
    hang = 4 + 4 + 3
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for _ in range(4):  # Ray takes its time to start others where much else runs
        with suppress(TimeoutError):
            await server.wait_for(hang + 4)  # they asked what was in flight again, and more, until it hung again
            break
    process.kill()
    async with asyncio.timeout(100):
        await process.communicate()
    asked = server.asked()
    server.behave(rule)
    again = words(data, models, "ray", "--engine", "ray", "--processes", 2, "--tools", "off", "--resume")
    process = await start(*again)
    async with asyncio.timeout(300):
        _, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    kept = open_run(tmp_path / "ray")
    assert [record.outcome for record in kept.records] == [Outcome.ANSWERED] * 12
    assert not (tmp_path / "ray" / "shards").exists()
    answered = asked[4:hang]
    assert not set(answered) & set(server.asked(len(asked))), "what was finished is not asked again"
    left = 12 - len(set(answered))  # each is asked, and what was in flight may be asked once more (on a busy machine)
    assert left <= len(server.requests) - len(asked) <= left + 4


@pytest.fixture
def ray_here():
    """Run Ray in this test's process, with two cores and two GPUs by name."""
    import ray

    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "error"}
    ray.init(address="local", num_cpus=2, num_gpus=2, **quiet)
    yield
    ray.shutdown()


async def test_a_cluster_without_room_is_refused(ray_here, data, tmp_path):
    settings = Settings(model="baseline-cv", data=str(data), tools="off", engine="ray", out=tmp_path / "run")
    for more, what in (({"processes": 3}, "takes 1 core, and the Ray cluster has 2"), ({"gpus": 3}, "takes 3 GPU")):
        with pytest.raises(ConfigError, match=what):
            async with engine_for([prepare(settings.but(**more))], asyncio.Event()):
                pass


async def test_two_replicas_of_a_local_model_answer(ray_here, data, tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="needs the extra local")
    from fake import tiny

    import medvision_agent as mva
    from medvision_agent.agent.providers.local import chat
    from medvision_agent.eval.engines.cluster import RayWorker

    said, opened, leased = [], RayWorker.open, RayWorker.lease

    async def open_told(worker, *given):
        said.append((worker, worker._gpus, "Open"))
        return await opened(worker, *given)

    async def lease_told(worker, *given):
        said.append((worker, worker._gpus, "Ask"))
        await leased(worker, *given)

    monkeypatch.setattr(RayWorker, "open", open_told)
    monkeypatch.setattr(RayWorker, "lease", lease_told)
    monkeypatch.delattr(chat, "open_local")  # this process loads nothing
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    folder = tiny.gemma3(tmp_path / "tiny", scripted=True)
    row = {"provider": "transformers", "model": str(folder), "max_output_tokens": 64}
    row |= {"perceived": {"rule": "fixed", "height": 28, "width": 28}}
    given = {"model": "tiny", "row": row, "data": str(data), "tools": "ruler", "engine": "ray", "processes": 2}
    run = (await asyncio.to_thread(mva.run, **given, out=tmp_path / "run", progress=False)).run
    assert [record.outcome for record in run.records] == [Outcome.ANSWERED] * 12
    assert len({record.model_versions for record in run.records}) == 1
    first, second = {worker for worker, _, _ in said}
    for worker in (first, second):
        kinds = [kind for one, gpus, kind in said if one is worker and gpus == 1]
        assert kinds.count("Open") == 1, "the model is loaded once"
        assert kinds.count("Ask") > 0
    assert run.probe.found == "reached", "the declarations are counted without the weights"
    scored = [await asyncio.to_thread(score, run.folder, workers=workers) for workers in (ALONE, Workers(2, "ray"))]
    assert scored[0].to_json() == scored[1].to_json()


async def test_a_cluster_that_is_not_there_is_named(data, models, call):
    code, _, err = await call(*words(data, models, "x", "--engine", "ray", "--address", "127.0.0.1:1"), seconds=300)
    assert code == 2
    assert "--address 127.0.0.1:1" in err
    assert "Traceback" not in err
