"""What all tests share: one server of commands for each worker that runs a command at all."""

import signal
import sys
from collections.abc import Iterator

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background: tests of Ctrl-C would wait for ever
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _commands() -> Iterator[None]:
    commands = sys.modules.get("commands")
    if commands is None or not commands.POSSIBLE:
        yield
        return
    with commands.server():
        yield
