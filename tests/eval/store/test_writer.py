"""The writer's promises: one thread uses the database, and what was handed over is stored before it is closed."""

import asyncio
import sqlite3
from threading import Event, Thread

import pytest
from identities import a_sample, an_identity

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import Trace
from medvision_agent.errors import StorageError
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.write import RunStore

IDENTITY = an_identity(model={"provider": "offline", "name": "cv"}, recipe="r")
CONFIG = {"source": {"name": "demo", "note": "a note"}}
SAMPLES = [a_sample(f"s{number}") for number in range(8)]


def record(number):
    return Record(sample=SAMPLES[number], outcome=Outcome.ANSWERED, response="<answer>1</answer>")


@pytest.fixture
def store(tmp_path):
    with RunStore.create(tmp_path, SAMPLES, IDENTITY, CONFIG) as store:
        yield store


@pytest.fixture
def held(store):
    """Keep the writer busy until the event is set: what is handed over meanwhile waits."""
    busy, event = Event(), Event()
    store._writer.submit(lambda database: (busy.set(), event.wait(60)))
    assert busy.wait(60)
    yield event
    event.set()


def stored(store):
    return [one.sample.id for one in open_run(store.folder).records]


async def test_a_cancelled_sample_that_was_handed_over_is_stored_before_the_run_is_closed(store, held):
    """The second Ctrl-C: every task is cancelled while samples are being written, and the run is closed at once."""
    tasks = [asyncio.create_task(store.add_async(record(number), Trace())) for number in range(8)]
    await asyncio.sleep(0)  # all have handed over
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended)
    closing = Thread(target=store.close)
    closing.start()
    held.set()
    await asyncio.to_thread(closing.join)
    assert stored(store) == [sample.id for sample in SAMPLES]


async def test_the_event_loop_goes_on_while_a_sample_is_written(store, held):
    task = asyncio.create_task(store.add_async(record(0), Trace()))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not task.done()
    held.set()
    await task
    assert stored(store) == ["s0"]


async def test_a_sample_that_cannot_be_written_is_told_to_the_task_that_waits(store):
    with pytest.raises(StorageError, match="s0"):
        await store.add_async(record(0), Trace([{"content": {1, 2}}]))
    await store.add_async(record(1), Trace())
    assert stored(store) == ["s1"]


def test_many_threads_write_at_once(store):
    threads = [Thread(target=store.add, args=(record(number), Trace())) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored(store)) == 8


def test_no_other_thread_uses_the_database(store):
    with pytest.raises(sqlite3.ProgrammingError, match="thread"):
        store._writer._database.execute("SELECT 1")


def test_after_closing_nothing_is_taken_and_others_may_write(store):
    store.close()
    store.close()
    with pytest.raises(StorageError, match="closed"):
        store.add(record(0), Trace())
    RunStore.resume(store.folder, IDENTITY).close()
