"""The form of every tool: a name, an argument model, a text for the model, a pure function, a typed result.

Contract: for any text of a model and any behaviour of a tool, ``Tool.call`` raises only a ToolServiceError: a
service behind the tool failed, so that nothing can be said of the model. Bad arguments come back as a
reply whose text starts with ``Error:`` and says what was wrong and what is allowed; a tool that itself fails ends its
call in the same way, and says why in ``Reply.failure``. Every number in a result is finite, every text is bounded.
"""

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from inspect import cleandoc
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from medvision_agent.errors import ToolError, ToolServiceError
from medvision_agent.quantity import Quantity
from medvision_agent.text import printable
from medvision_agent.tools.segment.truth import Truth
from medvision_agent.tools.segment.variant import Method, Variant
from medvision_agent.tools.view.drawn import Drawn
from medvision_agent.tools.view.frames import MEDVISION, Frame
from medvision_agent.tools.view.png import Picture
from medvision_agent.tools.view.views import ViewSet

__all__ = ["RESULT_TEXT", "Arguments", "Measurand", "Measures", "Output", "Reply", "Result", "Tool", "tool"]

RESULT_TEXT = 16_000
"""Longest result in characters of JSON; a call that returns more has failed."""
_WORDS = 1000
"""Longest error or caption in characters; more is cut."""
_SHAPES = 16
"""Largest number of shapes that a call leaves in the trace."""


class Arguments(BaseModel):
    """Base of all argument models: unknown keys, non-finite numbers and booleans are refused.

    Only flat floats, strings and enums: tuples and lists do not survive every provider's schema conversion. Ranges
    stand in the descriptions too, because some providers drop ``ge`` and ``le``. Coordinates have their range in the
    description alone, as ``from 0 to {width}`` (x) or ``{height}`` (y), which the model's frame replaces by numbers.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_boolean(cls, value: Any) -> Any:
        # Pydantic reads true as 1.0, so the tool would measure a point that the model did not give.
        if isinstance(value, bool):
            raise PydanticCustomError("boolean", "Input should be a number or a text, not true or false")
        return value


class Result(BaseModel):
    """Base of all typed results; field names carry the unit. A non-finite number is refused here."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


@dataclass(frozen=True, slots=True)
class Measurand:
    """One quantity that a tool measures: the result fields with its values, and the points behind each value."""

    quantity: Quantity
    fields: tuple[str, ...]
    """Fields of the result: as many values of the quantity, or the four corners of one box in coordinates of v0."""
    points: tuple[tuple[str, ...], ...] = ()
    """For each value the names of x and y of its points, in the view that ``view`` names: arguments, or, of a solver,
    fields of the result. Empty where no points determine a value."""
    in_v0: tuple[tuple[str, ...], ...] = ()
    """The same points as fields of the result, in coordinates of v0: of a tool that takes points of several views."""


@dataclass(frozen=True, slots=True)
class Measures:
    """The quantities that a tool measures: enough to explain stored calls without the tool's code."""

    measurands: tuple[Measurand, ...] = ()
    solver: bool = False
    """Whether the tool finds the points of a structure by itself."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """The arguments that a call may leave out, with their values."""

    def of(self, quantity: Quantity) -> Measurand | None:
        """Return the measurand of *quantity*: which result fields have its values; None where the tool has none."""
        return next((one for one in self.measurands if one.quantity == quantity), None)


@dataclass(frozen=True, eq=False)
class Output:
    """The return value of a tool's function: a typed result and, where it helps, an image."""

    result: Result
    picture: Picture | None = None
    drawn: tuple[Drawn, ...] = ()
    """Shapes that were found, for readers of the stored run; the model never gets them."""


