"""The threads that tools run in: none of the event loop's own, so that a slow tool keeps nobody else waiting.

Shipped tools that work on the image are arithmetic: a few threads do it as fast as many, and the fewer there are, the
sooner the event loop has its turn at the interpreter. Tools that wait for a process or a server, and tools of others,
of which nobody knows what they do, have threads of their own in a larger number. Threads start when they are needed.
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
"""Threads at most of either kind."""


async def in_thread(tool: Tool | None, function: Callable[[], T]) -> T:
    """Return what a function returns that calls a tool, or none, while the event loop goes on."""
    slow = tool is not None and _may_wait(tool)
    pool = _pool(os.getpid(), WAITING if slow else AT_WORK)
    return await asyncio.get_running_loop().run_in_executor(pool, copy_context().run, function)


@cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:  # noqa: ARG001 - a forked process has none of our threads
    return ThreadPoolExecutor(threads, thread_name_prefix="tools")


def _may_wait(tool: Tool) -> bool:
    """Tell whether a call may take long without work: of a process, a server, or code that is not shipped."""
    return not tool.sees_image or bool(tool.code_sha256) or (tool.variant is not None and bool(tool.variant.origin))
