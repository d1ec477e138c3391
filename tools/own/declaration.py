"""Finds problems in a tool's declaration before any call: in its words, and in each provider's conversion."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from medvision_agent.tools.base import Arguments, Tool
from medvision_agent.tools.registry.offers import unfit_name
from medvision_agent.tools.view.frames import FRAMES

__all__ = ["problems", "refusals"]

_KEYS = {"type", "description", "default", "enum", "minimum", "maximum"}
_KINDS = {"string", "number", "integer"}
_PLACE = re.compile(r"(^|_|^[a-z])[xy]\d*$")
"""Names of arguments that are coordinates."""
_DIRECTIONS = (
    "upward",
    "upwards",
    "downward",
    "downwards",
    "top",
    "bottom",
    "lower-left",
    "top-left",
    "upper",
    "lower",
)


def problems(tool: Tool) -> Iterator[str]:
    """Yield a sentence for each part of a tool's declaration that providers drop, or that misleads a model."""
    if problem := unfit_name(tool.name):
        yield problem
    if len(tool.description) < 40:
        yield "its docstring, which is what a model reads, has fewer than 40 characters; say what the tool does"
    kind: type = tool.arguments
    if not issubclass(kind, Arguments):
        yield (
            f"its argument model {kind.__name__} is not a subclass of medvision_agent.tools.Arguments, which refuses "
            "unknown names and numbers that are not finite"
        )
    schema = tool.arguments.model_json_schema()
    for name, one in schema.get("properties", {}).items():
        yield from (f"argument {name}: {problem}" for problem in _of_argument(name, one))
    text = (
        f"{tool.description} {' '.join(str(one.get('description')) for one in schema.get('properties', {}).values())}"
    )
    if told := sorted(set(re.findall(r"[a-z-]+", text.lower())) & set(_DIRECTIONS)):
        yield (
            f"its docstring or descriptions say {', '.join(told)}; leave such words out: in some coordinate "
            "conventions y runs upwards, in others downwards, and only the prompt states which"
        )
    for name, one in tool.result.model_json_schema().get("properties", {}).items():
        kinds = {kind.get("type") for kind in one.get("anyOf", [one])} | ({"string"} if "$ref" in str(one) else set())
        if not kinds <= _KINDS | {"boolean", "null", None}:
            yield (
                f"result {name}: must be a number, a text or a boolean; lists and nested objects are not allowed, "
                "because the controls of a study withhold a result field by field"
            )
        if name == "picture":
            yield "result picture: this name is reserved for the picture that a tool returns; rename the field"
    if not tool.result.model_fields:
        yield f"its result model {tool.result.__name__} has no fields; give it at least one"


def _of_argument(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each problem in the schema of the argument *name*."""
    if schema.get("type") not in _KINDS:
        yield "must be a number, an integer, a text, or one of several texts (Literal); some providers drop other types"
        return
    if unknown := sorted(schema.keys() - _KEYS - {"title"}):
        yield f"its schema has {', '.join(unknown)}, which some providers drop; say it in the description instead"
    words = str(schema.get("description", ""))
    if not words:
        yield "has no description; give Field(description=...)"
    if "default" in schema:
        default = schema["default"] if isinstance(schema["default"], str) else f"{schema['default']:g}"
        if f"({default} if left out)" not in words:
            yield (
                f"its description must contain the words ({default} if left out), because some providers drop the "
                "default itself"
            )
    if schema["type"] != "string" and _PLACE.search(name) and not ("{width}" in words or "{height}" in words):
        yield (
            "its name is that of a coordinate, so its description must state the range with {width} (for x) or "
            "{height} (for y), which each coordinate convention replaces by its own number"
        )


def refusals(tool: Tool) -> Iterator[str]:
    """Yield a sentence for each provider whose conversion refuses or changes the declaration in a coordinate frame."""
    from google.genai import types  # noqa: PLC0415 - heavy
    from langchain_core.utils.function_calling import convert_to_openai_tool  # noqa: PLC0415

    for frame in FRAMES.values():
        schema = tool.schema(frame)
        function = schema["function"]
        try:
            if convert_to_openai_tool(schema) != schema:
                yield f"OpenAI and LangChain ({frame.name}): LangChain's conversion changes the declaration"
            strict = convert_to_openai_tool(schema, strict=True)["function"]["parameters"]
            if strict.get("additionalProperties") is not False:
                yield f"OpenAI ({frame.name}): the converted declaration allows arguments that it does not declare"
            parameters = {key: value for key, value in function["parameters"].items() if key != "additionalProperties"}
            declared = types.FunctionDeclaration(
                name=function["name"],
                description=function["description"],
                parameters=types.Schema.model_validate(parameters),
            )
            if declared.parameters is None or list(declared.parameters.properties or {}) != list(
                parameters["properties"]
            ):
                yield f"Gemini ({frame.name}): the converted declaration lacks some of the arguments"
        except Exception as error:  # noqa: BLE001 - a provider's library may raise anything
            yield f"{frame.name}: {type(error).__name__}: {str(error)[:200]}"