@dataclass(frozen=True, eq=False)
class Reply:
    """The reply to the model: text (JSON, or ``Error: ...``) and perhaps an image."""

    text: str
    ok: bool
    """Whether it is a result, not an error."""
    result: Mapping[str, Any] | None = None
    """The result as JSON data; None for an error."""
    picture: Picture | None = None
    about_image: bool = False
    """True for an error about the image, not about the arguments."""
    made: tuple[str, ...] = ()
    """Ids of the views that the call added."""
    failure: str = ""
    """The failure inside the tool, for the trace and the check of a tool; the model gets only the kind of error."""
    drawn: tuple[Drawn, ...] = ()
    """Shapes that the tool found, for the trace only."""


@dataclass(frozen=True, eq=False)
class Tool:
    """A tool that a model can call: its name, its declaration, and the function that computes a result."""

    name: str
    description: str
    """The text for the model; it may hold the marks that ``Frame.told`` replaces."""
    arguments: type[Arguments]
    """The model by which a call's arguments are validated and declared."""
    function: Callable[[ViewSet, Any], Output]
    """Computes the result from the views of the conversation and the validated arguments."""
    states_pixels: bool = False
    """Whether results state numbers of pixels as the model perceives them; if so, a model without a size rule cannot be
    given the tool."""
    result: type[Result] = Result
    """The type of a successful call's result."""
    sees_image: bool = True
    """Whether a result depends on the image or its spacing; if not, controls do not change the tool."""
    overlay: str = ""
    """The part of the description that promises a picture of what was measured; empty for tools that draw none."""
    measures: tuple[Measurand, ...] = ()
    """The quantities that a result measures, used by error analysis and the offline models."""
    solver: bool = False
    """Whether the tool finds the structure by itself, so that its result says little about what the model saw."""

    code_sha256: str = ""
    """Hash of the code of a tool from a file or a package; empty for the shipped ones, whose code has one hash."""
    outlines: Callable[[ViewSet, Any, Method], Output] | None = None
    """The function with the method to outline left open; None for a tool that does not outline."""
    method: Method | None = None
    """The method by which the function outlines; None for a tool that does not outline."""
    variant: Variant | None = None
    """The variant that replaces the tool's own method; None for the own method."""

    @property
    def label(self) -> str:
        """The name by which a condition chooses the tool: ``segment``, or with a variant ``segment@watershed``."""
        return self.name if self.variant is None else f"{self.name}@{self.variant.name}"

    def varied(self, variant: Variant) -> "Tool":
        """Return the tool with the method of *variant*; itself for its own one, ValueError if it does not outline."""
        if variant.method is self.method:
            return self
        return replace(self._with(variant.method), variant=variant)

    def told(self, truth: Truth | None) -> "Tool":
        """Return the tool, its variant given the ground truth; the same tool if that needs none, or *truth* is None."""
        if self.variant is None or self.variant.of is None or truth is None:
            return self
        return self._with(self.variant.of(truth))

    def _with(self, method: Method) -> "Tool":
        if self.outlines is None:
            raise ValueError(f"tool {self.name}: it does not outline structures, so it has no method to replace")
        return replace(self, function=_filled(self.outlines, method), method=method)

    @property
    def measuring(self) -> Measures:
        """What the tool's results measure, with the defaults of the arguments that a call may leave out."""
        fields = self.arguments.model_fields.items()
        return Measures(
            self.measures, self.solver, {name: one.default for name, one in fields if not one.is_required()}
        )

    def measurand(self, quantity: Quantity) -> Measurand | None:
        """Return the measurand of *quantity*: which result fields have its values; None where the tool has none."""
        return self.measuring.of(quantity)

    def without_overlay(self) -> "Tool":
        """Return the same tool without the picture of what it measured, and without the promise of it."""
        if not self.overlay:
            return self
        return replace(
            self,
            description=self.description.replace(self.overlay, ""),
            function=_without_picture(self.function),
            outlines=self.outlines and _without_picture(self.outlines),
            overlay="",
        )

    def schema(self, frame: Frame = MEDVISION) -> dict[str, Any]:
        """Return the function declaration exactly as a model whose coordinate convention is *frame* gets it.

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
        """Validate *raw* arguments, run the tool and return a reply; raises ToolServiceError and nothing else."""
        try:
            return self._answered(views, raw)
        except ToolError as error:
            return Reply(f"Error: {_bounded(str(error))}", ok=False, about_image=error.about_image)
        except ToolServiceError:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the code of a tool may raise anything
            failure = _bounded(f"{type(error).__name__}: {error}")
            return Reply(f"Error: the tool failed ({type(error).__name__})", ok=False, failure=failure)

    def _answered(self, views: ViewSet, raw: Mapping[str, Any]) -> Reply:
        """Return the reply to a call with *raw* arguments; raises the function's errors, or one for an invalid output.

        An error of the argument model other than pydantic's ValidationError is raised too: there, the tool has failed.
        """
        try:
            arguments = self.arguments.model_validate(dict(raw))
        except ValidationError as error:
            return Reply(f"Error: {_complaint(error)}", ok=False)
        before = len(list(views))
        output: object = self.function(views, arguments)
        if not isinstance(output, Output) or not isinstance(output.result, self.result):
            kind = type(output.result if isinstance(output, Output) else output).__name__
            raise TypeError(f"{self.name} must return Output({self.result.__name__}(...)), but it returned {kind}")
        result = output.result.model_dump(mode="json")
        text = json.dumps(result)
        if len(text) > RESULT_TEXT:
            raise ValueError(
                f"the result of {self.name} has {len(text)} characters of JSON; at most {RESULT_TEXT} are sent to a "
                "model; return fewer or shorter fields"
            )
        made = tuple(view.id for view in views)[before:]
        return Reply(text, True, result, _sound(output.picture), made=made, drawn=_shapes(output.drawn))


def tool(
    arguments: type[Arguments],
    result: type[Result],
    *,
    states_pixels: bool = False,
    sees_image: bool = True,
    overlay: str = "",
    measures: Measurand | tuple[Measurand, ...] = (),
    solver: bool = False,
    method: Method | None = None,
) -> Callable[[Callable[..., Output]], Tool]:
    """Return a decorator that makes a Tool of a function; the model reads the function's name and docstring.

    The function takes the views of the conversation and the arguments, and returns an ``Output``.

    Args:
        arguments: The model of the arguments.
        result: The type of the result.
        states_pixels: Results state numbers of pixels as the model perceives them.
        sees_image: The result depends on the image or its spacing.
        overlay: The part of the docstring that promises a picture of what was measured.
        measures: The quantities that the result holds.
        solver: The function finds the points of a structure by itself.
        method: The usual method of a function that outlines, which takes the method as third argument; others come as
            variants of the tool.

    Raises ValueError if *overlay* is not in the docstring, or *measures* names what neither the arguments nor the
    result have.
    """
    own = (measures,) if isinstance(measures, Measurand) else measures

    def wrap(function: Callable[..., Output]) -> Tool:
        description = cleandoc(function.__doc__ or "")
        if overlay not in description:
            raise ValueError(
                f"tool {function.__name__}: its docstring does not contain the text that overlay= gives, {overlay!r}; "
                "copy that part of the docstring character by character, line breaks included"
            )
        name = function.__name__
        for one in own:
            _check(name, one, result.model_fields, (result if solver else arguments).model_fields)
        made = Tool(name, description, arguments, function, states_pixels, result, sees_image, overlay, own, solver)
        return made if method is None else replace(made, outlines=function)._with(method)

    return wrap


def _filled(function: Callable[..., Output], method: Method) -> Callable[[ViewSet, Any], Output]:
    @wraps(function)  # its module tells its origin
    def filled(views: ViewSet, args: Any) -> Output:
        return function(views, args, method)

    return filled


def _without_picture(function: Callable[..., Output]) -> Callable[..., Output]:
    @wraps(function)
    def bare(*args: Any) -> Output:
        return replace(function(*args), picture=None)

    return bare


def _check(name: str, one: Measurand, values: Container[str], points: Container[str]) -> None:
    """Raise ValueError where a measurand names a field that does not exist, or a wrong number of fields or points."""
    unknown = [field for field in one.fields if field not in values]
    unknown += [field for names in one.points for field in names if field not in points]
    unknown += [field for names in one.in_v0 for field in names if field not in values]
    if unknown:
        raise ValueError(
            f"tool {name}: its Measurand of {one.quantity.name} names {', '.join(unknown)}, but neither the arguments "
            "nor the result have a field of that name"
        )
    if one.points and len(one.points) != len(one.fields):
        raise ValueError(
            f"tool {name}: its Measurand of {one.quantity.name} names {len(one.fields)} fields, but the points of "
            f"{len(one.points)} values; give in points one tuple of names for each field"
        )
    points_of_value = 2 * one.quantity.points
    if points_of_value and any(len(names) != points_of_value for names in one.points):
        raise ValueError(
            f"tool {name}: its Measurand of {one.quantity.name} must name in points, for each value, x and y of "
            f"{one.quantity.points} points: {points_of_value} names"
        )
    if one.in_v0 and [len(names) for names in one.in_v0] != [len(names) for names in one.points]:
        raise ValueError(
            f"tool {name}: in its Measurand of {one.quantity.name}, in_v0 and points do not name the same number of "
            "coordinates for each value; in_v0 must name, for each coordinate in points, the result field that has it "
            "in coordinates of v0"
        )


def _bounded(text: str) -> str:
    """Return *text* cut to _WORDS characters, with escapes in place of characters that cannot be printed."""
    return printable(text if len(text) <= _WORDS else f"{text[:_WORDS]}... (cut)", lines=True)


def _sound(picture: Picture | None) -> Picture | None:
    """Return *picture* (None for None) with a bounded caption; raises TypeError for pixels that cannot be sent."""
    if picture is None:
        return None
    pixels: object = picture.pixels
    if (
        not isinstance(pixels, np.ndarray)
        or pixels.dtype != np.uint8
        or (pixels.ndim != 2 and pixels.shape[2:] != (3,))
        or 0 in pixels.shape
    ):
        raise TypeError(
            "the pixels of a tool's picture must be a numpy array of uint8 of shape (h, w) or (h, w, 3), with at "
            "least one pixel"
        )
    return replace(picture, caption=_bounded(picture.caption))


def _shapes(drawn: tuple[Drawn, ...]) -> tuple[Drawn, ...]:
    """Return the shapes that a tool drew; raises TypeError for other objects, or for too many shapes."""
    given: object = drawn
    if not isinstance(given, tuple) or len(given) > _SHAPES or not all(isinstance(one, Drawn) for one in given):
        raise TypeError(f"the field drawn of a tool's Output must be a tuple of at most {_SHAPES} objects Drawn")
    return drawn


def _complaint(error: ValidationError) -> str:
    """Return one line with the errors of the first four wrong arguments, without the values that were given."""
    parts = []
    for item in error.errors(include_url=False, include_context=False)[:4]:
        name = ".".join(str(part)[:40] for part in item["loc"]) or "arguments"
        # A made-up name may hold line breaks, or half a character that no file can store.
        parts.append(f"{name if name.isprintable() else ascii(name)}: {item['msg']}")
    return "; ".join(parts)


def _plain(schema: Any, frame: Frame) -> Any:
    """Return a JSON schema as a model gets it: without pydantic's titles, with descriptions in words of *frame*."""
    if isinstance(schema, dict):
        kept = {key: value for key, value in schema.items() if not (key == "title" and isinstance(value, str))}
        return {
            key: frame.told(value) if key == "description" and isinstance(value, str) else _plain(value, frame)
            for key, value in kept.items()
        }
    if isinstance(schema, list):
        return [_plain(value, frame) for value in schema]
    return schema
