"""A coroutine run to its end: from anywhere, with Ctrl-C heard once and twice."""

import asyncio
import os
import signal
import subprocess
import sys
from contextvars import ContextVar
from threading import main_thread

import pytest

from medvision_agent.api.loop import to_its_end

VARIABLE = ContextVar("VARIABLE", default="")


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


async def test_it_works_inside_a_running_event_loop():
    async def work(stop):
        await asyncio.sleep(0)
        return "done", stop.is_set()

    assert asyncio.get_running_loop().is_running()
    assert to_its_end(work) == (("done", False), False)


def test_errors_are_raised_as_they_are():
    async def work(stop):
        raise TimeoutError("of the work")

    with pytest.raises(TimeoutError, match="of the work"):
        to_its_end(work)


def test_context_variables_are_those_of_the_caller():
    async def work(stop):
        return VARIABLE.get()

    VARIABLE.set("here")
    assert to_its_end(work) == ("here", False)


def test_the_first_ctrl_c_stops_after_what_is_in_flight():
    heard = []

    async def work(stop):
        interrupt()
        await stop.wait()
        return "finished"

    assert to_its_end(work, lambda: heard.append("heard")) == ("finished", True)
    assert heard == ["heard"]


def test_a_second_ctrl_c_that_comes_after_the_end_is_one_all_the_same():
    loops = []

    async def work(stop):
        loops.append(asyncio.get_running_loop())
        interrupt()
        await stop.wait()

    def ended():
        while not loops[0].is_closed():
            pass
        interrupt()

    with pytest.raises(KeyboardInterrupt):
        to_its_end(work, ended)


def test_the_second_ctrl_c_stops_at_once_and_waits_for_the_clean_up():
    done = []

    async def work(stop):
        interrupt()
        await stop.wait()
        try:
            interrupt()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            done.append("cleaned up")

    with pytest.raises(KeyboardInterrupt):
        to_its_end(work)
    assert done == ["cleaned up"]


def test_a_ctrl_c_while_the_first_is_told_stops_at_once():
    async def work(stop):
        interrupt()
        await asyncio.Event().wait()

    def told():
        interrupt()
        main_thread().join(0)

    with pytest.raises(KeyboardInterrupt):
        to_its_end(work, told)


def test_a_thread_that_hangs_does_not_keep_the_program():
    code = (
        "import asyncio, os, signal, time\n"
        "from medvision_agent.api.loop import to_its_end\n"
        "async def work(stop):\n"
        "    for _ in range(3):\n"
        "        os.kill(os.getpid(), signal.SIGINT); time.sleep(0.5)\n"
        "    time.sleep(60)\n"
        "to_its_end(work)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=50, check=False)
    assert done.returncode in {130, -signal.SIGINT, 1}
