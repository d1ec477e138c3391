"""Run a coroutine to its end from a script or a notebook, with an orderly stop on Ctrl-C.

Contract: the coroutine runs in a thread with its own event loop, so that a loop that is already running, such as a
notebook's, does not interfere. The first KeyboardInterrupt sets the coroutine's stop event and waits; the second
cancels the coroutine, waits for its clean-up and is raised. Context variables are those of the caller.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future, wait
from contextlib import suppress
from contextvars import copy_context
from threading import Event, Thread
from typing import Any, Generic, TypeVar

__all__ = ["to_its_end"]

T = TypeVar("T")
Work = Callable[[asyncio.Event], Coroutine[Any, Any, T]]
_GLANCE = 0.2
"""Seconds between two checks for Ctrl-C, for systems such as Windows where waiting cannot be interrupted."""


class _Running(Generic[T]):
    """A coroutine that runs in its own thread, with its own event loop."""

    def __init__(self, work: Work[T]) -> None:
        self._work = work
        self._begun = Event()
        self._future = Future[T]()
        self._thread = Thread(target=copy_context().run, args=(self._run,), daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def started(self) -> bool:
        """Whether the thread was started."""
        return self._thread.ident is not None

    def _run(self) -> None:
        """Run the coroutine in the current thread, and keep its result or exception."""
        try:
            self._future.set_result(asyncio.run(self._main()))
        except BaseException as error:  # noqa: BLE001 - raised where the result is read
            self._future.set_exception(error)

    async def _main(self) -> T:
        """Create the stop event, and return the result of the coroutine."""
        self._loop, self._task, self._stop = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()
        self._begun.set()
        return await self._work(self._stop)

    def stop(self) -> None:
        """Set the stop event; has no effect once the coroutine has ended."""
        self._begun.wait()
        self._soon(self._stop.set)

    def cancel(self) -> None:
        """Cancel the coroutine; has no effect once it has ended."""
        self._begun.wait()
        if self._task is not None:
            self._soon(self._task.cancel)

    def _soon(self, what: Callable[[], object]) -> None:
        """Have the coroutine's event loop call *what*; no effect once the loop is closed."""
        with suppress(RuntimeError):  # the loop is closed: the coroutine ended while the signal was on its way
            self._loop.call_soon_threadsafe(what)

    def result(self) -> T:
        """Wait for the end of the coroutine, and return its result or raise its exception."""
        while not wait([self._future], timeout=_GLANCE).done:
            pass
        return self._future.result()


def to_its_end(work: Work[T], on_interrupt: Callable[[], None] = lambda: None) -> tuple[T, bool]:
    """Run *work* to its end; return its result, and whether a KeyboardInterrupt asked it to stop.

    *work* is called with the stop event and returns the coroutine. *on_interrupt* is called at the first
    KeyboardInterrupt. An exception of the coroutine is raised.
    """
    running = _Running(work)
    try:
        running.start()
        return running.result(), False
    except KeyboardInterrupt:
        if not running.started:
            raise
    try:
        running.stop()
        on_interrupt()
        return running.result(), True
    except KeyboardInterrupt:
        running.cancel()
        with suppress(asyncio.CancelledError, CancelledError):
            running.result()
        raise
