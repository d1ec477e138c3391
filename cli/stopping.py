"""Ctrl-C and SIGTERM: the first stops after what is in flight, the second at once."""

import asyncio
import signal
from contextlib import suppress
from types import FrameType

import click

__all__ = ["INTERRUPTED", "Stopping"]

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Listens for signals from where it is made, in the running event loop."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        """Set when no further sample is to be started."""
        self.interrupted = False
        self._loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            try:
                self._loop.add_signal_handler(number, self._interrupt)
            except NotImplementedError:  # event loops of Windows
                signal.signal(number, self._received)

    def _received(self, number: int, frame: FrameType | None) -> None:
        """Hand a signal over to the event loop, which may be in the middle of anything; stop at once if it is over."""
        if self._loop.is_closed():
            signal.default_int_handler(number, frame)
        self._loop.call_soon_threadsafe(self._interrupt)

    def _interrupt(self) -> None:
        self.interrupted = True
        self.stop.set()
        for number in _SIGNALS:
            with suppress(NotImplementedError):
                self._loop.remove_signal_handler(number)
            signal.signal(number, signal.default_int_handler)
        click.echo("finishing what is in flight; press Ctrl-C again to stop at once", err=True)
