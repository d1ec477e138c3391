"""The command line as a real process, a fake provider, and a small set of samples on disk."""

import asyncio
import json
import os
from pathlib import Path

import numpy as np
import pytest
from commands import COMMAND
from fake.server import FakeServer

from medvision_agent.tools.view.png import encode_png


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a JSONL file of 12 distance samples of 4 subjects, each with a picture of its own."""
    lines = []
    for number in range(12):
        picture = tmp_path / f"{number}.png"
        picture.write_bytes(encode_png(np.full((40, 50), 10 * number, np.uint8)))
        lines.append(
            {
                "id": f"s{number}",
                "task": "distance",
                "image": picture.name,
                "pixel_size": {"height_mm": 1.0, "width_mm": 0.5},
                "modality": "MR",
                "plane": "axial",
                "landmarks": [f"start {number}", f"end {number}"],
                "target": [10.0],
                "convention": "edge",
                "dataset": "d",
                "subject": f"d/{number % 4}",
            }
        )
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


class Watched(FakeServer):
    """A fake server that tells when a number of requests have come in."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[tuple[int, asyncio.Event]] = []

    def _next(self, request):
        for number, reached in self._waiting:
            if len(self.requests) >= number:
                reached.set()
        return super()._next(request)

    async def wait_for(self, number: int, seconds: float = 60) -> None:
        """Wait until the *number*-th request has come in; bounded."""
        reached = asyncio.Event()
        self._waiting.append((number, reached))
        async with asyncio.timeout(seconds):
            await reached.wait()

    def asked(self, start: int = 0) -> list[int]:
        """Return the sample numbers asked for by the requests from *start* on."""
        return [
            number
            for request in self.requests[start:]
            for number in range(12)
            if f"Landmark 1: start {number}\n" in json.dumps(request.body).replace("\\n", "\n")
        ]


@pytest.fixture
async def server():
    async with Watched() as server:
        yield server


@pytest.fixture
def models(tmp_path: Path, server: Watched) -> Path:
    """Return a YAML file with models behind the fake server."""
    path = tmp_path / "models.yaml"
    path.write_text(
        f"""
fake-openai:
  provider: openai
  model: gpt-fake
  base_url: {server.openai_url}
  api_key_env: null
  perceived: {{rule: native}}
  timeout_seconds: 60
  max_tries: 2
  prices: {{input: 1.0, output: 10.0}}
fake-gemini:
  extends: gemini-2.5-flash
  base_url: {server.gemini_url}
"""
    )
    return path


@pytest.fixture
def study(tmp_path, data, models):
    """Return a function that writes a study file."""

    def written(more="base: {tools: 'crop,ruler'}\ndesigns: [on-off]\n", models=("fake-openai",), connections=1):
        path = tmp_path / "study.yaml"
        head = f"name: t\nmodels: [{', '.join(models)}]\nmodels_file: models.yaml\ndata: samples.jsonl\n"
        path.write_text(f"{head}max_connections: {connections}\n{more}", encoding="utf-8")
        return path

    return written


@pytest.fixture
def start(tmp_path: Path):
    """Return a function that starts the command line as a process of its own."""

    async def started(*words: object, **environ: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            COMMAND,
            *map(str, words),
            cwd=tmp_path,
            env=os.environ | environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    return started


@pytest.fixture
def call(start):
    """Return a function that runs the command line to its end: (exit code, output, errors)."""

    async def called(*words: object, seconds: float = 120, **environ: str) -> tuple[int, str, str]:
        process = await start(*words, **environ)
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    return called
