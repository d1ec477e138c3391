"""Runs asked by leases: the same records as of one process, whatever dies, and the same limits."""

import asyncio
import json
from contextlib import asynccontextmanager

import near
import pytest
from alike import records
from fake.replies import HANG, calls, error, text
from fake.servers import turn_of

import medvision_agent as mva
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.api import studying
from medvision_agent.errors import ProviderError
from medvision_agent.eval.asking.engine import HERE
from medvision_agent.eval.asking.launch import execute, prepare
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.engines import holder, leases
from medvision_agent.eval.engines.leases import Leases
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.merge import Merged
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.verify import verify_run
from medvision_agent.eval.store.write import RunStore

RULER = ("ruler", {"view": "v0", "x0": 0.25, "y0": 0.5, "x1": 0.75, "y1": 0.5})
ANSWER = text("<think>so</think><answer>10.0</answer>")  # 1,060 tokens


def rule(request):
    """Answer as a model that measures before it answers, where it can."""
    return calls(RULER) if request.body.get("tools") and turn_of(request) == 0 else ANSWER


@pytest.fixture
def ask(data, models, tmp_path):
    """Return a function that asks the samples by workers in this process, and returns the run."""

    async def asked(name="run", workers=2, connections=4, stop=None, watch=None, **given):
        given = {"tools": "ruler", "probe": False, **given}
        settings = Settings(
            model="fake-openai",
            models_file=models,
            data=str(data),
            max_connections=connections,
            **given,
            out=tmp_path / name,
        )
        engine = (
            HERE if workers == 0 else Leases(workers, lambda: asked.workers.append(near.Near()) or asked.workers[-1])
        )
        stop = stop or asyncio.Event()
        async with asyncio.timeout(100):
            try:
                return await execute(prepare(settings), watch=watch or Watch(), stop=stop, engine=engine)
            finally:
                if workers:
                    engine.close()

    asked.workers = []
    return asked


@pytest.mark.parametrize("shared", [True, False])
async def test_the_records_and_the_seal_hold_as_of_one_process(shared, server, ask, tmp_path, monkeypatch):
    if not shared:
        monkeypatch.setattr(holder, "sees", lambda run, token: False)
    server.behave(rule)
    await ask("one", workers=0)
    await ask("many")
    assert records(tmp_path / "many") == records(tmp_path / "one")
    assert len(server.requests) == 2 * 2 * 12
    assert not verify_run(tmp_path / "many").damage
    assert not (tmp_path / "many" / "shards").exists()


async def test_what_a_killed_worker_finished_is_not_asked_again(server, ask, monkeypatch):
    monkeypatch.setattr(holder, "TOGETHER", 30.0)  # nothing is told before it dies
    asked = []

    def hanging(request):
        asked.append(request)
        return ANSWER if len(asked) <= 4 else HANG

    server.behave(hanging)
    task = asyncio.create_task(ask(tools="off", workers=1, connections=2))
    await server.wait_for(6)
    first = server.asked()
    server.behave(rule)
    ask.workers[0].kill()
    run = await task
    assert [record.outcome for record in run.records] == [Outcome.ANSWERED] * 12
    again = [number for number in first if server.asked().count(number) > 1]
    assert again == first[4:], "only what was in flight is asked again"
    assert len(server.requests) == 12 + 2


async def test_a_worker_that_says_nothing_is_given_up(server, ask, monkeypatch):
    monkeypatch.setattr(leases, "SILENCE", 0.3)
    server.behave(lambda request: HANG)
    task = asyncio.create_task(ask(tools="off", workers=1, connections=2))
    await server.wait_for(2)
    server.behave(rule)
    ask.workers[0].mute = True
    ask.workers[0].died.clear()
    await ask.workers[0].died.wait()
    ask.workers[0].mute = False
    run = await task
    assert [record.outcome for record in run.records] == [Outcome.ANSWERED] * 12


@pytest.mark.parametrize(("most", "asked"), [(2120, 2), (2121, 3), (8 * 1060, 8)])
async def test_a_budget_is_as_exact_as_in_one_process(most, asked, server, ask):
    server.behave(rule)
    reasons = []
    await ask(tools="off", workers=1, connections=1, budget={"tokens": most}, watch=Watch(on_limit=reasons.append))
    assert len(server.requests) == asked
    assert len(reasons) == 1


async def test_far_from_a_limit_samples_wait_at_workers_and_none_does_near_it(server, ask):
    server.behave(rule)
    await ask(tools="off", workers=1, connections=1, budget={"tokens": 4 * 1060})
    assert set(ask.workers[0].leases) == {1}
    await ask("far", tools="off", workers=1, connections=4)
    assert ask.workers[1].leases[0] == 8


async def test_a_refusing_server_stops_all(server, ask):
    count = []

    def refusing(request):
        count.append(request)
        return ANSWER if len(count) <= 3 else error(400, "no more of this")

    server.behave(refusing)
    with pytest.raises(ProviderError, match="no more of this"):
        await ask(tools="off", workers=2, connections=2)
    assert len(server.requests) <= 3 + 5 + 2 + 1, "five in a row, what was in flight, and the probe"


