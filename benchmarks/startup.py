"""CPU seconds until ``--help`` is printed, until the first request of a run, and for a whole run of one sample.

The alternative of the same minute is an agent that does nothing: ``python -c "import langgraph.graph, ..."`` of the
packages that every run needs. A run asks the tests' fake server, which reads the CPU of the process that asks when its
first request arrives (Linux: ``/proc``). Medians, user and system time together.

Usage: python benchmarks/startup.py [--repeats 5]
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests"))

from fake.replies import Reply, text
from fake.server import FakeServer, Request, counted

CODE = "from medvision_agent.cli.main import main; main()"
FLOOR = "import langgraph.graph, langchain_core.messages, openai"
ROW = "startup: {{provider: openai, model: m, base_url: '{url}', api_key_env: null, perceived: {{rule: native}}}}\n"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="CPU of starting up")
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    rows = asyncio.run(_measured(repeats))
    floor = rows["an agent that does nothing"]
    print("| what | CPU, s | times the floor |\n|---|---|---|")
    for name, seconds in rows.items():
        print(f"| {name} | {seconds:.2f} | {seconds / floor:.2f} |")


async def _measured(repeats: int) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for name, seconds in (await _once(Path(folder))).items():
                found.setdefault(name, []).append(seconds)
    return {name: statistics.median(seconds) for name, seconds in found.items()}


async def _once(folder: Path) -> dict[str, float]:
    """Return seconds of CPU for each action."""
    run = [CODE, "run", "--limit", "1", "--task", "size", "--tools", "on", "--model"]
    first: list[float] = []
    process: list[int] = []

    def probed(request: Request) -> Reply:  # whether declared tools reach the model is asked first
        if not first:
            first.append(_cpu_of(process[0]))
        return counted(request)

    async with FakeServer() as server:
        server.script([text("<answer>20.0, 10.0</answer>")], by_turn=True)
        server.answer_probe = probed
        rows = folder / "models.yaml"
        rows.write_text(ROW.format(url=server.openai_url), encoding="utf-8")
        whole = await _cpu([*run, "startup", "--models", str(rows), "--out", str(folder / "run")], process)
    return {
        "an agent that does nothing": await _cpu([FLOOR], []),
        "`--help`": await _cpu([CODE, "--help"], []),
        "`run` to its first request": first[0],
        "`run` of one sample, OpenAI's wire": whole,
        "`run --model baseline-cv` of one sample": await _cpu([*run, "baseline-cv", "--out", str(folder / "demo")], []),
    }


async def _cpu(code: Sequence[str], process: list[int]) -> float:
    """Return the CPU of Python code in a separate process; the process id is put into *process*."""
    before = os.times()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", *code, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    process.append(child.pid)
    _, said = await child.communicate()
    if child.returncode:
        raise SystemExit(f"{' '.join(code)}: {said.decode()}")
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _cpu_of(process: int) -> float:
    """Return the CPU that a running process has used (proc(5): fields 14 and 15 of ``stat``, in clock ticks)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
