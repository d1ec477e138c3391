"""Rows of ``provider: langchain`` whose factory is given our HTTP client, and those whose factory is not."""

import json
import threading

import pytest
from fake import wires
from fake.replies import error, raw, text
from langchain_core.messages import HumanMessage

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.retry import RequestFailed, call_model
from medvision_agent.agent.wire.body import MOST_VALUES
from medvision_agent.agent.wire.large import LARGE
from medvision_agent.agent.wire.notices import notices
from medvision_agent.errors import ConfigError, ProviderError

FLOOD = raw(wires.answer("chat", text("fine"), 1) | {"further": [0] * (MOST_VALUES + 1)})


@pytest.fixture
def row(server):
    """Return a function that makes a row of ChatOpenAI, pointed at the fake server."""

    def made(**fields):
        settings = {"model": "m", "base_url": server.openai_url, "max_retries": 0}
        common = {"provider": "langchain", "model": "m", "factory": "langchain_openai:ChatOpenAI", "max_tries": 1}
        key = {"api_key_env": "OPENAI_API_KEY", "settings": settings}
        return MODEL_CONFIG.validate_python(common | key | fields)

    return made


@pytest.fixture
def ask(server, chat_completions):
    """Return a function that asks the model of a row once and returns its text."""

    async def asked(config, *replies):
        server.script(list(replies))
        async with open_model(config, environ=chat_completions.environ) as chat:
            reply = await call_model(chat.bind([]), [HumanMessage("q")], config=config, read=chat.read)
            if config.client_argument is None:
                await chat.model.root_async_client.close()
            return reply.turn.text

    return asked


async def test_the_bound_of_a_body_holds_where_the_factory_takes_our_client(ask, row):
    with pytest.raises(RequestFailed) as caught:
        await ask(row(client_argument="http_async_client"), FLOOD)
    assert caught.value.fault.outcome is Outcome.TOO_LARGE


@pytest.mark.parametrize("megabytes", [0.01, 1])
async def test_it_is_the_bound_of_the_row(ask, row, megabytes):
    config = row(client_argument="http_async_client", max_body_mb=megabytes)
    if megabytes == 1:
        assert await ask(config, text("x" * 100_000)) == "x" * 100_000
        return
    with pytest.raises(RequestFailed, match="the body of the reply is too large"):
        await ask(config, text("x" * 100_000))


async def test_a_redirect_is_not_followed(ask, row, server):
    with pytest.raises(ProviderError, match="the request is redirected"):
        await ask(row(client_argument="http_async_client"), error(302, "moved"))
    assert len(server.requests) == 1


async def test_large_bodies_are_parsed_in_a_thread_there_too(ask, row, monkeypatch):
    threads, loads = [], json.loads

    def noted(written, **settings):
        if len(written) > LARGE:
            threads.append(threading.current_thread())
        return loads(written, **settings)

    monkeypatch.setattr(json, "loads", noted)
    assert await ask(row(client_argument="http_async_client"), text("x" * LARGE)) == "x" * LARGE
    assert threads
    assert threading.current_thread() not in threads


async def test_without_the_argument_no_bound_holds_and_the_run_is_told_so(ask, row):
    assert await ask(row(), FLOOD) == "fine"
    (line,) = notices(row(), {})
    assert line.startswith("m: the size of a reply is not limited (max_body_mb)")
    assert notices(row(client_argument="http_async_client"), {}) == []


def test_a_bound_that_is_not_kept_cannot_be_set(row):
    with pytest.raises(ValueError, match="max_body_mb: this limit is kept only with client_argument"):
        row(max_body_mb=1)


@pytest.mark.parametrize("fields", [{"client_argument": "api_key"}, {"client_argument": "model"}])
def test_an_argument_that_is_given_already_takes_no_client(row, fields):
    with pytest.raises(
        ValueError, match=r"client_argument: the factory's argument (api_key|model) is already given by settings or by"
    ):
        row(**fields)


async def test_an_argument_for_another_kind_of_client_is_named(ask, row):
    with pytest.raises(ConfigError, match=r"fails with the row's arguments \(.*\): TypeError: .*http_client"):
        await ask(row(client_argument="http_client"), text("fine"))


async def test_a_factory_that_makes_no_use_of_the_client_stops_the_run(ask, row):
    config = row(
        factory="fake.counting:Counting", settings={"declares": True}, client_argument="http", api_key_env=None
    )
    with pytest.raises(ProviderError, match="client_argument: the factory did not use the HTTP client"):
        await ask(config)
