"""Runs made by hand for the viewer: conversations with calls and pictures, hostile texts, a writer that is killed."""

from pathlib import Path
from typing import Any

import numpy as np
from identities import a_sample, an_identity

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.trace import RequestTrace, ToolCallTrace, Trace
from medvision_agent.eval.data.sample import Landmark
from medvision_agent.eval.store.record import Record, ToolUse
from medvision_agent.eval.store.write import RunStore
from medvision_agent.tools.view.png import encode_png

CONFIG: dict[str, Any] = {"source": {"name": "demo", "note": "a note", "demonstration": True}, "data": "demo"}
HOSTILE = "</script><script>alert(1)</script>\u2028\u2029 ]]> <!-- \x1b[2J \" ' \\ ${x}"
HOSTILE_ID = "../../../etc/passwd%2e%2e/<img src=x onerror=alert(1)>\u2028"
ENDS = (Landmark(name="a", x=10, y=10), Landmark(name="b", x=20, y=10))
CALLED = {"id": "c1", "name": "ruler", "args": {"view": "v0", "x0": 0.2, "y0": 0.75, "x1": 0.4, "y1": 0.75}}
RESULT = '{"view": "v0", "distance_mm": 10.0}'


def samples(count: int, **fields: Any) -> list[Any]:
    """Return distances of 10 mm, two of each subject."""
    usual = {"target": (10.0,), "truth_points": ENDS}
    return [a_sample(f"s{number}", subject=f"d/{number // 2}", **usual | fields) for number in range(count)]


def create(folder: Path, asked: list[Any], *, config: dict[str, Any] | None = None, **identity: Any) -> RunStore:
    """Return a new run that is open for writing, with the tool ruler."""
    usual = {"condition": "on", "tools": ("ruler",), "model_name": "m"}
    return RunStore.create(folder, asked, an_identity(**usual | identity), CONFIG | (config or {}))


def add(store: RunStore, sample: Any, answer: str | None = "10.0", **fields: Any) -> None:
    """Store a conversation of one call and an answer; *answer* None is no answer."""
    text = "" if answer is None else f"The line is as long as that. <answer>{answer}</answer>"
    trace = conversation(text)
    usual: dict[str, Any] = {
        "outcome": Outcome.NO_ANSWER if answer is None else Outcome.ANSWERED,
        "response": text,
        "tool_uses": (ToolUse(tool="ruler", ok=True, seconds=0.25, shown=True, picture_shown=True),),
        "usage": Usage(model_calls=2, input=100, output=20),
        "finish_reasons": ("tool_calls", "stop"),
        "asked_at": "2026-01-02T03:04:05.000+00:00",
        "v0_sha256": next(iter(trace.pictures)),
        "seconds": 1.5,
    }
    store.add(Record(sample=sample, **usual | fields), trace)


def conversation(answer: str) -> Trace:
    """Return what was said: the question with its image, a call, its result, and the answer."""
    trace = Trace()
    image, overlay = (trace.picture(encode_png(np.full((40, 50), value, np.uint8))) for value in (60, 90))
    reply = {"type": "ai", "response_metadata": {"finish_reason": "stop", "model_name": "m-1"}}
    usage = {"input_tokens": 50, "output_tokens": 10}
    trace.messages += [
        {"type": "system", "content": "You measure."},
        {"type": "human", "content": [{"type": "image_url", "picture": image}, {"type": "text", "text": "How long?"}]},
        {"content": "", "tool_calls": [CALLED], "usage_metadata": usage, **reply},
        {"type": "tool", "content": RESULT, "tool_call_id": "c1"},
        {"type": "human", "content": [{"type": "text", "text": "Tool output"}]},
        {"content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": answer}], **reply},
    ]
    call = ToolCallTrace("ruler", "c1", CALLED["args"], True, RESULT, overlay, 0.25, shown=True, picture_shown=True)
    trace.tool_calls.append(call)
    trace.requests += [RequestTrace("2026-01-02T03:04:05.000+00:00", seconds) for seconds in (0.5, 0.75)]
    return trace


def a_run(folder: Path, answers: list[str | None], *, more: int = 0, **identity: Any) -> Path:
    """Return the folder of a run with these answers, and *more* samples that are not finished."""
    asked = samples(len(answers) + more)
    with create(folder, asked, **identity) as store:
        for sample, answer in zip(asked, answers, strict=False):
            add(store, sample, answer)
    return folder


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from browsed import add, create, samples
asked = samples(4)
store = create(Path(sys.argv[2]), asked)
for sample in asked[:3]:
    add(store, sample)
os.kill(os.getpid(), signal.SIGKILL)
"""
"""A writer that dies with three of four samples stored; the arguments are this folder and that of the run."""
