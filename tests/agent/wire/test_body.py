"""Bodies that are too large, packed or damaged: what they cost, what they are called, and that others go on."""

import asyncio
import gzip
import json
import threading
import zlib

import pytest
from fake import wires
from fake.replies import raw, text
from langchain_core.messages import HumanMessage

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.retry import RequestFailed
from medvision_agent.agent.wire import body as body_module
from medvision_agent.agent.wire.body import MOST_VALUES

MB = 1_000_000


def body(provider, words="fine") -> bytes:
    """Return the body of a reply as the provider writes it."""
    return json.dumps(wires.answer(provider.wire, text(words), 1)).encode()


def bomb(megabytes: int) -> bytes:
    """Return a gzip file of zeros, a thousandth of its content in size."""
    packer = zlib.compressobj(wbits=31)
    return b"".join([*(packer.compress(bytes(MB)) for _ in range(megabytes)), packer.flush()])


async def outcome(provider, reply, **settings) -> Outcome:
    with pytest.raises(RequestFailed) as caught:
        await provider.turn(reply, max_tries=1, **settings)
    return caught.value.fault.outcome


@pytest.mark.parametrize("status", [200, 500])
async def test_a_packed_body_is_not_unpacked_beyond_the_bound(provider, status):
    assert await outcome(provider, raw(bomb(40), status=status, encoding="gzip")) is Outcome.TOO_LARGE


@pytest.mark.parametrize("encoding", ["gzip, gzip", "x-gzip, gzip"])
async def test_nor_is_one_packed_twice(provider, encoding):
    assert await outcome(provider, raw(gzip.compress(bomb(40)), encoding=encoding)) is Outcome.TOO_LARGE


async def test_a_plain_body_is_not_read_beyond_the_bound(provider):
    reply = raw(body(provider, "x" * 200_000))
    assert await outcome(provider, reply, max_body_mb=0.1) is Outcome.TOO_LARGE


async def test_it_is_tried_again_as_other_failures_of_the_way_are(provider):
    turn = await provider.turn(raw(bomb(40), encoding="gzip"), text("at last"), max_tries=2)
    assert turn.text == "at last"
    assert provider.faults[0][0].detail.endswith(
        "more than 32 MB when decompressed, the limit max_body_mb of the model's row"
    )


async def test_many_values_are_not_parsed(provider):
    content = json.loads(body(provider)) | {"further": [0] * (MOST_VALUES + 1)}
    assert await outcome(provider, raw(content)) is Outcome.TOO_LARGE


async def test_commas_in_a_text_are_no_values(provider):
    words = '",[{\\' * MOST_VALUES
    assert (await provider.turn(raw(body(provider, words)))).text == words


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "identity", "raw deflate"])
async def test_packed_bodies_are_read(provider, encoding):
    content = body(provider)
    wbits = {"gzip": 31, "x-gzip": 31, "deflate": 15, "raw deflate": -15}.get(encoding)
    if wbits is not None:
        packer = zlib.compressobj(wbits=wbits)
        content = packer.compress(content) + packer.flush()
    assert (await provider.turn(raw(content, encoding=encoding.removeprefix("raw ")))).text == "fine"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [(b"no gzip", "gzip"), (gzip.compress(b"{}", mtime=0)[:-6], "gzip"), (b"{}", "br"), (b"", "deflate")],
)
async def test_bodies_that_cannot_be_unpacked(provider, content, encoding):
    assert await outcome(provider, raw(content, encoding=encoding)) is Outcome.BAD_REPLY


async def test_other_samples_go_on_while_a_large_body_is_read(provider, monkeypatch):
    """Unpacking waits for the other replies: on the event loop it would wait for ever."""
    others_came = threading.Event()
    unpack = body_module._inflated

    def waiting(*arguments):
        assert others_came.wait(20)
        return unpack(*arguments)

    monkeypatch.setattr(body_module, "_inflated", waiting)
    provider.server.script([raw(bomb(40), encoding="gzip"), text("fine"), text("fine")])
    async with open_model(provider.config(max_tries=1), environ=provider.environ) as chat:
        large = asyncio.create_task(provider.call(chat, [HumanMessage("q")]))
        await provider.server.heard.wait()
        others = [(await provider.call(chat, [HumanMessage("q")]))[1].text for _ in range(2)]
        others_came.set()
        with pytest.raises(RequestFailed) as caught:
            await large
    assert caught.value.fault.outcome is Outcome.TOO_LARGE
    assert others == ["fine", "fine"]
