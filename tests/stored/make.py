"""Make run and study folders with a given version of the program: what every later version must read.

    python tests/stored/make.py OUT      # with the version installed in this environment

The folders beside this file were made so by version 0.1.0 (commit 64f1d11) and are never made again: a later version
adds a folder of its own. ``tests/test_stored.py`` loads, scores, resumes and reports them.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from fake.replies import calls, came, ran, said, steps, text
from fake.server import FakeServer

from medvision_agent.tools.view.png import encode_png

ENTRY = "from medvision_agent.cli.main import main; main()"
SCRIPT = [[{"name": "ruler", "args": {"x0": 0.2, "y0": 0.5, "x1": 0.8, "y1": 0.5}}], "<answer>11.5</answer>"]
MODELS = """
native-calls:
  provider: openai
  model: fake-vlm
  base_url: {url}
  perceived: {{rule: native}}
  frame: norm1000-yx
text-calls:
  provider: openai
  model: fake-vlm
  base_url: {url}
  tool_calling: text
  perceived: {{rule: native}}
provider-code:
  provider: gemini
  model: fake-gemini
  base_url: {root}
  perceived: {{rule: native}}
"""
STUDY = {
    "name": "stored",
    "models": ["baseline-cv"],
    "data": "samples.jsonl",
    "designs": ["on-off", "controls:blind,sham,again:1", "overlays", "spacing", "tool-budget:1", "repeat", "form:cot"],
    "seed": 3,
}


async def run(*words: str, key: bool = False) -> None:
    """Run the command line in its own process; exit codes 0 and 1 are both fine here."""
    keys = {"OPENAI_API_KEY": "none", "GEMINI_API_KEY": "none"} if key else {}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ENTRY, *words, env={**os.environ, **keys}, stdout=subprocess.DEVNULL
    )
    if await process.wait() not in {0, 1}:
        sys.exit(f"failed: {words}")


def samples() -> None:
    """Write six samples of three subjects, each with a small picture of a bright ellipse."""
    lines = []
    for number in range(6):
        rows, columns = np.mgrid[0:48, 0:64]
        inside = ((columns - 30 - number) / 12) ** 2 + ((rows - 24) / (6 + number)) ** 2 < 1
        Path(f"{number}.png").write_bytes(encode_png(np.where(inside, 200, 30 + number).astype(np.uint8)))
        task, names, target = [
            ("distance", {"landmarks": ["left end", "right end"]}, [12.0]),
            ("size", {"label": "ellipse"}, [float(max(12, 12 + 2 * number)), 12.0]),
            ("detection", {"label": "ellipse"}, [0.28, 0.3, 0.66, 0.7]),
        ][number % 3]
        lines.append(
            {
                "id": f"s{number}",
                "task": task,
                "image": f"{number}.png",
                "pixel_size": {"height_mm": 1.0, "width_mm": 0.5},
                "modality": "MR",
                "plane": "axial",
                **names,
                "target": target,
                "convention": "edge",
                "dataset": "stored",
                "subject": f"stored/{number // 2}",
            }
        )
    Path("samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


async def main() -> None:
    """Make every folder, in OUT."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True)
    os.chdir(out)
    samples()
    Path("script.json").write_text(json.dumps(SCRIPT))
    Path("prompts.yaml").write_text("distance: Give the distance as <answer>mm</answer>.\n")
    Path("study.yaml").write_text(json.dumps(STUDY))
    files = ("--data", "samples.jsonl")
    await run("run", "--model", "baseline-cv", "--limit", "1", "--out", "on")
    await run("run", "--model", "baseline-cv", "--limit", "1", "--tools", "off", "--out", "off")
    bounded = ("--max-seconds", "0.001", "--max-connections", "1")
    await run("run", "--model", "baseline-cv", *files, *bounded, "--out", "unfinished")
    options = ("--frame", "pixel", "--recipe", "paper-v1", "--max-tool-calls", "5", "--max-model-calls", "6")
    limits = ("--sample-seconds", "100", "--sample-tokens", "9999", "--max-seconds", "900", "--task", "distance")
    await run("run", "--model", "oracle", "--tools", "blind/crop,ruler", *files, *options, *limits, "--out", "options")
    await run(
        "run",
        "--model",
        "scripted",
        "--script",
        "script.json",
        *files,
        "--prompt-file",
        "prompts.yaml",
        "--task",
        "distance",
        "--tools",
        "again:1",
        "--out",
        "scripted",
    )
    await run("run", "--model", "oracle", *files, "--form", "cot", "--reshape", "40,50", "--limit", "1", "--out", "cot")
    async with FakeServer() as server:
        Path("models.yaml").write_text(MODELS.format(url=server.openai_url, root=server.url))
        server.script(
            [calls(("ruler", {"x0": 100, "y0": 500, "x1": 300, "y1": 500})), text("<answer>12.5</answer>")],
            by_turn=True,
        )
        own = ("--models", "models.yaml", *files, "--task", "distance")
        await run("run", "--model", "native-calls", *own, "--out", "native", key=True)
        call = json.dumps({"name": "ruler", "arguments": {"x0": 0.2, "y0": 0.5, "x1": 0.8, "y1": 0.5}})
        server.script([text(f"<tool_call>{call}</tool_call>"), text("no numbers here")], by_turn=True)
        await run("run", "--model", "text-calls", *own, "--out", "text", key=True)
        server.script([steps(said("Let me see."), ran("6 * 2"), came("12"), said("<answer>12</answer>"))], by_turn=True)
        await run("run", "--model", "provider-code", *own, "--tools", "code", "--out", "code", key=True)
    await run("ablate", "study.yaml", "--out", "study")
    stopped = json.dumps({**STUDY, "name": "stopped", "designs": ["on-off"]})
    Path("stopped.yaml").write_text(stopped)
    await run("ablate", "stopped.yaml", "--max-seconds", "0.3", "--out", "stopped")
    for name in ("on", "off", "options", "scripted", "cot", "native", "text", "code"):
        await say(f"{name}.score.json", "score", name, "--json")
    for name in ("on", "native", "text"):
        await say(f"{name}.why.json", "why", name, "--json")
    await say("compare.json", "compare", "off", "on", "--json")
    await run("report", "study", "--tables", "study.tables", "--out", "study.html")
    Path("study.html").unlink()


async def say(file: str, *words: str) -> None:
    """Keep what a command prints."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", ENTRY, *words, stdout=subprocess.PIPE)
    Path(file).write_bytes((await process.communicate())[0])


asyncio.run(main())
