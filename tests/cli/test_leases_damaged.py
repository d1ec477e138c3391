"""Damaged shards: what is lost with them is asked again, is told once, and never counts as an answer of the run."""

import asyncio
import math
import threading
from contextlib import asynccontextmanager

import near
import pytest
from fake.replies import calls, text
from fake.servers import turn_of

import medvision_agent as mva
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.api import studying
from medvision_agent.eval.asking.watch import Watch
from medvision_agent.eval.engines import holder, leases
from medvision_agent.eval.engines.leases import Leases
from medvision_agent.eval.engines.messages import Closed
from medvision_agent.eval.store import write
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.verify import verify_run
from medvision_agent.text import plural

RULER = ("ruler", {"view": "v0", "x0": 0.25, "y0": 0.5, "x1": 0.75, "y1": 0.5})
ANSWER = text("<think>so</think><answer>10.0</answer>")  # 1,060 tokens
COST = 0.0016
"""US dollars for an answer."""


def rule(request):
    """Answer as a model that measures before it answers, where it can."""
    return calls(RULER) if request.body.get("tools") and turn_of(request) == 0 else ANSWER


def damage(file):
    """Flip one bit in the middle of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.fixture
def ablate(data, models, tmp_path, monkeypatch):
    """Return a function that asks a study with an arm of combined answers by two workers, and returns its notes."""
    models.write_text(models.read_text().replace("  max_tries: 2\n", "  max_tries: 2\n  temperature: 0.7\n"))
    study = tmp_path / "study.yaml"
    head = f"name: t\nmodels: [fake-openai]\nmodels_file: models.yaml\ndata: {data}\nlimit: 4\nmax_connections: 3\n"
    study.write_text(f"{head}base: {{tools: ruler}}\ndesigns: [matched]\n", encoding="utf-8")

    @asynccontextmanager
    async def leasing(runs, stop):
        yield (engine := Leases(2, near.Near))
        engine.close()

    monkeypatch.setattr(studying, "engine_for", leasing)
    return lambda: asyncio.to_thread(mva.ablate, study, out=tmp_path / "s", processes=1)


async def test_a_combined_answer_is_stored_only_with_the_answers_that_it_is_made_of(
    server, ablate, tmp_path, monkeypatch, capfd
):
    server.behave(rule)
    close, hurt = holder.Shard.close, []

    def damaged(shard):
        file = close(shard)
        if not hurt and "matched" in str(file.relative_to(tmp_path)):
            hurt.append(shard.records)
            damage(file)
        return file

    monkeypatch.setattr(holder.Shard, "close", damaged)
    done = await ablate()
    assert hurt
    (cell,) = (tmp_path / "s").glob("cells/*--matched--*")
    run = open_run(cell)
    assert done.left == 0, "the samples are asked again at once"
    for record in run.records:
        drawn = [one for one in run.draws if one.sample.id == record.sample.id]
        assert record.draws == len(drawn)
        paid = math.fsum(one.cost_usd for one in drawn)
        assert record.cost_usd == pytest.approx(paid), "the cost stated is what is stored"
    (note,) = [line for line in capfd.readouterr().err.splitlines() if "shards/" in line]
    tokens = 1060 * hurt[0]
    assert f"{plural(hurt[0], 'finished answer')} ({tokens:,} tokens, for {hurt[0] * COST:.4f} US dollars)" in note
    assert not verify_run(cell).damage


class Mortal(near.Near):
    """A worker that reports its samples together with their shard; one can wait until the command finds it dead."""

    found_dead = threading.Event()

    async def news(self, heard):
        while True:
            news = await super().news(heard)
            if any(isinstance(note, Closed) for note in news.notes):
                return news

    async def lease(self, asks, most):
        if self.holder is None:
            self.found_dead.set()
        await super().lease(asks, most)


@pytest.fixture
def ask(data, models, tmp_path):
    """Return a function that asks the samples by one worker in this process, and returns the run."""

    common = {"models_file": models, "data": str(data), "out": tmp_path / "run", "max_connections": 1}

    async def asked(watch=None, **given):
        asked.worker = Mortal()
        return await near.asked(lambda: asked.worker, watch=watch, **common, **given)

    return asked


@pytest.mark.parametrize("sees", [True, False])
async def test_a_damaged_shard_is_named_also_where_its_worker_dies_while_it_is_merged(
    sees, server, ask, monkeypatch, tmp_path
):
    if not sees:
        monkeypatch.setattr(holder, "sees", lambda run, token: False)
    server.behave(lambda request: ANSWER)
    loop, plain, hurt, notes = asyncio.get_running_loop(), write.plain, [], []

    def dying(file):
        if not hurt:
            hurt.append(file)
            damage(file)
            loop.call_soon_threadsafe(ask.worker.kill)
            assert Mortal.found_dead.wait(120)  # a busy machine takes more than 30 s
        return plain(file)

    monkeypatch.setattr(write, "plain", dying)
    Mortal.found_dead.clear()
    await ask(Watch(on_note=notes.append))
    assert [str(hurt[0]) in note for note in notes] == [True]
    assert " finished answer" in notes[0]
    run = await ask(resume=True)
    assert [record.outcome for record in run.records] == [Outcome.ANSWERED] * 12
    assert not verify_run(tmp_path / "run").damage


async def test_a_damaged_shard_is_named_also_where_the_command_is_interrupted_twice_meanwhile(
    server, ask, monkeypatch, tmp_path
):
    server.behave(lambda request: ANSWER)
    loop, plain, hurt, notes, interrupted = asyncio.get_running_loop(), write.plain, [], [], threading.Event()

    def late(file):
        if not hurt:
            hurt.append(file)
            damage(file)
            loop.call_soon_threadsafe(task.cancel)
            loop.call_soon_threadsafe(interrupted.set)
            assert interrupted.wait(30)
        return plain(file)

    monkeypatch.setattr(write, "plain", late)
    task = asyncio.create_task(ask(Watch(on_note=notes.append)))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [str(hurt[0]) in note for note in notes] == [True]
    run = await ask(resume=True)
    assert [record.outcome for record in run.records] == [Outcome.ANSWERED] * 12
    assert not verify_run(tmp_path / "run").damage


async def test_what_is_lost_with_a_worker_that_sees_no_folder_is_told_and_asked_again(
    server, ask, monkeypatch, tmp_path
):
    monkeypatch.setattr(holder, "sees", lambda run, token: False)
    monkeypatch.setattr(Mortal, "news", near.Near.news)
    close = holder.Holder._close_what_is_due
    monkeypatch.setattr(holder.Holder, "_close_what_is_due", lambda holder: close(holder) if killed else None)
    told, killed, finished, notes = [], [], leases._Session._finished, []

    def hear(session, out, note):
        finished(session, out, note)
        told.append(out.ask[1].id)
        if len(session._waiting) == 2 and not killed:
            killed.append(ask.worker.kill())

    monkeypatch.setattr(leases._Session, "_finished", hear)
    server.behave(lambda request: ANSWER)
    run = await ask(Watch(on_note=notes.append))
    assert [record.outcome for record in run.records] == [Outcome.ANSWERED] * 12
    (note,) = notes
    assert "worker 1 of 1 died (it " in note
    lost = len(told) - len(set(told))
    assert lost >= 2
    assert f"{plural(lost, 'finished answer')} ({1060 * lost:,} tokens, for {COST * lost:.4f} US dollars)" in note
    assert not verify_run(tmp_path / "run").damage
