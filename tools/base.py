"""What every tool is: a name, an argument model, a text for the model, a pure function, a typed result.

Contract: ``Tool.call`` never raises for anything a model wrote. Bad arguments come back as a reply whose text
starts with ``Error:`` and says what was wrong and what is allowed. Every number in a result is finite.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from inspect import cleandoc
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from medvision_agent.errors import ToolError
from medvision_agent.tools.view.frames import MEDVISION, Frame
from medvision_agent.tools.view.png import Picture
from medvision_agent.tools.view.views import ViewSet

__all__ = ["Arguments", "Output", "Reply", "Result", "Tool", "tool"]


class Arguments(BaseModel):
    """Base of all argument models: unknown keys, non-finite numbers and booleans are refused.

    Only flat floats, strings and enums: tuples and lists do not survive every provider's schema conversion.
    Ranges stand in the field descriptions too, because some providers drop ``ge`` and ``le``. Coordinates have no
    bounds here: ``from 0 to {width}`` (x) and ``from 0 to {height}`` (y) say them in the frame the model speaks.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_boolean(cls, value: Any) -> Any:
        # Pydantic reads true as 1.0, and a point would be measured that nobody gave.
        if isinstance(value, bool):
            raise PydanticCustomError("boolean", "Input should be a number or a text, not true or false")
        return value


class Result(BaseModel):
    """Base of all typed results; field names carry the unit. A non-finite number is refused here."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


@dataclass(frozen=True, eq=False)
class Output:
    """What a tool's function returns: a typed result and, where it helps, a picture."""

    result: Result
    picture: Picture | None = None


@dataclass(frozen=True, eq=False)
class Reply:
    """What goes back to the model: text (JSON, or ``Error: ...``) and perhaps a picture."""

    text: str
    ok: bool
    result: Mapping[str, Any] | None = None
    picture: Picture | None = None
    about_image: bool = False
    """An error that says something of the image, not of the arguments."""


@dataclass(frozen=True, eq=False)
class Tool:
    """A callable image tool."""

    name: str
    description: str
    """May hold the marks ``Frame.told`` replaces."""
    arguments: type[Arguments]
    function: Callable[[ViewSet, Any], Output]
    states_pixels: bool = False
    """Whether results count pixels as the model perceives them: not for a model whose size rule is not known."""
    result: type[Result] = Result
    """What a call returns, but for errors."""
    sees_image: bool = True
    """Whether anything in a result depends on the image or its spacing; if not, controls leave it alone."""
    overlay: str = ""
    """The part of the description that promises a picture of what was measured; empty for tools that draw none."""

    def without_overlay(self) -> "Tool":
        """Return the same tool without the picture of what it measured, and without the promise of it."""
        if not self.overlay:
            return self
        return replace(
            self,
            description=self.description.replace(self.overlay, ""),
            function=lambda views, args: Output(self.function(views, args).result),
            overlay="",
        )

    def schema(self, frame: Frame = MEDVISION) -> dict[str, Any]:
        """Return the function declaration exactly as a model that speaks *frame* gets it.

        The form is OpenAI's, which is read by all providers. Names and order of the arguments are the same in all
        frames.
        """
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": frame.told(self.description),
                "parameters": _plain(self.arguments.model_json_schema(), frame),
            },
        }

    def call(self, views: ViewSet, raw: Mapping[str, Any]) -> Reply:
        """Validate *raw* arguments, run the tool and return a reply; never raises for bad arguments."""
        try:
            output = self.function(views, self.arguments.model_validate(dict(raw)))
        except ValidationError as error:
            return Reply(f"Error: {_complaint(error)}", ok=False)
        except ToolError as error:
            return Reply(f"Error: {error}", ok=False, about_image=error.about_image)
        result = output.result.model_dump(mode="json")
        return Reply(json.dumps(result), True, result, output.picture)


def tool(
    arguments: type[Arguments],
    result: type[Result],
    *,
    states_pixels: bool = False,
    sees_image: bool = True,
    overlay: str = "",
) -> Callable[[Callable[[ViewSet, Any], Output]], Tool]:
    """Make a Tool of a function: its name and its docstring are what the model reads.

    *overlay* is the part of the docstring that promises a picture of what was measured.
    """

    def wrap(function: Callable[[ViewSet, Any], Output]) -> Tool:
        description = cleandoc(function.__doc__ or "")
        if overlay not in description:
            raise ValueError(f"{function.__name__}: its docstring does not hold {overlay!r}")
        name = function.__name__
        return Tool(name, description, arguments, function, states_pixels, result, sees_image, overlay)

    return wrap


def _complaint(error: ValidationError) -> str:
    """Say in one line what was wrong with each argument, without echoing long input."""
    parts = []
    for item in error.errors(include_url=False, include_context=False)[:4]:
        name = ".".join(str(part)[:40] for part in item["loc"]) or "arguments"
        # A made-up name may hold line breaks, or half a character that no file can store.
        parts.append(f"{name if name.isprintable() else ascii(name)}: {item['msg']}")
    return "; ".join(parts)


def _plain(schema: Any, frame: Frame) -> Any:
    """Drop pydantic's generated titles, which tell a model nothing, and put descriptions in words of the frame."""
    if isinstance(schema, dict):
        kept = {key: value for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
        return {
            key: frame.told(value) if key == "description" and isinstance(value, str) else _plain(value, frame)
            for key, value in kept.items()
        }
    if isinstance(schema, list):
        return [_plain(value, frame) for value in schema]
    return schema
