"""Thread pools for tools, separate from the event loop's pool, so that a slow tool delays nothing else.

Shipped tools that work on the image are arithmetic: a few threads are as fast as many, and the fewer there are, the
sooner the event loop gets the interpreter. Tools that wait for a process or a server, and tools of users,
whose work is unknown, have a larger pool of their own. Threads start when they are needed.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import TypeVar

from medvision_agent.tools.base import Tool

__all__ = ["in_thread"]

T = TypeVar("T")
AT_WORK, WAITING = 2, 64
"""Maximum number of threads of each pool."""


async def in_thread(tool: Tool | None, function: Callable[[], T]) -> T:
    """Return the result of *function*, run in a thread while the event loop goes on.

    *tool* is the tool that *function* calls, None if it calls none; it decides which pool of threads is used.
    """
    slow = tool is not None and _may_wait(tool)
    pool = _pool(os.getpid(), WAITING if slow else AT_WORK)
    return await asyncio.get_running_loop().run_in_executor(pool, copy_context().run, function)


@cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:  # noqa: ARG001 - a forked process has none of our threads
    return ThreadPoolExecutor(threads, thread_name_prefix="tools")


def _may_wait(tool: Tool) -> bool:
    """Return whether a call may wait long without computing: for a process, a server, or code that is not shipped."""
    return not tool.sees_image or bool(tool.code_sha256) or (tool.variant is not None and bool(tool.variant.origin))
