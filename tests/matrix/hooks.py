"""What a child does at named points inside its writes: it kills or stops itself. Nothing in the program is changed.

A point is a name such as ``before COMMIT`` or ``after fsync``; its number counts how often the child got there. SQLite
and the file functions are wrapped from outside, so the points are those of whatever the store does today.
"""

import hashlib
import json
import os
import signal
import sqlite3
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from threading import Lock
from types import SimpleNamespace

from matrix.row import seeded

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGINT}


class Points:
    """Counts the points a child passes and sends it a signal at those of *triggers*: (point, number, signal)."""

    def __init__(self, triggers):
        self.counts = Counter()
        self._triggers = {(point, number): SIGNALS[how] for point, number, how in triggers}
        self._lock = Lock()

    def hits(self, point):
        """Return the signal that is due at this point, if any."""
        with self._lock:
            self.counts[point] += 1
            return self._triggers.get((point, self.counts[point]))

    def reach(self, point):
        """Pass a point."""
        if number := self.hits(point):
            os.kill(os.getpid(), number)


def watch_database(points):
    """Wrap every connection that writes."""

    class Watched(sqlite3.Connection):
        def execute(self, words, *values):
            return self._passing(super().execute, words, *values)

        def executemany(self, words, values):
            return self._passing(super().executemany, words, list(values))

        def _passing(self, real, words, *values):
            word = words.split(None, 1)[0]
            points.reach(f"before {word}")
            if number := points.hits(f"inside {word}"):
                self.set_progress_handler(_once(number), 1)
            result = real(words, *values)
            self.set_progress_handler(None, 0)
            points.reach(f"after {word}")
            return result

    real = sqlite3.connect

    def connect(name, **options):
        return real(name, **options) if "mode=ro" in str(name) else real(name, **options, factory=Watched)

    sqlite3.connect = connect


def _once(number):
    """Return a function that sends a signal to this process when it is first called."""
    left = [number]
    return lambda: os.kill(os.getpid(), left.pop()) if left else None


def watch_files(points):
    """Wrap what makes, fills, flushes and renames files."""
    for owner, name in (
        (os, "fsync"),
        (os, "replace"),
        (Path, "replace"),
        (Path, "rename"),
        (Path, "hardlink_to"),
        (Path, "mkdir"),
        (Path, "unlink"),
    ):
        setattr(owner, name, _around(points, getattr(owner, name), name))
    opened = Path.open

    def open_watched(path, mode="r", *words, **more):
        file = opened(path, mode, *words, **more)
        return _Halved(file, points) if mode in {"w", "wb", "x", "xb"} else file

    Path.open = open_watched


def _around(points, real, name):
    def passing(*words, **more):
        points.reach(f"before {name}")
        result = real(*words, **more)
        points.reach(f"after {name}")
        return result

    return passing


class _Halved:
    """A file of which, at the point ``inside write``, half is on disk."""

    def __init__(self, file, points):
        self._file, self._points = file, points

    def write(self, content):
        if number := self._points.hits("inside write"):
            self._file.write(content[: len(content) // 2])
            self._file.flush()
            os.kill(os.getpid(), number)
            content = content[len(content) // 2 :]
        return self._file.write(content)

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        self._file.__enter__()
        return self

    def __exit__(self, *error):
        return self._file.__exit__(*error)


def report_samples(report):
    """Tell *report* of each sample that is taken to be asked, and of each that the store says is on disk."""
    from medvision_agent.eval.asking.runner import Pool
    from medvision_agent.eval.store.write import RunStore

    made = Pool.__init__

    def make(self, asks, *words, **more):
        made(self, telling(asks, report), *words, **more)

    Pool.__init__ = make
    add = RunStore.add

    def told(store, record, trace):
        # An infrastructure failure is stored and asked again: it is not finished. Nor is what the server refused:
        # whether that is a result depends on the other records.
        unfinished = record.outcome.infrastructure or record.outcome.value == "rejected"
        kind = "failed" if unfinished else "done"
        seen = hashes(record, json.loads(trace.to_json()))
        report(kind, str(store.folder), record.sample.id, record.attempt, *seen)

    def add_told(self, record, trace):
        add(self, record, trace)
        told(self, record, trace)

    RunStore.add = add_told
    if add_async := getattr(RunStore, "add_async", None):

        async def add_async_told(self, record, trace):
            await add_async(self, record, trace)
            told(self, record, trace)

        RunStore.add_async = add_async_told

    if merge := getattr(RunStore, "_merge", None):  # not in earlier versions
        from medvision_agent.eval.store.read import find_attempt, read_sample, read_trace

        def merge_told(self, file, database):
            merged = merge(self, file, database)
            for sample_id, attempt in merged.keys:
                record = find_attempt(self.folder, read_sample(self.folder, sample_id), attempt)
                trace = read_trace(self.folder, sample_id)
                told(self, record, SimpleNamespace(to_json=lambda kept=trace: json.dumps(kept)))
            return merged

        RunStore._merge = merge_told


def telling(asks, report):
    """Have what is to be asked tell of each sample that is taken from it."""
    take = asks.popleft

    def taken():
        lane, sample, attempt = take()
        report("asked", str(lane.store.folder), sample.id, attempt)
        return lane, sample, attempt

    asks.popleft = taken
    return asks


def hashes(record, trace):
    """Return hashes of a record and of its trace, however they were read."""
    texts = (record.model_dump_json(exclude={"sample"}), json.dumps(trace, sort_keys=True))
    return [hashlib.sha256(text.encode()).hexdigest() for text in texts]


def jump_clock(seed):
    """Have the wall clock jump by up to a year, to and fro, at each look."""
    rng, real = seeded(seed), time.time

    def jumped():
        return real() + rng.uniform(-3e7, 3e7)

    class Jumping(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(jumped(), tz)

    time.time, time.time_ns = jumped, lambda: int(jumped() * 1e9)
    for name, module in list(sys.modules.items()):
        if name.startswith("medvision_agent") and getattr(module, "datetime", None) is datetime:
            module.datetime = Jumping
