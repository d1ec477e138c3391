"""Many connections as pools of few: their sum is kept, every one is used, and a failure gives its own back."""

import asyncio

import httpx2
import pytest
from fake.replies import DROP, text

from medvision_agent.agent.wire.spread import FEW, Spread, spread


@pytest.mark.parametrize("connections", [1, FEW, FEW + 1, 4 * FEW + 3])
async def test_as_many_connections_as_asked_for(server, connections):
    gate, heard = asyncio.Event(), asyncio.Semaphore(0)

    def rule(request):
        heard.release()
        return {**text("a"), "until": gate}

    server.behave(rule)
    transport = Spread(connections)
    async with asyncio.timeout(20), httpx2.AsyncClient(transport=transport) as client:
        asked = [
            asyncio.create_task(client.post(f"{server.openai_url}/chat/completions", json=BODY)) for _ in range(40)
        ]
        for _ in range(min(connections, 40)):
            await heard.acquire()
        assert server.connections == min(connections, 40)  # all are in use at once, and no further one
        gate.set()
        assert {reply.status_code for reply in await asyncio.gather(*asked)} == {200}
        assert server.connections <= connections


async def test_a_failed_request_gives_its_connection_back(server):
    server.script([DROP] * 30 + [text("a")] * 30)
    transport = Spread(6)
    async with asyncio.timeout(20), httpx2.AsyncClient(transport=transport) as client:
        for _ in range(30):
            with pytest.raises(httpx2.TransportError):
                await client.post(f"{server.openai_url}/chat/completions", json=BODY)
        asked = [client.post(f"{server.openai_url}/chat/completions", json=BODY) for _ in range(30)]
        assert {reply.status_code for reply in await asyncio.gather(*asked)} == {200}
    assert transport._free._value == len(transport._idle) == 6


def test_a_proxy_is_the_clients_business(monkeypatch):
    assert isinstance(spread(FEW + 1), Spread)
    assert spread(FEW) is None
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert spread(FEW + 1) is None


BODY = {"model": "m", "messages": [{"role": "user", "content": "q"}]}
