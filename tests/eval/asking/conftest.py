"""Two samples of distance, asked through the API of a fake server, on every wire."""

import asyncio

import pytest
from fake.replies import calls, text
from fake.server import FakeServer

import medvision_agent as mva

RULER = {"x0": 0.2, "y0": 0.5, "x1": 0.8, "y1": 0.5}


@pytest.fixture
async def server(monkeypatch):
    """Return a server whose model calls the ruler once and then answers."""
    monkeypatch.setenv("GEMINI_API_KEY", "AIzaSy-fake-0123456789")
    async with FakeServer() as server:
        server.script([calls(("ruler", RULER)), text("<answer>11.5</answer>")], by_turn=True)
        yield server


@pytest.fixture
def run(server, tmp_path):
    """Return a function that asks the samples on one wire and returns the run; settings and keys of the row go on."""

    async def asked(wire="chat", folder="run", *, row=None, **given):
        own = {"provider": "openai", "base_url": server.openai_url, "api": wire, "api_key_env": None}
        if wire == "gemini":
            own = {"provider": "gemini", "base_url": server.gemini_url}
        if wire == "langchain":
            own = {"provider": "langchain", "factory": "fake.counting:Counting", "settings": {"declares": True}}
        common = {"model": "fake", "perceived": {"rule": "native"}, "max_tries": 1}
        settings = {
            "model": "fake",
            "row": common | own | {"prices": {"input": 1.0, "output": 10.0}} | (row or {}),
            "data": "phantom:2",
            "selection": {"tasks": ["distance"]},
            "out": tmp_path / folder,
            "progress": False,
        }
        return await asyncio.to_thread(mva.run, **settings | given)

    return asked
