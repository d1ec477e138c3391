"""Models whose effect of tools is known, because it is written here: each is a policy with seeded noise.

A policy is a generator as those of ``agent/policies``: it yields tool calls, is sent what came back, and returns the
text of its answer. What it knows of a sample is the question and the pictures it is shown. Its noise depends on the
question, on whether tools are declared, on how often it has spoken and how often it was asked just that before, and on
nothing else.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

from medvision_agent.agent.chat.chat import png_of
from medvision_agent.tools.view.png import decode_png

__all__ = ["POLICIES", "Planted", "Scene", "Shown", "rows"]

Ends = tuple[float, float, float]
"""Left, right, and the height of a bar from below, in shares of a picture."""


@dataclass(frozen=True)
class Shown:
    """What came back from a call."""

    result: dict[str, Any]
    picture: Any = None
    """Grey levels; None where no picture came."""


@dataclass(frozen=True)
class Scene:
    """What a policy has before its first call."""

    plant: str
    question: str
    picture: Any
    """The picture of the question; None where there is none."""
    tools: bool
    spoken: int = 0
    """How often it answered before, where it is asked to check its answer."""
    asked: int = 0
    """How often exactly this was asked before: every answer is drawn anew."""
    handed: float | None = None
    """The last distance among results that stand beside the question."""

    def noise(self, spread: float, about: str = "", size: int | None = None) -> Any:
        """Return normal noise, of its own for each question, arm with or without tools, turn, draw, *about*."""
        seed = crc32(f"{self.plant}|{self.question}|{self.tools}|{self.spoken}|{about}{'+' * self.asked}".encode())
        return np.random.default_rng(seed).normal(0, spread, size)

    @property
    def kind(self) -> str:
        """CT or MR."""
        return "MR" if "MR image" in self.question else "CT"

    @property
    def spacing(self) -> float:
        """Millimetres per pixel."""
        return float(re.search(r"width_mm_per_px = ([0-9.]+[0-9])", self.question)[1])


Calls = Generator[tuple[str, dict[str, Any]], Shown, str]


def bar(picture: Any, *, faint: bool = False) -> Ends | None:
    """Return where the bright bar of a picture ends, or the faint one in its lower half; None without a picture."""
    if picture is None:
        return None
    height, width = picture.shape
    bright = picture > 0.6 * picture.max()
    if faint:
        bright = (picture > 100) & (np.arange(height)[:, np.newaxis] > height / 2)
    across, down = np.flatnonzero(bright.any(axis=0)), np.flatnonzero(bright.any(axis=1))
    return across[0] / width, (across[-1] + 1) / width, 1 - (down[0] + down[-1] + 1) / 2 / height


def answer(millimetres: float) -> str:
    return f"<think>planted</think><answer>{millimetres:.3f}</answer>"


def length_of(scene: Scene, spread: float, size: int | None = None) -> float:
    """Return the length of the bar in the question's picture, read once, or so often, with a relative noise."""
    left, right, _ = bar(scene.picture) or (0.0, 0.4, 0.0)
    width = 96 if scene.picture is None else scene.picture.shape[1]
    noise = scene.noise(spread, "length", size)
    return float((right - left) * width * scene.spacing * (1 + np.mean(noise)))


def faithful(scene: Scene) -> Calls:
    """Read the ends of the bar to 4 pixels of what it is shown: on an enlarged picture that is less."""
    ends = bar(scene.picture)
    if ends is None:
        return "I am shown no picture, so I cannot measure it."
    if scene.handed is not None:
        return answer(scene.handed)
    left, right = np.array(ends[:2]) + scene.noise(4 / scene.picture.shape[1], "v0", 2)
    if not scene.tools:
        return answer((right - left) * scene.picture.shape[1] * scene.spacing)
    low, high = max(left - 0.15, 0.0), min(right + 0.15, 1.0)
    taken = yield "crop", {"x0": low, "x1": high, "y0": ends[2] - 0.1, "y1": ends[2] + 0.1, "zoom": 5}
    view, place, width = "v0", (left, ends[2], right, ends[2]), 1.0
    if (closer := bar(taken.picture)) is not None:
        near, far = np.array(closer[:2]) + scene.noise(4 / taken.picture.shape[1], "crop", 2)
        view, place, width = taken.result["view"], (near, closer[2], far, closer[2]), high - low
    found = yield "ruler", {"view": view, **dict(zip(("x0", "y0", "x1", "y1"), map(float, place), strict=True))}
    if isinstance(found.result.get("distance_mm"), float):
        return answer(found.result["distance_mm"])
    return answer((place[2] - place[0]) * width * scene.picture.shape[1] * scene.spacing)


def copier(scene: Scene) -> Calls:
    """Guess; with tools, measure the wrong bar, which is about as long, and copy the number."""
    guess = length_of(scene, 0.25) if scene.handed is None else scene.handed
    if not scene.tools:
        return answer(guess)
    left, right, height = bar(scene.picture, faint=True) or (0.1, 0.5, 0.2)
    found = yield "ruler", {"x0": left, "y0": height, "x1": right, "y1": height}
    return answer(found.result["distance_mm"] if isinstance(found.result.get("distance_mm"), float) else guess)


def prior(scene: Scene) -> Calls:
    """Say the usual length, and make no use of the tool that it calls."""
    if scene.tools:
        yield "ruler", {"x0": 0.1, "y0": 0.1, "x1": 0.4, "y1": 0.1}
    return answer(28.0 + scene.noise(1.0))


def burner(scene: Scene) -> Calls:
    """Read the bar once in every turn and say the mean: what tools return is nothing to it, turns are all."""
    readings = 1 + scene.spoken
    if scene.tools:
        for number in range(3):
            yield "crop", {"x0": 0.2 * number, "y0": 0.2, "x1": 0.2 * number + 0.3, "y1": 0.5}
            readings += 1
    return answer(length_of(scene, 0.3, readings))


