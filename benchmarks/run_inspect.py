"""The other side of ``run.py``: the same conversations by inspect_ai, with tools that only return stored results.

    PYTHON benchmarks/run_inspect.py URL DATA FOLDER CONNECTIONS LIMIT HEARD

DATA is a ``samples.jsonl`` with its pictures; HEARD is a file with the last request of such a conversation by our
side: system text, question and declarations of tools are taken from it, and its results and pictures are what the
tools return.
"""

# inspect_ai is not installed here: this file is run by an interpreter that has it.
# pyright: reportMissingImports=false

import base64
import json
import os
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, ContentImage, ContentText, get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import ToolDef, ToolParams
from run_ours import took

Content = list[ContentText | ContentImage]


def results(messages: list[dict[str, Any]]) -> Iterator[tuple[str, Content]]:
    """Yield the name of the tool and the result of each call, in order."""
    for said, result in pairwise(messages):
        if result["role"] == "tool":
            after = messages[messages.index(result) + 1 :][:1]
            blocks = after[0]["content"] if after and after[0]["role"] == "user" else []
            content: Content = [ContentText(text=result["content"])]
            content += [ContentText(text=one["text"]) for one in blocks if one["type"] == "text"]
            content += [ContentImage(image=one["image_url"]["url"]) for one in blocks if one["type"] == "image_url"]
            yield said["tool_calls"][0]["function"]["name"], content


def tools(heard: dict[str, Any]) -> list[ToolDef]:
    """Return the tools as they were declared; each returns its results in order, over and over."""
    came: dict[str, list[Content]] = {}
    for name, content in results(heard["messages"]):
        came.setdefault(name, []).append(content)

    def returning(name: str) -> Any:
        async def execute(**arguments: Any) -> Content:
            own = came[name]
            return own[int(10 * float(arguments.get("x0", 0)) + 0.5) % len(own)]

        return execute

    declared = [one["function"] for one in heard.get("tools", [])]
    return [
        ToolDef(returning(one["name"]), one["name"], one["description"], ToolParams.model_validate(one["parameters"]))
        for one in declared
    ]


def samples(data: Path, limit: int, heard: dict[str, Any]) -> list[Sample]:
    """Return the questions, each with its own picture and the same words."""
    system, question = heard["messages"][0]["content"], heard["messages"][1]["content"][1]["text"]
    made = []
    for line in data.read_text(encoding="utf-8").splitlines()[:limit]:
        one = json.loads(line)
        png = base64.b64encode((data.parent / one["image"]).read_bytes()).decode()
        content = [ContentImage(image=f"data:image/png;base64,{png}", detail="high"), ContentText(text=question)]
        words = [ChatMessageSystem(content=system), ChatMessageUser(content=content)]
        made.append(Sample(input=words, target="43.10", id=one["id"]))
    return made


def main(url: str, data: str, folder: str, *rest: str) -> None:
    """Ask by an evaluation and print its CPU and time."""
    connections, limit, heard_file = rest
    heard = json.loads(Path(heard_file).read_text(encoding="utf-8"))
    os.environ["FAST_API_KEY"] = "none"
    model = get_model("openai-api/fast/fast", base_url=url, responses_api=False)

    def run(most: int) -> int:
        questions = MemoryDataset(samples(Path(data), most, heard))
        task = Task(questions, solver=[use_tools(*tools(heard)), generate()], scorer=includes())
        settings: dict[str, Any] = {"max_connections": int(connections), "max_samples": int(connections)}
        (log,) = evaluate(task, model=model, display="none", log_dir=f"{folder}/logs", **settings)
        if log.status != "success" or not log.results or log.results.completed_samples != most:
            raise SystemExit(f"inspect_ai did not finish: {log.status} {log.error}")
        return most

    print(json.dumps(took(run, int(limit))))


if __name__ == "__main__":
    main(*sys.argv[1:])
