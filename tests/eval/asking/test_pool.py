"""Who waits for a sample is woken where there may be one, and not by every sample that ends."""

import asyncio
from collections import deque

from identities import a_sample

from medvision_agent.eval.asking.pool import Pool

WORKERS = 40


class CountingPool(Pool):
    looks = 0

    def _open(self):
        self.looks += 1
        return super()._open()


async def test_waiting_workers_do_not_look_again_whenever_a_sample_ends():
    pool = CountingPool(deque((None, a_sample(f"s{number}"), 1) for number in range(WORKERS)), WORKERS)
    gates = [asyncio.Event() for _ in range(WORKERS)]
    begun = []

    async def work():
        while True:
            async with pool.turn(lambda: True) as ask:
                if ask is None:
                    return
                begun.append(ask[1].id)
                await gates[len(begun) - 1].wait()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        tasks = [group.create_task(work()) for _ in range(WORKERS)]
        for _ in range(10):  # all of them begin
            await asyncio.sleep(0)
        assert len(begun) == WORKERS
        for gate in gates:
            gate.set()
            for _ in range(10):  # the worker takes its next turn, and finds nothing
                await asyncio.sleep(0)
    assert all(task.done() for task in tasks)
    assert not pool.left()
    assert pool.looks < 8 * WORKERS  # each waking all others: half the square of their number
