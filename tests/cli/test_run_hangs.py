"""Progress without a terminal: it goes on by the clock, whose minute is short here, and nobody need read it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL

import pytest
from fake.replies import HANG, text

ANSWER = text("<answer>10.0</answer>")
QUICK = """
import sys
from asyncio.subprocess import DEVNULL
from medvision_agent.api import progress, so_far
from medvision_agent.cli.main import main
progress._TICK, progress._MINUTE, so_far._LONG = 0.02, 0.05, 0.0
sys.argv[1:] = {words!r}
main()
"""


@pytest.mark.parametrize("command", ["run", "ablate"])
async def test_what_is_in_flight_is_said_without_a_terminal(server, data, models, start, tmp_path, command):
    named = f"name: t\nmodels: [fake-openai]\nmodels_file: {models}\ndata: {data}\nmax_connections: 1\n"
    (tmp_path / "s.yaml").write_text(f"{named}designs: [on-off]\nbase: {{tools: 'crop'}}\n")
    words = {
        "run": ("run", "--model", "fake-openai", "--models", models, "--data", data, "--tools", "off"),
        "ablate": ("ablate", "s.yaml"),
    }
    server.script([ANSWER, ANSWER, HANG])
    more = ("--max-connections", "1") if command == "run" else ("--no-probe",)
    asked = [str(word) for word in (*words[command], *more, "--out", "out")]
    process = await start("-c", QUICK.format(words=asked))
    found = [""]
    while not (": 2 of " in found[-1] and ", 1 sample in flight for 0:00:0" in found[-1]):
        found.append((await process.stderr.readline()).decode())
        assert found[-1], found
    process.send_signal(signal.SIGKILL)
    await process.communicate()


async def test_a_run_goes_on_when_nobody_reads_its_progress(server, data, models, call, tmp_path):
    server.script([ANSWER] * 12)
    words = ("run", "--model", "fake-openai", "--models", models, "--data", data, "--tools", "off", "--out", "out")
    reader, writer = os.pipe()
    code = QUICK.format(words=[*map(str, words)])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=tmp_path, stdout=DEVNULL, stderr=writer
    )
    os.close(writer)
    os.close(reader)
    async with asyncio.timeout(120):
        await process.wait()
    code, out, _ = await call("verify", "out")
    assert (code, "12" in out, len(server.requests)) == (0, True, 12), out
