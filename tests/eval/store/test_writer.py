"""The writer's promises: one thread uses the database, and what was handed over is stored before it is closed."""

import asyncio
import sqlite3
from threading import Event, Thread

import pytest
from identities import a_sample, an_identity

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.trace import Trace
from medvision_agent.errors import StorageError
from medvision_agent.eval.store.read import open_run, read_traces
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


def test_samples_that_wait_are_stored_in_one_transaction_and_one_that_cannot_be_fails_alone(store, held):
    said = list[str]()
    store._writer.submit(lambda database: database.set_trace_callback(said.append))
    unwritable = Trace(messages=[{"content": {1}}])
    futures = [store._batches.submit(record(number), unwritable if number == 3 else Trace()) for number in range(7)]
    held.set()
    with pytest.raises(StorageError, match="s3 was not stored"):
        futures.pop(3).result()
    assert [future.result() for future in futures] == [None] * 6
    assert said.count("COMMIT") == 1
    assert stored(store) == [sample.id for sample in SAMPLES[:7] if sample.id != "s3"]


def test_where_a_transaction_of_several_fails_each_is_tried_by_itself(store, held):
    """The same attempt twice: the database refuses the second one, and nothing else."""
    futures = [store._batches.submit(record(number), Trace()) for number in (0, 1, 1, 2)]
    held.set()
    with pytest.raises(StorageError, match="s1 was not stored"):
        futures.pop(2).result()
    assert [future.result() for future in futures] == [None] * 3
    assert stored(store) == ["s0", "s1", "s2"]
    assert [sample_id for sample_id, _ in read_traces(store.folder)] == ["s0", "s1", "s2"]
