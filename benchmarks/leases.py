"""The CPU cost of leases and shards for the process that writes a run, without Ray: for each sample and each lease.

One stand-in for a worker answers at once: its shards were written before, so that all CPU measured is that of the
process that hands out, hears and merges. What Ray would pack and unpack is packed and unpacked by pickle. Five calls
are traces of 17 kB (pictures go past this process where the run's folder is shared).

Usage: python benchmarks/leases.py [--samples N]
"""

import argparse
import asyncio
import os
import pickle
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.trace import ToolCallTrace, Trace
from medvision_agent.eval.asking.breaker import Breaker
from medvision_agent.eval.asking.launch import job_of, prepare
from medvision_agent.eval.asking.meter import Meter
from medvision_agent.eval.asking.pool import Asks, Lane, Pool
from medvision_agent.eval.asking.watch import Watch
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.engines.leases import Leases
from medvision_agent.eval.engines.messages import Closed, Finished, Leased, News, Open, Place
from medvision_agent.eval.engines.slots import LeaseWorker
from medvision_agent.eval.settings.budget import Budget
from medvision_agent.eval.settings.settings import Settings
from medvision_agent.eval.store.record import Record, ToolUse
from medvision_agent.eval.store.shard import Shard
from medvision_agent.eval.store.write import RunStore

TOGETHER = 256
"""Records of a shard, as of a worker."""


def answered(sample: Sample, calls: int) -> tuple[Record, Trace]:
    """Return a record and its trace, of about the sizes that runs have."""
    uses = tuple(ToolUse(tool="ruler", ok=True, seconds=0.1, shown=True) for _ in range(calls))
    usage = Usage(model_calls=calls + 1, input=1000 * (calls + 1), output=60)
    record = Record(
        sample=sample,
        outcome=Outcome.ANSWERED,
        response="<answer>10.0</answer>",
        usage=usage,
        tool_uses=uses,
        finish_reasons=("stop",) * (calls + 1),
        prompt_sha256="0" * 64,
        prompt_with_tools_sha256="1" * 64,
        v0_sha256="2" * 64,
    )
    words = [{"type": "human", "content": f"{sample.id} {'a question in many words ' * 100}"}]
    words += [{"type": "tool", "content": f"{number} {'what a tool says ' * 100}"} for number in range(calls)]
    done = [ToolCallTrace("ruler", str(number), {"x0": 0.5}, True, "{}", None, 0.1) for number in range(calls)]
    return record, Trace(words, done)


class Instant(LeaseWorker):
    """A worker whose samples are finished before they are leased."""

    def __init__(self, shards: Path, records: dict[str, str]) -> None:
        self._shards, self._records = (
            sorted(shards.glob("*.sqlite"), key=lambda file: int(file.name.split("-")[0])),
            records,
        )
        self._asks: list[Leased] = []
        self._more = asyncio.Event()
        self._done = self._number = 0
        self.calls = 0

    async def start(self) -> None:
        """Start nothing."""

    async def open(self, message: Open, place: Place) -> bool:
        """See the run's folder."""
        assert message.folder is not None  # noqa: S101 - for the type checker
        self._own = message.folder / "shards" / place.worker
        self._own.mkdir()
        return True

    async def lease(self, asks: Sequence[Leased], most: int) -> None:  # noqa: ARG002 - all are done at once
        """Take samples."""
        self.calls += 1
        self._asks += pickle.loads(pickle.dumps(asks, 5))  # noqa: S301 - our own
        self._more.set()

    async def recall(self, pool: int) -> list[int]:  # noqa: ARG002 - nothing waits here
        """Give nothing back."""
        return []

    async def news(self, heard: int) -> News:  # noqa: ARG002 - nothing is lost here
        """Return notes about all leased samples, and about the shards that are full by then."""
        await self._more.wait()
        self._more.clear()
        notes: list[Finished | Closed] = []
        for one in self._asks:
            sample = Sample.model_validate_json(one.sample)
            notes.append(Finished(one.number, self._records[sample.id], (True, 0.1), 1))
            self._done += 1
            if self._done % TOGETHER == 0:
                file = self._shards.pop(0)
                os.link(file, self._own / file.name)
                notes.append(Closed(0, f"{self._own.name}/{file.name}", None, {}))
        self._asks, self._number = [], self._number + 1
        found: News = pickle.loads(pickle.dumps(News(self._number, notes, unclosed=False), 5))  # noqa: S301 - our own
        return found

    def stop(self) -> None:
        """Do nothing."""

    def kill(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


async def measured(folder: Path, count: int, calls: int, connections: int) -> str:
    """Return a row of the table."""
    prepared = prepare(Settings(model="baseline-cv", data=f"phantom:{count}", tools="off", out=folder / "run"))
    records = dict[str, str]()
    samples = list(prepared.samples)[: count // TOGETHER * TOGETHER]
    with RunStore.create(prepared.settings.out, samples, prepared.identity, prepared.config()) as store:
        for first in range(0, len(samples), TOGETHER):
            shard = Shard(folder / "made" / str(first // TOGETHER), run=store.mark, packs=True)
            for sample in samples[first : first + TOGETHER]:
                record, trace = answered(sample, calls)
                shard.submit(record, trace.to_json())
                records[sample.id] = record.model_dump_json(exclude={"sample", "response"}, exclude_defaults=True)
            shard.close()
        async with open_model(prepared.model) as chat:
            lane = Lane(job_of(prepared, chat), store, Breaker("baseline-cv", (), ()))
            pool = Pool(Asks((lane, sample, attempt) for sample, attempt in store.run.pending()), connections)
            worker = Instant(folder / "made", records)
            began, wall = time.process_time(), time.monotonic()
            problems = await Leases(1, lambda: worker).ask_pools(
                [pool], Meter(Budget()), watch=Watch(), stop=asyncio.Event()
            )
            spent, wall = time.process_time() - began, time.monotonic() - wall
    assert not problems, problems  # noqa: S101 - a benchmark
    each, size = 1000 * spent / len(samples), len(samples) / worker.calls
    stored = (prepared.settings.out / "run.sqlite").stat().st_size / len(samples)
    return f"| {calls} calls, {connections} in flight | {len(samples)} | {size:.0f} | {each:.2f} ms | {stored:.0f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What leases cost the process that writes a run")
    parser.add_argument("--samples", type=int, default=4096)
    count = parser.parse_args().samples
    print("| case | samples | samples a lease | CPU for each sample | bytes of the database |\n|---|---|---|---|---|")
    for calls, connections in ((0, 4), (0, 32), (0, 256), (5, 256)):
        with tempfile.TemporaryDirectory() as folder:
            print(asyncio.run(measured(Path(folder), count, calls, connections)), flush=True)


if __name__ == "__main__":
    main()
