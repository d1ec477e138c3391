"""Shards of real Ray workers that are damaged on disk: while their run goes on, and after its command was killed.

The command is stopped (SIGSTOP) while its workers finish samples: the shards lie there before it can take them.
"""

import asyncio
import os
import re
import select
import signal
import sqlite3
from collections import Counter
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from commands import INSTALLED
from fake.replies import text

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.verify import verify_run

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra cluster")
ANSWER = text("<think>so</think><answer>10.0</answer>")  # 1,060 tokens, for 0.0016 US dollars
RAY = ("--engine", "ray", "--processes", "2")
LOST = re.compile(r"lost with it: (at least )?(\d+) finished answers? \(([\d,]+) tokens, for ([\d.]+) US dollars\)")
ALL = set(range(12))
PATIENCE = 300
"""Seconds for what takes Ray a few, where much else runs."""


class Stopped:
    """A command with two Ray workers that is stopped while each of them has two samples in flight, and two wait."""

    def __init__(self, server, run, words):
        self.server, self.run, self.words = server, run, words
        self._first, self._others = asyncio.Event(), asyncio.Event()

    async def start(self):
        """Run the command until four samples are in flight, then stop it."""
        self.server.behave(self._rule)
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(
            INSTALLED, *self.words, *RAY, cwd=self.run.parent, stdout=pipe, stderr=pipe
        )
        await self.server.wait_for(4, PATIENCE)
        self.process.send_signal(signal.SIGSTOP)

    def _rule(self, request):
        return {**ANSWER, "until": self._first if len(self.server.requests) <= 4 else self._others}

    async def left_open(self):
        """Answer four samples: each worker has two in an open shard, and two in flight; return it with its process."""
        self._first.set()
        await self.server.wait_for(8, PATIENCE)
        return holders(self.run)

    async def closed(self):
        """Answer the eight samples that the workers have, and return their two closed shards."""
        self._first.set()
        self._others.set()
        async with asyncio.timeout(PATIENCE):
            while len(found := sorted((self.run / "shards").glob("*/*-*.sqlite"))) < 2:  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.05)
        return found

    async def go_on(self):
        """Let the command go on, if it was not killed, and return its exit code and errors."""
        self._others.set()
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
        async with asyncio.timeout(PATIENCE):
            _, err = await self.process.communicate()
        return self.process.returncode, err.decode()


@pytest.fixture
async def stopped(server, data, models, tmp_path):
    words = ("run", "--model", "fake-openai", "--models", models, "--data", data, "--tools", "off", "--out", "run")
    command = Stopped(server, tmp_path / "run", [*map(str, words), "--max-connections", "4"])
    await command.start()
    yield command
    with suppress(ProcessLookupError):
        command.process.kill()


def holders(run):
    """Return the databases of open shards, with the ids of the processes that write them."""
    found = {}
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            file = link.readlink()
            if file.name == "run.sqlite" and run / "shards" in file.parents:
                found[file] = int(link.parts[2])
    return dict(sorted(found.items()))


def kill(*pids):
    """Kill processes that may be ending already, and wait for their ends."""
    for pid in pids:
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            os.kill(pid, signal.SIGKILL)
            assert select.select([handle], [], [], 60)[0]
            os.close(handle)


def damage(file):
    """Flip one bit of a response: in a closed shard, that of one record; in a log, all from there on is lost."""
    content = bytearray(file.read_bytes())
    content[content.rfind(b"</answer>")] ^= 1
    file.write_bytes(content)


def held(file):
    """Return the numbers of the samples in a shard that nobody writes."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as shard:
        return {int(name[1:]) for (name,) in shard.execute("SELECT sample_id FROM record")}


def told(run, err):
    """Return what a message says of the one damaged shard: "at least " or nothing, answers, tokens, dollars."""
    (kept,) = (run / "shards").rglob("*.damaged")
    assert err.count("is not merged into the run") == 1
    assert f"and kept as run/{kept.relative_to(run)}; lost with it" in err
    ((least, *numbers),) = LOST.findall(err)
    answers, tokens, dollars = (float(number.replace(",", "")) for number in numbers)
    assert (tokens, dollars) == (1060 * answers, pytest.approx(0.0016 * answers))
    return f"{least}{answers:g}"


def whole(run):
    """Return whether all samples of a run were answered, and nothing of it is damaged."""
    kept = open_run(run)
    assert not kept.superseded
    return [one.outcome for one in kept.records] == [Outcome.ANSWERED] * 12 and not verify_run(run).damage


async def test_a_closed_shard_that_is_damaged_before_the_command_takes_it_is_asked_again_by_a_resume(stopped, call):
    hurt, good = await stopped.closed()
    lost = held(hurt)
    damage(hurt)
    code, err = await stopped.go_on()
    assert code == 1, err
    assert told(stopped.run, err) == "4"
    assert "4 samples left; to go on, repeat the command with: --out run --resume" in err
    assert not good.exists()
    assert {int(one.sample.id[1:]) for one in open_run(stopped.run).records} == ALL - lost
    assert sorted(stopped.server.asked()) == sorted(ALL)
    code, _, err = await call(*stopped.words, "--resume")
    assert code == 0, err
    assert "not merged" not in err, "it was named before"
    assert sorted(stopped.server.asked(12)) == sorted(lost)
    assert whole(stopped.run)


async def test_a_damaged_shard_of_a_killed_worker_is_asked_again_at_once(stopped):
    (hurt, victim), _ = (await stopped.left_open()).items()
    kill(victim)
    damage(hurt.with_name("run.sqlite-wal"))
    code, err = await stopped.go_on()
    assert code == 0, err
    assert "the shard lacks 1 of the 2 answers that its worker stored" in err
    assert told(stopped.run, err) == "at least 1"
    times = Counter(stopped.server.asked())
    assert sorted(times.values()) == [1] * 8 + [2] * 4, "two were lost, and two were in flight"
    assert whole(stopped.run)


@pytest.mark.parametrize(("closed", "again"), [(True, ("--processes", "2")), (False, RAY)])
async def test_a_shard_that_is_damaged_after_its_command_was_killed_is_named_by_the_resume(
    closed, again, stopped, call
):
    workers = (await stopped.left_open()).values() if not closed else ()
    hurt, good = await stopped.closed() if closed else holders(stopped.run)
    kill(stopped.process.pid, *workers)
    assert (await stopped.go_on())[0] == -signal.SIGKILL
    asked, safe = len(stopped.server.requests), held(good)
    damage(hurt if closed else hurt.with_name("run.sqlite-wal"))
    code, _, err = await call(*stopped.words, *again, "--resume", seconds=PATIENCE)
    assert code == 0, err
    assert told(stopped.run, err) == ("at least 3" if closed else "at least 1")
    assert sorted(stopped.server.asked(asked)) == sorted(ALL - safe), "what was stored is not asked again"
    assert len(safe) == (4 if closed else 2)
    assert not list((stopped.run / "shards").rglob("run.sqlite")), "nothing is left but the damaged one"
    assert whole(stopped.run)