def reckoner(scene: Scene) -> Calls:
    """See the ends as they are and reckon badly: without tools it says where they are, and a length that is wrong."""
    left, right, height = bar(scene.picture) or (0.1, 0.5, 0.8)
    if scene.tools:
        yield "crop", {"x0": 0.1, "x1": 0.9, "y0": 0.1, "y1": 0.9, "zoom": 3}
        found = yield "ruler", {"x0": left, "y0": height, "x1": right, "y1": height}
        if isinstance(found.result.get("distance_mm"), float):
            return answer(found.result["distance_mm"])
    millimetres = (right - left) * scene.picture.shape[1] * scene.spacing * (1 + scene.noise(0.3, "reckoning"))
    return f"Its ends: ({left:.6f}, {height:.6f}), ({right:.6f}, {height:.6f}). <answer>{millimetres:.3f}</answer>"


def hurt_on_mr(scene: Scene) -> Calls:
    """Gain by tools on CT and lose by them on MR."""
    if scene.tools:
        yield "ruler", {"x0": 0.1, "y0": 0.1, "x1": 0.4, "y1": 0.1}
    return answer(length_of(scene, 0.2 if not scene.tools else 0.05 if scene.kind == "CT" else 0.4))


FAILS = 0.01
"""The share of questions that ``rarely`` does not answer with tools."""


def rarely(scene: Scene) -> Calls:
    """Be a little better with tools, and fail in one question of a hundred, which takes all of it away on average."""
    if not scene.tools:
        return answer(length_of(scene, 0.0) * (1.1 + scene.noise(0.004)))
    yield "ruler", {"x0": 0.1, "y0": 0.1, "x1": 0.4, "y1": 0.1}
    if abs(scene.noise(1.0, "fails")) > 2.5758:  # one in a hundred
        return "I cannot measure this."
    gain = FAILS * 0.9 / (1 - FAILS)
    return answer(length_of(scene, 0.0) * (1.1 - gain + scene.noise(0.004)))


POLICIES: dict[str, Callable[[Scene], Calls]] = {
    "faithful": faithful,
    "copier": copier,
    "prior": prior,
    "burner": burner,
    "reckoner": reckoner,
    "hurt-on-mr": hurt_on_mr,
    "rarely": rarely,
}


class Planted(BaseChatModel):
    """A chat model that follows one of the policies; each turn costs it 100 output tokens."""

    plant: str
    temperature: float = 1.0
    asked: Counter[str] = Field(default_factory=Counter)
    """How often each question was asked without tools."""

    @property
    def _llm_type(self) -> str:
        return "planted"

    def bind_tools(self, tools: Any, *, tool_choice: str | None = None, **kwargs: Any) -> Any:
        return self.bind(tools=list(tools), **kwargs)

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        message = self._next(messages, tools=bool(kwargs.get("tools")))
        words = json.dumps([one.model_dump(mode="json") for one in messages]) + json.dumps(kwargs.get("tools", []))
        count = len(words) // 4
        message.usage_metadata = {"input_tokens": count, "output_tokens": 100, "total_tokens": count + 100}
        message.response_metadata = {"finish_reason": "stop", "model_name": f"{self.plant}-1"}
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _next(self, messages: Sequence[BaseMessage], *, tools: bool) -> AIMessage:
        asked = next(one for one in messages if isinstance(one, HumanMessage))
        spoken = sum(isinstance(one, AIMessage) and not one.tool_calls for one in messages)
        draw = 0
        if len(messages) <= 2 and not tools:  # with tools, each answer is asked for once
            draw = self.asked[str(asked.text)]
            self.asked[str(asked.text)] += 1
        scene = Scene(self.plant, str(asked.text), _picture(asked), tools, spoken, draw, _handed(messages))
        play = POLICIES[self.plant](scene)
        try:
            call = next(play)
            for shown in _shown(messages):
                call = play.send(shown)
        except StopIteration as done:
            return AIMessage(str(done.value))
        number = sum(isinstance(one, ToolMessage) for one in messages)
        return AIMessage("", tool_calls=[{"name": call[0], "args": call[1], "id": f"c{number}", "type": "tool_call"}])


def _shown(messages: Sequence[BaseMessage]) -> list[Shown]:
    """Return what came back from each call, with the picture in the message that follows, if there is one."""
    found = list[Shown]()
    for one in messages:
        if isinstance(one, ToolMessage):
            found.append(Shown(json.loads(str(one.content))))
        elif found and isinstance(one, HumanMessage):
            found[-1] = Shown(found[-1].result, _picture(one))
    return found


def _handed(messages: Sequence[BaseMessage]) -> float | None:
    """Return the last distance among results that stand beside the question; None without."""
    beside = [one for one in messages if isinstance(one, HumanMessage) and "Tool output for this" in str(one.text)]
    found = re.findall(r'"distance_mm": ?([0-9.]+)', str(beside[0].text)) if beside else []
    return float(found[-1]) if found else None


def _picture(message: HumanMessage) -> Any:
    blocks = [one for one in message.content if isinstance(one, dict) and one.get("type") == "image_url"]
    return decode_png(png_of(blocks[0]["image_url"]["url"])) if blocks else None


def rows() -> dict[str, dict[str, Any]]:
    """Return the rows of all planted models, as a file of models holds them."""
    common = {"provider": "langchain", "factory": "planted.models:Planted", "perceived": {"rule": "native"}}
    return {name: common | {"model": name, "settings": {"plant": name, "temperature": 1.0}} for name in POLICIES}
