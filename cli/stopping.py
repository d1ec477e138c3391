"""Treat SIGTERM like Ctrl-C: the first one stops after the samples in flight, the second at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["INTERRUPTED", "terminable"]

INTERRUPTED = 130
"""Exit code after Ctrl-C, as in shells."""


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGINT (Ctrl-C) and SIGTERM both raise KeyboardInterrupt within the context; only for the main thread."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
