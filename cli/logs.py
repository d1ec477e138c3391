"""Print the package's log on standard error: one line per record, without terminal control characters."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

from medvision_agent.text import printable

__all__ = ["LEVELS", "printed_logs"]

LEVELS = ("debug", "info", "warning", "error")


@contextmanager
def printed_logs(level: str) -> Iterator[None]:
    """Print log records of this package from *level* on within the context; other libraries' logs are not affected."""
    logger, handler = logging.getLogger("medvision_agent"), _Printed()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S"))
    before = logger.level
    logger.setLevel(level.upper())
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


class _Printed(logging.Handler):
    """A log handler that prints to the current error stream, which a progress bar may have replaced."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(printable(self.format(record)), err=True)
