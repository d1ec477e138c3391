"""Large replies are parsed and converted in a thread, small ones on the event loop; nothing else differs."""

import asyncio
import json
import threading

import httpx2
import pytest
from fake import wires
from fake.replies import HANG, error, raw, text
from langchain_core.messages import HumanMessage

from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.retry import RequestFailed, call_model
from medvision_agent.agent.wire.large import LARGE, LARGE_VALUES, aside_if_large, hand_over, handed_over

PADDING = {"long": "x" * LARGE, "many values": [0] * LARGE_VALUES, "small": [0] * 300}
PARSED_FROM = 500
"""Characters of the shortest body here; requests are shorter."""


def reply(provider, padding, words="fine"):
    """Return a reply with a field more, as the provider writes it."""
    return raw(wires.answer(provider.wire, text(words), 1) | {"further": padding})


@pytest.fixture
def parsing(monkeypatch) -> set[threading.Thread]:
    """The threads in which bodies are parsed, by us and by the SDKs."""
    threads, loads = set(), json.loads

    def noted(written, **settings):
        if len(written) > PARSED_FROM and "further" in str(written):
            threads.add(threading.current_thread())
        return loads(written, **settings)

    monkeypatch.setattr(json, "loads", noted)
    return threads


@pytest.mark.parametrize("padding", PADDING)
async def test_where_a_body_is_read(provider, parsing, padding):
    converted = set()
    provider.server.script([reply(provider, PADDING[padding])])
    async with open_model(provider.config(max_tries=1), environ=provider.environ) as chat:
        read = await call_model(
            chat.bind([]),
            [HumanMessage("q")],
            config=chat.config,
            read=lambda message: converted.add(threading.current_thread()) or chat.read(message),
        )
    on_the_loop = {threading.current_thread()}
    assert read.turn.text == "fine"
    assert len(provider.requests) == 1
    if padding == "small":
        assert parsing == converted == on_the_loop
    else:
        assert parsing
        assert not on_the_loop & (parsing | converted)


@pytest.mark.parametrize("status", [400, 429, 503])
async def test_a_large_error_is_the_same_error(provider, status):
    found = []
    for padding in ("", "x" * LARGE):
        with pytest.raises(RequestFailed) as caught:
            await provider.turn(error(status, f"no. {padding}"), max_tries=1)
        found.append((caught.value.fault.outcome, caught.value.fault.retryable))
    assert found[0] == found[1]
    assert len(provider.requests) == 2


async def test_it_is_tried_again_like_any_other(provider):
    turn = await provider.turn(error(503, "x" * LARGE), reply(provider, PADDING["long"], "at last"), max_tries=2)
    assert turn.text == "at last"
    assert len(provider.requests) == 2


async def test_a_request_that_takes_too_long_is_still_a_timeout(provider):
    with pytest.raises(RequestFailed) as caught:
        await provider.turn(HANG, max_tries=1, timeout_seconds=0.1)
    assert caught.value.fault.outcome == "timeout"


async def test_a_timeout_of_the_call_itself_is_its_own():
    async def late():
        raise TimeoutError("of the SDK")

    with pytest.raises(TimeoutError, match="of the SDK"):
        await aside_if_large(late)


async def test_each_request_of_a_call_gets_its_own_reply():
    """A class may look something up before it asks; the thread must not take the answer for what was looked up."""
    replies = {"first": b"small", "second": b"x" * LARGE}

    async def ask():
        got = []
        for name, body in replies.items():
            if (reply := handed_over()) is None:
                reply = httpx2.Response(200, content=body, request=httpx2.Request("POST", f"http://host/{name}"))
                await hand_over(reply)
            got.append(reply.content)
        return got, threading.current_thread()

    got, thread = await aside_if_large(ask)
    assert got == list(replies.values())
    assert thread is not threading.current_thread()


async def test_what_waits_in_the_thread_ends_with_the_call():
    waits, ended = threading.Event(), threading.Event()

    async def ask():
        if handed_over() is None:
            await hand_over(httpx2.Response(503, content=b"x" * LARGE))
        waits.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    call = asyncio.create_task(aside_if_large(ask))
    assert await asyncio.to_thread(waits.wait, 20)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await asyncio.to_thread(ended.wait, 20)


async def test_other_calls_go_on_while_one_is_converted(provider):
    """The first reply is read only when the second is there: on the event loop it would wait for ever."""
    second_came = threading.Event()
    provider.server.script([reply(provider, PADDING["long"], "first"), text("second")])
    async with open_model(provider.config(max_tries=1), environ=provider.environ) as chat:

        def waits(message):
            assert second_came.wait(20)
            return chat.read(message)

        first = asyncio.create_task(call_model(chat.bind([]), [HumanMessage("q")], config=chat.config, read=waits))
        await provider.server.heard.wait()
        second = await provider.call(chat, [HumanMessage("q")])
        second_came.set()
        assert [(await first).turn.text, second[1].text] == ["first", "second"]
