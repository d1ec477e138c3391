"""Workers that hold leases in the process of the test, and can be killed there."""

import asyncio
import tempfile
from pathlib import Path

from medvision_agent.agent.wire.rate_limit import Pace
from medvision_agent.eval.asking.engine import WorkerLostError
from medvision_agent.eval.asking.launch import execute, prepare
from medvision_agent.eval.asking.watch import Watch
from medvision_agent.eval.engines.dispatch import settled
from medvision_agent.eval.engines.holder import Holder
from medvision_agent.eval.engines.leases import Leases
from medvision_agent.eval.engines.slots import LeaseWorker
from medvision_agent.eval.settings.settings import Settings


class Near(LeaseWorker):
    """A holder of leases whose death takes nothing with it but what it had in memory."""

    scratch = None
    """The folder for shards where the run's folder is not visible; None: the system's temporary folder."""

    def __init__(self):
        self.holder = None
        self.leases = []
        """How many samples came at a time."""
        self.mute = False
        self.died = asyncio.Event()
        self._died = None
        self._calls = set()

    async def start(self):
        self._died = asyncio.get_running_loop().create_future()
        self.holder = Holder(
            lambda lane, model, row: Pace(), lambda: Path(tempfile.mkdtemp(prefix="near-", dir=self.scratch))
        )

    async def _until_death(self, work):
        if self.holder is None:
            raise WorkerLostError("it is dead")
        task = asyncio.ensure_future(work)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        await asyncio.wait({task, self._died}, return_when=asyncio.FIRST_COMPLETED)
        if self._died.done():
            task.cancel()
            raise WorkerLostError("it was killed")
        return task.result()

    async def open(self, message, place):
        settled(await self._until_death(self.holder.open(message, place)))
        return self.holder.sees(message.lane)

    async def lease(self, asks, most):
        if self.holder is None:
            raise WorkerLostError("it is dead")
        self.leases.append(len(asks))
        self.holder.lease(asks, most)

    async def recall(self, pool):
        return self.holder.recall(pool) if self.holder else []

    async def news(self, heard):
        if self.holder is None:
            raise WorkerLostError("it is dead")
        return await self._until_death(asyncio.sleep(60) if self.mute else self.holder.news(heard))

    def stop(self):
        if self.holder is not None:
            self.holder.stop()

    def kill(self):
        if self.holder is not None:
            for task in {*self.holder._tasks, *self._calls}:  # also calls that nobody waits for any more
                task.cancel()
            self.holder = None
            self._died.set_result(None)
            self.died.set()

    def close(self):
        self.kill()


async def asked(make, workers=1, watch=None, **given):
    """Ask a run by workers that *make* makes, with the settings *given* and without tools; returns the run."""
    engine = Leases(workers, make)
    async with asyncio.timeout(100):
        try:
            prepared = prepare(Settings(model="fake-openai", tools="off", probe=False, **given))
            return await execute(prepared, watch=watch or Watch(), stop=asyncio.Event(), engine=engine)
        finally:
            engine.close()
