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
    """Yield the problems of a declaration: parts that providers drop, or that mislead a model."""
    if problem := unfit_name(tool.name):
        yield problem
    if len(tool.description) < 40:
        yield "its docstring, which is what a model reads, says too little"
    kind: type = tool.arguments
    if not issubclass(kind, Arguments):
        yield "its arguments are no Arguments, which refuse unknown names and numbers that are not finite"
    schema = tool.arguments.model_json_schema()
    for name, one in schema.get("properties", {}).items():
        yield from (f"argument {name}: {problem}" for problem in _of_argument(name, one))
    text = (
        f"{tool.description} {' '.join(str(one.get('description')) for one in schema.get('properties', {}).values())}"
    )
    if told := sorted(set(re.findall(r"[a-z-]+", text.lower())) & set(_DIRECTIONS)):
        yield f"the texts say {', '.join(told)}: conventions differ, and only the prompt states the direction of y"
    for name, one in tool.result.model_json_schema().get("properties", {}).items():
        kinds = {kind.get("type") for kind in one.get("anyOf", [one])} | ({"string"} if "$ref" in str(one) else set())
        if not kinds <= _KINDS | {"boolean", "null", None}:
            yield f"result {name}: is no number and no text; controls withhold a result field by field"
        if name == "picture":
            yield "result picture: the name is taken by the picture of a reply"
    if not tool.result.model_fields:
        yield "its result has no fields"


def _of_argument(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    if schema.get("type") not in _KINDS:
        yield "must be a number, an integer, a text, or one of several texts (Literal); others get lost on the way"
        return
    if unknown := sorted(schema.keys() - _KEYS - {"title"}):
        yield f"has {', '.join(unknown)}, which not every provider takes; say it in the description"
    words = str(schema.get("description", ""))
    if not words:
        yield "has no description"
    if "default" in schema:
        default = schema["default"] if isinstance(schema["default"], str) else f"{schema['default']:g}"
        if f"({default} if left out)" not in words:
            yield f"its description does not say ({default} if left out); some providers drop the default itself"
    if schema["type"] != "string" and _PLACE.search(name) and not ("{width}" in words or "{height}" in words):
        yield "a coordinate says its range with the mark {width} (x) or {height} (y), because conventions differ"


def refusals(tool: Tool) -> Iterator[str]:
    """Yield which provider's conversion refuses or changes the declaration, in each coordinate convention."""
    from google.genai import types  # noqa: PLC0415 - heavy
    from langchain_core.utils.function_calling import convert_to_openai_tool  # noqa: PLC0415

    for frame in FRAMES.values():
        schema = tool.schema(frame)
        function = schema["function"]
        try:
            if convert_to_openai_tool(schema) != schema:
                yield f"OpenAI and LangChain ({frame.name}): the declaration comes out changed"
            strict = convert_to_openai_tool(schema, strict=True)["function"]["parameters"]
            if strict.get("additionalProperties") is not False:
                yield f"OpenAI ({frame.name}): arguments that are not declared would be taken"
            parameters = {key: value for key, value in function["parameters"].items() if key != "additionalProperties"}
            declared = types.FunctionDeclaration(
                name=function["name"],
                description=function["description"],
                parameters=types.Schema.model_validate(parameters),
            )
            if declared.parameters is None or list(declared.parameters.properties or {}) != list(
                parameters["properties"]
            ):
                yield f"Gemini ({frame.name}): arguments get lost"
        except Exception as error:  # noqa: BLE001 - a provider's library may raise anything
            yield f"{frame.name}: {type(error).__name__}: {str(error)[:200]}"
