"""Runs and studies that several processes ask: the same records as of one, whatever becomes of a worker."""

import asyncio
import json
import os
import select
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from alike import records
from fake.replies import HANG, calls, error, text
from fake.servers import turn_of

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.store.in_flight import JOURNAL
from medvision_agent.eval.store.read import open_run

CROP = ("crop", {"view": "v0", "x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.9})
RULER = ("ruler", {"view": "v0", "x0": 0.25, "y0": 0.5, "x1": 0.75, "y1": 0.5})
pytestmark = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks for workers in /proc")
ANSWER = text("<think>so</think><answer>10.0</answer>")


def rule(request):
    """Answer as a model that crops and measures before it answers, where it can."""
    if request.body.get("tools") and turn_of(request) == 0:
        return calls(CROP, RULER)
    return ANSWER


def words(data, models, out, *more, processes=2, tools="crop,ruler"):
    common = ("run", "--model", "fake-openai", "--models", models, "--data", data, "--tools", tools, "--out", out)
    return (*common, "--max-connections", 4, "--processes", processes, *more)


def workers(folder: Path) -> list[int]:
    """Return the ids of the workers of a command that was called in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            ours = b"medvision_agent.eval.engines.worker" in (path / "cmdline").read_bytes()
            if ours and (path / "cwd").resolve() == folder.resolve():
                found.append(int(path.name))
    return sorted(found)


def gone(pids: list[int], seconds: float = 30) -> bool:
    """Wait until processes have ended."""
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([handle], [], [], seconds)[0]:
                return False
        finally:
            os.close(handle)
    return True


async def test_two_processes_store_what_one_does(server, data, models, call, tmp_path):
    server.behave(rule)
    code, _, err = await call(*words(data, models, "one", processes=1))
    assert code == 0, err
    assert "asking in" not in err
    code, _, err = await call(*words(data, models, "two"))
    assert code == 0, err
    assert "asking in 2 processes" in err
    assert records(tmp_path / "two") == records(tmp_path / "one")
    assert len(server.requests) == 2 * 2 * 12
    assert (await call("verify", "two"))[0] == 0
    code, _, err = await call("compare", "one", "two", "--json")
    assert code == 0, err
    assert not (tmp_path / "two" / JOURNAL).exists()


async def test_a_study_of_arms_made_from_others_is_the_same(server, data, models, call, tmp_path):
    models.write_text(models.read_text().replace("  max_tries: 2\n", "  max_tries: 2\n  temperature: 0.7\n"))
    study = tmp_path / "study.yaml"
    head = "name: t\nmodels: [fake-openai]\nmodels_file: models.yaml\ndata: samples.jsonl\nlimit: 4\n"
    designs = "designs: [on-off, controls, matched, 'matched:enlarged', result-only, needs-picture]\n"
    study.write_text(f"{head}max_connections: 3\nbase: {{tools: 'crop,ruler'}}\n{designs}", encoding="utf-8")
    server.behave(rule)
    for processes in (1, 2):
        code, out, err = await call("ablate", study, "--out", f"s{processes}", "--processes", processes)
        assert code == 0, err + out
    cells = sorted(path.parent.name for path in (tmp_path / "s1").rglob("run.sqlite"))
    assert len(cells) >= 5
    for one in sorted((tmp_path / "s1").rglob("run.sqlite")):
        two = tmp_path / "s2" / one.parent.relative_to(tmp_path / "s1")
        assert records(two) == records(one.parent), one.parent.name
    assert (await call("verify", "s2"))[0] == 0


async def test_where_a_worker_dies_its_samples_are_asked_again(server, data, models, start, tmp_path):
    server.behave(lambda request: HANG)
    process = await start(*words(data, models, "run", tools="off"))
    await server.wait_for(4)
    first, _ = workers(tmp_path)
    server.behave(rule)
    os.kill(first, signal.SIGKILL)
    await server.wait_for(4 + 2)  # the two that the other worker has in flight hang on
    second = next(pid for pid in workers(tmp_path) if pid != first)
    os.kill(second, signal.SIGKILL)
    async with asyncio.timeout(100):
        _, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    run = tmp_path / "run"
    kept = open_run(run)
    assert {record.outcome for record in kept.records} == {Outcome.ANSWERED}
    assert len(kept.records) == 12
    asked = server.asked()
    assert sorted(asked) == sorted([*range(12), *server.asked()[:4]]), "only what was in flight is asked twice"
    assert not (run / JOURNAL).exists()


async def test_a_sample_that_workers_die_of_is_set_aside(server, data, models, start, tmp_path):
    def deadly(request):
        if "start 5\\n" in json.dumps(request.body):
            for pid in workers(tmp_path):
                os.kill(pid, signal.SIGKILL)
            return HANG
        return ANSWER

    server.behave(deadly)
    process = await start(*words(data, models, "run", tools="off"))
    async with asyncio.timeout(100):
        _, err = await process.communicate()
    assert process.returncode == 1, err.decode()
    outcomes = {record.sample.id: record.outcome for record in open_run(tmp_path / "run").records}
    assert outcomes.pop("s5") is Outcome.CRASHED
    assert set(outcomes.values()) == {Outcome.ANSWERED}
    assert len(outcomes) == 11


async def test_an_interruption_waits_for_no_further_try(server, data, models, start, call, tmp_path):
    server.behave(lambda request: error(429, retry_after="100"))
    process = await start(*words(data, models, "run", tools="off"))
    await server.wait_for(4)
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(60):
        _, err = await process.communicate()
    assert process.returncode == 130, err.decode()
    assert len(server.requests) == 4
    server.behave(rule)
    code, _, err = await call(*words(data, models, "run", "--resume", tools="off"))
    assert code == 0, err
    assert len(open_run(tmp_path / "run").records) == 12


async def test_a_provider_that_refuses_stops_the_run_as_with_one_process(server, data, models, call):
    server.behave(lambda request: error(401, "bad key"))
    said = []
    for processes in (1, 2):
        code, out, err = await call(*words(data, models, f"r{processes}", processes=processes, tools="off"))
        said.append((code, out, err.replace(f"r{processes}", "r").splitlines()[-1]))
    assert said[0] == said[1]
    assert said[0][0] == 2


async def test_workers_end_with_the_process_that_started_them(server, data, models, start, tmp_path):
    server.behave(lambda request: HANG)
    process = await start(*words(data, models, "run", tools="off"))
    await server.wait_for(4)
    pids = workers(tmp_path)
    assert len(pids) == 2
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert await asyncio.to_thread(gone, pids)


async def test_workers_keep_the_limits_per_minute_together(server, data, models, monkeypatch, tmp_path):
    import medvision_agent as mva
    from medvision_agent.agent.wire.rate_limit import Pace

    started, taken = [], []
    wait, took = Pace.wait, Pace.took

    async def waited(pace, sleep):
        started.append(start := await wait(pace, sleep))
        return start

    def counted(pace, start, tokens):
        taken.append((start, tokens))
        took(pace, start, tokens)

    monkeypatch.setattr(Pace, "wait", waited)
    monkeypatch.setattr(Pace, "took", counted)
    models.write_text(models.read_text().replace("  max_tries: 2\n", "  max_tries: 2\n  requests_per_minute: 1000\n"))
    server.behave(rule)
    given = {"model": "fake-openai", "models_file": models, "data": str(data), "tools": "crop,ruler", "processes": 2}
    run = await asyncio.to_thread(mva.run, **given, out=tmp_path / "run", progress=False)
    assert len(run.run.records) == 12
    assert len(started) == len(taken) >= 24
    assert min(tokens for _, tokens in taken) > 0


async def test_an_interruption_while_workers_start_waits_for_no_further_try(
    server, data, models, monkeypatch, tmp_path
):
    from medvision_agent.eval.asking.launch import execute, prepare
    from medvision_agent.eval.asking.watch import Watch
    from medvision_agent.eval.engines.dispatch import dispatching
    from medvision_agent.eval.engines.processes import ProcessWorker
    from medvision_agent.eval.settings.settings import Settings

    stop, start_worker = asyncio.Event(), ProcessWorker.start

    async def started(worker):
        stop.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # now all that waited for the stop was done
        await start_worker(worker)

    monkeypatch.setattr(ProcessWorker, "start", started)
    server.behave(lambda request: error(429, retry_after="100"))
    common = {"model": "fake-openai", "models_file": models, "data": str(data), "out": tmp_path / "run"}
    prepared = prepare(Settings(**common, max_connections=4, tools="off", probe=False, processes=2))
    async with asyncio.timeout(60), dispatching(2, ProcessWorker, stop) as engine:
        run = await execute(prepared, watch=Watch(), stop=stop, engine=engine)
    assert not run.records
    assert not server.requests, "no sample is begun after the interruption"


async def test_a_request_that_fails_or_is_not_begun_leaves_nothing_behind(server, data, models, monkeypatch, tmp_path):
    import medvision_agent as mva
    from medvision_agent.agent.wire.rate_limit import Pace
    from medvision_agent.eval.engines.processes import ProcessWorker

    left, wants, third, refused = [], [], asyncio.Event(), set()
    wait, close = Pace.wait, ProcessWorker.close

    async def waited(pace, sleep):
        wants.append(pace)
        if len(wants) == 1:  # both processes have a sample each; what takes their place must not get their turns
            for pid in workers(tmp_path):
                os.kill(pid, signal.SIGKILL)
        if len(wants) == 3:
            third.set()
        await third.wait()
        return await wait(pace, sleep)

    async def closed(worker):
        left.append(dict(worker._starts))
        await close(worker)

    def once_refused(request):
        if len(refused) == 2 or request.content in refused:
            return ANSWER
        refused.add(request.content)
        return error(500, retry_after="0")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Pace, "wait", waited)
    monkeypatch.setattr(ProcessWorker, "close", closed)
    models.write_text(models.read_text().replace("  max_tries: 2\n", "  max_tries: 2\n  requests_per_minute: 1000\n"))
    server.behave(once_refused)
    given = {"model": "fake-openai", "models_file": models, "data": str(data), "tools": "off", "processes": 2}
    run = await asyncio.to_thread(mva.run, **given, max_connections=2, out=tmp_path / "run", progress=False)
    assert [record.outcome for record in run.run.records] == [Outcome.ANSWERED] * 12
    assert left == [{}, {}]


async def test_a_worker_that_is_killed_while_it_starts_is_replaced(data, monkeypatch, tmp_path):
    import medvision_agent as mva
    from medvision_agent.eval.engines import processes

    first = f"import os, pathlib\nmark = pathlib.Path({str(tmp_path / 'mark')!r})\n"
    first += "if not mark.exists():\n    mark.touch()\n    os.kill(os.getpid(), 9)\n"
    monkeypatch.setattr(processes, "_START", first + processes._START)
    given = {"model": "baseline-cv", "data": str(data), "tools": "off", "processes": 2, "progress": False}
    run = await asyncio.to_thread(mva.run, **given, out=tmp_path / "run")
    assert (tmp_path / "mark").exists()
    assert [record.outcome for record in run.run.records] == [Outcome.ANSWERED] * 12


async def test_a_local_model_is_not_loaded_twice(models, data, call):
    models.write_text(models.read_text() + "\nlocal: {provider: transformers, model: /nowhere}\n")
    code, _, err = await call("run", "--model", "local", "--models", models, "--data", data, "--processes", 2)
    assert code == 2
    assert "--processes 2" in err or "/nowhere" in err


async def test_workers_find_what_this_process_finds(data, tmp_path):
    import medvision_agent as mva

    row = {"provider": "langchain", "factory": "fake.counting:Counting", "settings": {"declares": True}}  # in sys.path
    row |= {"model": "fake", "perceived": {"rule": "native"}}
    given = {"model": "fake", "row": row, "data": str(data), "tools": "ruler", "processes": 2, "progress": False}
    run = await asyncio.to_thread(mva.run, **given, out=tmp_path / "run")
    assert len(run.run.records) == 12
    assert not any(record.outcome.infrastructure for record in run.run.records)
