"""Tools that wait keep no others waiting, and few of those that work do so at once."""

import asyncio
from dataclasses import replace
from threading import Event, Lock

from medvision_agent.agent.threads import AT_WORK, in_thread
from medvision_agent.tools.crop import crop
from medvision_agent.tools.python import python
from medvision_agent.tools.segment.variant import Variant
from medvision_agent.tools.segmenter import segment

OWN = replace(crop, code_sha256="0" * 64)
ASKS = replace(segment, variant=Variant("server", lambda *_: [], origin={"name": "one"}))
SHIPPED = replace(segment, variant=Variant("watershed", lambda *_: []))


async def test_tools_that_wait_keep_no_others_waiting():
    go, begun = Event(), Lock()
    waiting = [asyncio.create_task(in_thread(tool, go.wait)) for tool in (python, OWN, ASKS) for _ in range(8)]
    await asyncio.sleep(0)
    assert await in_thread(crop, lambda: begun.acquire(blocking=False))
    assert await in_thread(None, lambda: "an error")
    assert await in_thread(SHIPPED, lambda: "found") == "found"
    assert not any(task.done() for task in waiting)
    go.set()
    assert all(await asyncio.gather(*waiting))


async def test_few_tools_work_at_once():
    lock, now, most, together = Lock(), [0], [0], Event()

    def work():
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            if now[0] == AT_WORK:
                together.set()
        together.wait(30)
        with lock:
            now[0] -= 1

    await asyncio.gather(*(in_thread(crop, work) for _ in range(20)))
    assert most[0] == AT_WORK
