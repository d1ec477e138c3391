"""What all tests share: one server of commands for each worker that runs a command at all."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _commands() -> Iterator[None]:
    commands = sys.modules.get("commands")
    if commands is None or not commands.POSSIBLE:
        yield
        return
    with commands.server():
        yield