async def test_first_requests_that_are_refused_are_stored_nowhere(server, ask, tmp_path):
    server.behave(lambda request: error(400, "bad model"))
    with pytest.raises(ProviderError, match="calls the first requests invalid"):
        await ask(tools="off", workers=2, connections=2)
    assert not (tmp_path / "run").exists()
    assert len(server.requests) <= 2


async def test_a_stop_stores_what_is_in_flight_and_a_resume_asks_the_rest(server, ask):
    stop = asyncio.Event()

    def stopping(request):
        stop.set()
        return ANSWER

    server.behave(stopping)
    run = await ask(tools="off", workers=2, connections=2, stop=stop)
    assert 1 <= len(run.records) <= 2
    await ask(tools="off", workers=2, connections=2, resume=True)
    assert sorted(server.asked()) == list(range(12))


async def test_a_damaged_shard_is_refused_by_name_and_its_samples_are_asked_again(server, ask, tmp_path, monkeypatch):
    monkeypatch.setattr(holder, "_RECORDS", 4)
    server.behave(rule)
    close, notes = holder.Shard.close, []

    def damaged(shard):
        file = close(shard)
        if file.name.startswith("2-"):
            content = bytearray(file.read_bytes())
            content[len(content) // 2] ^= 1
            file.write_bytes(content)
        return file

    monkeypatch.setattr(holder.Shard, "close", damaged)
    run = await ask(tools="off", workers=1, connections=1, watch=Watch(on_note=notes.append))
    lost = 12 - len(run.records)
    assert 0 < lost <= 4, "its neighbours are kept"
    (note,) = notes
    assert "2-" in note
    assert "asked again" in note
    (kept,) = (tmp_path / "run" / "shards").rglob("*.damaged")
    assert str(kept) in note
    monkeypatch.setattr(holder.Shard, "close", close)
    await ask(tools="off", workers=1, connections=1, resume=True)
    assert len(server.requests) == 12 + lost
    assert not verify_run(tmp_path / "run").damage


async def test_shards_left_by_a_command_that_was_killed_are_taken_in(server, ask, tmp_path, monkeypatch):
    monkeypatch.setattr(holder, "_RECORDS", 3)
    monkeypatch.setattr(RunStore, "merge_async", _not_now)
    monkeypatch.setattr(leases._Session, "_take_what_is_left", lambda session: None)
    server.behave(lambda request: ANSWER if len(server.requests) <= 7 else HANG)
    task = asyncio.create_task(ask(tools="off", workers=1, connections=1))
    await server.wait_for(8)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not open_run(tmp_path / "run").records
    monkeypatch.undo()
    server.behave(rule)
    run = await ask(tools="off", workers=2, connections=2, resume=True)
    assert len(run.records) == 12
    assert json.dumps(sorted(server.asked())) == json.dumps(sorted([*range(12), server.asked()[7]]))
    assert len(open_run(tmp_path / "run").records) == 12


async def test_a_second_interruption_stores_what_was_finished(server, ask, tmp_path):
    server.behave(lambda request: ANSWER if len(server.requests) <= 7 else HANG)
    task = asyncio.create_task(ask(tools="off", workers=1, connections=1))
    await server.wait_for(8)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(open_run(tmp_path / "run").records) == 7
    assert not verify_run(tmp_path / "run").damage


async def test_a_study_of_arms_made_from_others_is_the_same(server, data, models, tmp_path, monkeypatch):
    models.write_text(models.read_text().replace("  max_tries: 2\n", "  max_tries: 2\n  temperature: 0.7\n"))
    study = tmp_path / "study.yaml"
    head = f"name: t\nmodels: [fake-openai]\nmodels_file: models.yaml\ndata: {data}\nlimit: 4\n"
    designs = "designs: [on-off, controls, matched, 'matched:enlarged', result-only, needs-picture]\n"
    study.write_text(f"{head}max_connections: 3\nbase: {{tools: 'crop,ruler'}}\n{designs}", encoding="utf-8")
    server.behave(rule)

    @asynccontextmanager
    async def leasing(runs, stop):
        yield (engine := Leases(2, near.Near))
        engine.close()

    await asyncio.to_thread(mva.ablate, study, out=tmp_path / "s1", processes=1, progress=False)
    monkeypatch.setattr(studying, "engine_for", leasing)
    await asyncio.to_thread(mva.ablate, study, out=tmp_path / "s2", processes=1, progress=False)
    cells = sorted((tmp_path / "s1").rglob("run.sqlite"))
    assert len(cells) >= 5
    for one in cells:
        two = tmp_path / "s2" / one.parent.relative_to(tmp_path / "s1")
        assert records(two) == records(one.parent), one.parent.name
        assert not verify_run(two).damage


async def _not_now(store, file):
    return Merged()
