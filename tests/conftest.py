"""What all tests share: a heap that is not searched, and one server of commands for each worker that runs any."""

import os
import signal
import sys
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

from medvision_agent.uncollected import uncollected

settings.register_profile("any machine", deadline=None)  # a busy machine is slow, and no example is wrong for that
settings.load_profile("any machine")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background: tests of Ctrl-C would wait for ever
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave the tests, of which there are thousands, out of all searches for garbage: they stay until the end."""
    with uncollected():
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's own state out of the tests, and what tests keep out of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _commands(_state: None) -> Iterator[None]:
    commands = sys.modules.get("commands")
    if commands is None or not commands.POSSIBLE:
        yield
        return
    with commands.server():
        yield
