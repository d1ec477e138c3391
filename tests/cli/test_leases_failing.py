"""Workers that hold leases where something fails: full disks, calls whose reply is lost, leases taken back early."""

import asyncio
import os
import shutil
import sqlite3
import threading
from contextlib import asynccontextmanager, closing
from dataclasses import replace

import near
import pytest
from fake.replies import HANG, error, text

import medvision_agent as mva
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.api import studying
from medvision_agent.errors import StorageError
from medvision_agent.eval.asking.runner import Watch
from medvision_agent.eval.engines import holder, leases
from medvision_agent.eval.engines.leases import Leases
from medvision_agent.eval.engines.messages import Closed
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.verify import verify_run

ANSWER = text("<think>so</think><answer>10.0</answer>")  # 1,060 tokens


@pytest.fixture
def ask(data, models, tmp_path):
    """Return a function that asks the samples by workers in this process, and returns the run."""

    common = {"models_file": models, "data": str(data), "out": tmp_path / "run"}
    return lambda make=near.Near, connections=2, **given: near.asked(
        make, max_connections=connections, **common, **given
    )


class Full(holder.Shard):
    """A shard on a disk with room for little."""

    def __init__(self, folder, **given):
        super().__init__(folder, **given)
        (pages,) = self._writer.do(lambda database: database.execute("PRAGMA page_count").fetchone())
        self._writer.do(lambda database: database.execute(f"PRAGMA max_page_count = {pages}"))


async def test_a_full_disk_at_a_worker_is_said_and_what_is_stored_stays(server, ask, tmp_path, monkeypatch):
    server.behave(lambda request: text(f"<think>{os.urandom(1500).hex()}</think><answer>10.0</answer>"))
    with monkeypatch.context() as full:
        full.setattr(holder, "Shard", Full)
        with pytest.raises(StorageError, match=r"sample \S+ was not stored: database or disk is full.*--resume"):
            await ask(connections=1)
    stored, asked = len(open_run(tmp_path / "run").records), len(server.requests)
    assert 0 < stored == asked - 1
    run = await ask(connections=1, resume=True)
    assert [record.outcome for record in run.records] == [Outcome.ANSWERED] * 12
    assert len(server.requests) == asked + 12 - stored


class Stuttering(near.Near):
    """A worker whose first reply to each call is lost, so that it is called again."""

    async def lease(self, asks, most):
        await super().lease(asks, most)
        await super().lease(asks, most)

    async def recall(self, pool):
        await super().recall(pool)
        return await super().recall(pool)


async def test_a_call_that_is_made_twice_asks_and_loses_nothing(server, ask, tmp_path):
    refused = []

    def rule(request):
        refused.extend([request] if len(server.requests) == 7 else [])
        return error(400, "not this one") if request in refused else ANSWER

    server.behave(rule)
    reasons = []
    await ask(Stuttering, budget={"seconds": 3600, "tokens": 9 * 1060}, watch=Watch(on_limit=reasons.append))
    run = await ask(Stuttering, resume=True)
    assert len(run.records) == 12
    assert len(server.requests) == 12
    assert not verify_run(tmp_path / "run").damage


async def test_a_worker_goes_on_while_what_it_finished_is_not_in_the_run_yet(server, ask, monkeypatch):
    monkeypatch.setattr(holder, "sees", lambda run, token: False)
    monkeypatch.setattr(holder, "_AGE", 1000.0)  # no shard is closed before all is asked
    server.behave(lambda request: HANG if len(server.requests) == 1 else ANSWER)
    task = asyncio.create_task(ask(connections=2))
    await server.wait_for(12)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def damaged(content):
    return content[:-1] + bytes([content[-1] ^ 1])


async def test_of_a_damaged_shard_that_came_back_its_own_samples_alone_are_asked_again(
    server, ask, tmp_path, monkeypatch
):
    monkeypatch.setattr(holder, "sees", lambda run, token: False)
    monkeypatch.setattr(holder, "_RECORDS", 3)
    close, held, notes, all_asked = holder._close, [], [], threading.Event()

    def closed(number, lane, kept):
        note = close(number, lane, kept)
        if "/1-" not in note.name:
            return note
        with closing(sqlite3.connect(":memory:")) as shard:
            shard.deserialize(note.content)
            held.append(sorted(int(name[1:]) for (name,) in shard.execute("SELECT sample_id FROM record")))
        monkeypatch.setattr(holder, "_RECORDS", 100)
        assert all_asked.wait(60), "others finish meanwhile, in other shards"
        return replace(note, content=damaged(note.content))

    def rule(request):
        if len(server.requests) == 12:
            all_asked.set()
        return ANSWER

    monkeypatch.setattr(holder, "_close", closed)
    server.behave(rule)
    run = await ask(connections=4, watch=Watch(on_note=notes.append))
    assert [record.outcome for record in run.records] == [Outcome.ANSWERED] * 12
    assert sorted(server.asked()[:12]) == list(range(12))
    assert [sorted(server.asked()[12:])] == held
    assert 3 <= len(held[0]) < 12
    assert len(notes) == 1
    assert not verify_run(tmp_path / "run").damage


