"""Offline models: chat models that follow a short written policy instead of weights.

They are deterministic, cost nothing and go through the same graph as any other model. A policy is a generator: it
yields tool calls, is sent each call's reply, and returns the text of its final message. The model itself keeps no
state: at every turn the policy is replayed from the start over the tool messages of the conversation.
"""

import json
import re
from abc import abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from medvision_agent.agent.chat.chat import png_of
from medvision_agent.agent.policies.brief import Brief
from medvision_agent.prompts.render import render
from medvision_agent.quantity import Quantity
from medvision_agent.tools.view.frames import MEDVISION, Frame
from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.png import decode_png
from medvision_agent.tools.view.slice import Grey
from medvision_agent.version import VERSION

__all__ = [
    "Calls",
    "Look",
    "OfflineModel",
    "Policy",
    "PolicyModel",
    "Unit",
    "clipped",
    "cropped",
    "final",
    "measured",
]


@dataclass(frozen=True, eq=False)
class Look:
    """What a policy can see: the first image, the numbers in the prompt, and the tools it may call."""

    brief: Brief
    picture: Callable[[], Grey]
    text: str
    tools: frozenset[str] = field(default_factory=frozenset)
    frame: Frame = MEDVISION
    """Coordinate frame of the final box; everything else a policy writes and reads is in MedVision's frame."""

    def stated(self, key: str) -> float:
        """Return a number that the prompt gives as ``key = number``; raises ValueError where it does not."""
        found = re.search(rf"\b{re.escape(key)} = ([0-9.]+[0-9])", self.text)
        if found is None:
            raise ValueError(
                f"this offline model needs the text '{key} = NUMBER' in the prompt, which does not have it"
            )
        return float(found[1])

    def final_box(self, box: Sequence[float], decimals: int) -> str:
        """Return a final message with *box*, converted from MedVision's frame to the model's frame.

        *decimals* is the number of decimals in MedVision's frame; it is adapted to the decimals of the model's frame.
        """
        if self.frame == MEDVISION:
            return final(*box, decimals=decimals)
        numbers = self.frame.box_from_medvision(box, Size(*self.picture().shape))
        return final(*numbers, decimals=decimals + self.frame.box_decimals - MEDVISION.box_decimals)

    def field_mm(self) -> tuple[float, float]:
        """Return the physical (width, height) of the image in mm, from its pixels and the pixel size in the prompt."""
        height, width = self.picture().shape
        return width * self.stated("width_mm_per_px"), height * self.stated("height_mm_per_px")


class NoPictureError(Exception):
    """Raised if a policy needs the image and the question has none."""


Reading = dict[str, Any]
"""A tool's reply as the policy gets it: the JSON result without withheld fields, or ``{"error": text}``."""
Policy = Callable[[Look], Generator[tuple[str, dict[str, Any]], Reading, str]]


def final(*values: float, decimals: int) -> str:
    """Return a final message with *values* between answer tags, each with so many *decimals*."""
    return f"<answer>{', '.join(f'{value:.{decimals}f}' for value in values)}</answer>"


