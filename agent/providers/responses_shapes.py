"""Convert the output of the responses interface, in any form servers use, to the form that the adapter reads.

The adapter drops parts of a message that are not of type ``output_text`` and expects a ``custom_tool_call`` in a form
that does not apply here: no custom tool is ever declared, so such a call is a call of a declared function.
"""

from typing import Any

__all__ = ["read_output"]

_TEXT_PARTS = frozenset({"text", "output_text", "input_text", None})
_CUSTOM = "custom_tool_call"


def read_output(content: Any) -> bool:
    """Convert the output in the body of a response in place; return whether anything changed."""
    output = content.get("output") if isinstance(content, dict) else None
    if not isinstance(output, list):
        return False
    items = [_item(item) for item in output if isinstance(item, dict)]
    changed = items != output
    content["output"] = items
    return changed


def _item(item: dict[str, Any]) -> dict[str, Any]:
    if item.get("type") == _CUSTOM:
        call = {key: value for key, value in item.items() if key != "input"}
        item = {**call, "type": "function_call", "arguments": item.get("input")}
    if item.get("type") == "function_call" and not isinstance(item.get("call_id"), str):
        item = {**item, "call_id": str(item.get("id") or "")}
    return {**item, "content": _parts(item.get("content"))} if item.get("type") == "message" else item


def _parts(content: Any) -> list[dict[str, Any]]:
    parts = (_part(part) for part in (content if isinstance(content, list) else [content]))
    return [part for part in parts if part is not None]


def _part(part: Any) -> dict[str, Any] | None:
    if isinstance(part, str):
        part = {"text": part}
    if not isinstance(part, dict):
        return None
    if part.get("type") not in _TEXT_PARTS:
        return part
    if not isinstance(part.get("text"), str):
        return None
    annotations = part.get("annotations")
    return {**part, "type": "output_text", "annotations": annotations if isinstance(annotations, list) else []}