class Twice(near.Near):
    """A worker whose shards come twice, the second time damaged, and before the notes of what they hold."""

    async def news(self, heard):
        news = await super().news(heard)
        shards = [note for note in news.notes if isinstance(note, Closed)]
        others = [note for note in news.notes if not isinstance(note, Closed)]
        twice = [again for note in shards for again in (note, replace(note, content=damaged(note.content)))]
        return replace(news, notes=[*twice, *others])


async def test_what_is_in_the_run_is_not_asked_again_where_a_damaged_shard_has_it_too(
    server, ask, tmp_path, monkeypatch
):
    monkeypatch.setattr(holder, "sees", lambda run, token: False)
    monkeypatch.setattr(holder, "_RECORDS", 2)
    server.behave(lambda request: ANSWER)
    notes = []
    run = await ask(Twice, watch=Watch(on_note=notes.append))
    assert [record.outcome for record in run.records] == [Outcome.ANSWERED] * 12
    assert sorted(server.asked()) == list(range(12))
    assert notes
    assert all("was changed after its worker wrote it" in note for note in notes)
    assert not verify_run(tmp_path / "run").damage


async def test_shards_of_a_worker_that_sees_no_run_leave_nothing_behind(server, ask, tmp_path, monkeypatch):
    monkeypatch.setattr(holder, "sees", lambda run, token: False)
    monkeypatch.setattr(holder, "_RECORDS", 3)
    monkeypatch.setattr(near.Near, "scratch", tmp_path / "scratch")
    (tmp_path / "scratch").mkdir()
    server.behave(lambda request: ANSWER)
    assert len((await ask()).records) == 12
    assert not list((tmp_path / "scratch").iterdir())


@pytest.fixture
def blind(data):
    """Return a function that makes workers, each on a machine of its own: the first so many lack an image."""

    def made(number, lacks):
        elsewhere = shutil.copytree(data.parent, data.parent / "elsewhere")
        (elsewhere / f"{lacks}.png").unlink()

        class Blind(near.Near):
            workers = 0

            def __init__(self):
                super().__init__()
                Blind.workers += 1
                self.machine, self.lacks = f"node-{Blind.workers}", Blind.workers <= number

            async def open(self, message, place):
                settings = message.settings
                if self.lacks:
                    settings = settings.replace(str(data), str(elsewhere / data.name))
                return await super().open(replace(message, settings=settings), place)

        return Blind

    return made


async def test_an_image_that_one_worker_lacks_is_read_by_another_and_the_worker_is_named(server, ask, blind, tmp_path):
    server.behave(lambda request: ANSWER)
    notes = []
    run = await ask(blind(1, 0), workers=2, watch=Watch(on_note=notes.append))
    assert [record.outcome for record in run.records] == [Outcome.ANSWERED] * 12
    assert sorted(server.asked()) == list(range(12))
    (note,) = notes
    assert "worker 1 of 2, on machine node-1, cannot read an image that another worker reads" in note
    assert str(tmp_path / "elsewhere" / "0.png") in note


async def test_an_image_that_all_workers_lack_is_unreadable_and_asked_again_by_a_resume(server, ask, blind, tmp_path):
    server.behave(lambda request: ANSWER)
    notes = []
    run = await ask(blind(2, 0), workers=2, watch=Watch(on_note=notes.append))
    assert [record.outcome for record in run.records] == [Outcome.UNREADABLE, *[Outcome.ANSWERED] * 11]
    assert str(tmp_path / "elsewhere" / "0.png") in run.records[0].detail
    assert not notes
    run = await ask(resume=True)
    assert [record.outcome for record in run.records] == [Outcome.ANSWERED] * 12
    assert sorted(server.asked()) == list(range(12))


async def test_leases_taken_back_while_a_worker_prepares_its_runs_are_handed_out_again(
    server, data, models, tmp_path, monkeypatch
):
    study = tmp_path / "study.yaml"
    head = f"name: t\nmodels: [fake-openai]\nmodels_file: models.yaml\ndata: {data}\nlimit: 4\n"
    study.write_text(f"{head}base: {{tools: ruler}}\ndesigns: [on-off]\n", encoding="utf-8")
    server.behave(lambda request: ANSWER)
    opened = leases._Session._open

    async def taken_back(session, slot, *what):
        await opened(session, slot, *what)
        await session._from(slot, 0)  # as near a limit

    monkeypatch.setattr(leases._Session, "_open", taken_back)

    @asynccontextmanager
    async def leasing(runs, stop):
        yield (engine := Leases(1, near.Near))
        engine.close()

    monkeypatch.setattr(studying, "engine_for", leasing)
    done = await asyncio.to_thread(mva.ablate, study, out=tmp_path / "s", processes=1, progress=False)
    assert [len(open_run(cell.parent).records) for cell in (tmp_path / "s").rglob("run.sqlite")] == [4, 4]
    assert not done.interrupted