class OfflineModel(BaseChatModel):
    """A chat model without weights: the base class of the shipped offline models."""

    name: str | None = "offline"

    @property
    def _llm_type(self) -> str:
        return "medvision-agent-offline"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with *tools* (mappings) declared; tool choice ``none`` asks for a final message."""
        return self.bind(tools=list(tools), tool_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - LangChain's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        try:
            message = self.next_message(messages, **kwargs)
        except Exception as error:
            # Without this a bug in a policy would look like a provider's unreadable reply, and be tried again.
            raise RuntimeError(f"{self.name} failed: {error!r}") from error
        message.response_metadata = {"finish_reason": "stop", "model_name": f"{self.name} {VERSION}"}
        message.usage_metadata = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
        return ChatResult(generations=[ChatGeneration(message=message)])

    @abstractmethod
    def next_message(self, messages: list[BaseMessage], **kwargs: Any) -> AIMessage:
        """Return the next message of the conversation; kwargs hold ``tools``, ``tool_choice`` and ``brief``."""

    @staticmethod
    def calls(calls: Sequence[tuple[str, dict[str, Any]]], messages: Sequence[BaseMessage]) -> AIMessage:
        """Return a message of tool calls with ids that are new in this conversation."""
        offset = sum(isinstance(message, ToolMessage) for message in messages)
        return AIMessage(
            "",
            tool_calls=[
                ToolCall(name=name, args=arguments, id=f"call_{offset + number}", type="tool_call")
                for number, (name, arguments) in enumerate(calls)
            ],
        )


class PolicyModel(OfflineModel):
    """An offline model that follows a policy: at every turn it replays the policy over the tool replies so far."""

    policy: Policy
    frame: Frame = MEDVISION

    def next_message(self, messages: list[BaseMessage], **kwargs: Any) -> AIMessage:
        """Return the policy's next message after the tool replies in *messages*."""
        names = frozenset(tool["function"]["name"] for tool in kwargs.get("tools", ()))
        question = next(str(message.text) for message in messages if isinstance(message, HumanMessage))
        play = self.policy(Look(kwargs["brief"], lambda: _picture(messages), question, names, self.frame))
        readings = [_reading(message) for message in messages if isinstance(message, ToolMessage)]
        try:
            call = next(play)
            for reading in readings:
                call = play.send(reading)
            while kwargs.get("tool_choice") == "none":
                call = play.send({"error": "no further tool call is possible"})
        except StopIteration as done:
            return AIMessage(str(done.value))
        except NoPictureError:
            return AIMessage("There is no picture to look at.")
        return self.calls([call], messages)


def _reading(message: ToolMessage) -> Reading:
    text = str(message.content)
    if text.startswith("Error:"):
        return {"error": text}
    withheld = render("withheld")
    return {key: value for key, value in json.loads(text).items() if value != withheld}


def _picture(messages: Sequence[BaseMessage]) -> Grey:
    """Return the decoded image of the question, as any vision model sees it."""
    question = next(message for message in messages if isinstance(message, HumanMessage))
    for block in question.content:
        if isinstance(block, dict) and block.get("type") == "image_url":
            return decode_png(png_of(block["image_url"]["url"]))
    raise NoPictureError


Unit = tuple[float, float]
"""A point in MedVision's frame of a view: x to the right, y up, 0..1."""
Calls = Generator[tuple[str, dict[str, Any]], Reading, Any]


def clipped(x0: float, y0: float, x1: float, y1: float) -> dict[str, float]:
    """Return the arguments of a tool for a region of the image, in MedVision's frame (0..1), clipped to the image."""
    return {"x0": max(0.0, x0), "y0": max(0.0, y0), "x1": min(1.0, x1), "y1": min(1.0, y1)}


def cropped(look: Look, region: Mapping[str, float], zoom: float, points: Sequence[Unit]) -> Calls:
    """Yield a call that crops *region* of the whole image, if the tool ``crop`` is offered.

    Return the view to continue in, *points* in its coordinates, and its corners x0, y0, x1, y1 in the whole image.
    Without a crop, this is the whole image.
    """
    taken = (yield "crop", {"view": "v0", "zoom": zoom, **region}) if "crop" in look.tools else {}
    if "v0_x0" not in taken:
        return "v0", points, (0.0, 0.0, 1.0, 1.0)
    x0, y0, x1, y1 = corners = taken["v0_x0"], taken["v0_y0"], taken["v0_x1"], taken["v0_y1"]
    return taken["view"], [((x - x0) / (x1 - x0), (y - y0) / (y1 - y0)) for x, y in points], corners


def measured(look: Look, quantity: Quantity, view: str, points: Sequence[Unit]) -> Calls:
    """Yield a call of the first offered tool that measures *quantity* from so many *points*, and return its value.

    None where no such tool is offered, or where its reply has no value (an error, or a withheld number).
    """
    flat = [value for point in points for value in point]
    for tool in look.brief.tools:
        taken = tool.measurand(quantity)
        if tool.name not in look.tools or tool.solver or taken is None:
            continue
        if [len(names) for names in taken.points] == [len(flat)]:
            reading = yield tool.name, {"view": view, **dict(zip(taken.points[0], flat, strict=True))}
            return reading.get(taken.fields[0])
    return None
