"""The wire formats: replies written as each provider writes them, requests judged as strictly as each judges them."""

import base64
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from fake.replies import USAGE, Reply

Body = dict[str, Any]


class Call(NamedTuple):
    """A call as it is replayed."""

    id: str
    name: str
    arguments: str


def wire_of(path: str) -> str | None:
    """Return which interface a path belongs to."""
    if re.search(r"/v1beta/models/[^/]+:generateContent$", path):
        return "gemini"
    return {"/v1/chat/completions": "chat", "/v1/responses": "responses"}.get(path)


def answer(wire: str, reply: Reply, number: int) -> Body:
    """Return the body of a reply."""
    return {"gemini": _gemini, "chat": _chat, "responses": _responses}[wire](reply, number)


def error(wire: str, status: int, message: str, code: str | None = None, retry_info: str | None = None) -> Body:
    """Return the body of an error."""
    if wire != "gemini":
        return {"error": {"message": message, "type": "error", "param": None, "code": code}}
    names = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": retry_info}] if retry_info else []
    named = names.get(status, "INTERNAL")
    return {"error": {"code": status, "message": message, "status": code or named, "details": details}}


def _gemini(reply: Reply, number: int) -> Body:
    if "blocked_prompt" in reply:
        feedback = {"blockReason": reply["blocked_prompt"]}
        return {"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 777, "totalTokenCount": 777}}
    parts: list[Body] = [{"text": reply["thoughts"], "thought": True}] if reply.get("thoughts") else []
    parts += [{"text": words} for words in reply.get("texts", [])]
    parts += [{"functionCall": {"name": name, "args": args}} for name, args in reply.get("calls", [])]
    parts += [_gemini_step(step) for step in reply.get("steps", [])]
    candidate: Body = {"index": 0, "finishReason": reply.get("finish") or "STOP"}
    if parts:
        candidate["content"] = {"role": "model", "parts": parts}
    body: Body = {"candidates": [candidate], "modelVersion": "fake-gemini-001", "responseId": f"r{number}"}
    if usage := reply.get("usage", USAGE):
        body["usageMetadata"] = {
            "promptTokenCount": usage["input"],
            "candidatesTokenCount": usage["output"] - usage["reasoning"],
            "thoughtsTokenCount": usage["reasoning"],
            "cachedContentTokenCount": usage["cached"],
            "totalTokenCount": usage["input"] + usage["output"],
        }
        if "tool_use" in usage:
            body["usageMetadata"]["toolUsePromptTokenCount"] = usage["tool_use"]
    return body


def _gemini_step(step: Reply) -> Body:
    if "said" in step:
        return {"text": step["said"]}
    if "drew" in step:
        return {"inlineData": {"mimeType": step["mime_type"], "data": step["drew"]}}
    known = {"id": step["id"]} if step["id"] else {}
    if "ran" in step:
        return {"executableCode": {"language": "PYTHON", "code": step["ran"], **known}}
    output = {} if step["came"] is None else {"output": step["came"]}
    return {"codeExecutionResult": {"outcome": f"OUTCOME_{step['outcome']}", **output, **known}}


def _chat(reply: Reply, number: int) -> Body:
    message: Body = {"role": "assistant", "content": "".join(reply.get("texts", [])) or None}
    if "refusal" in reply:
        message["refusal"] = reply["refusal"]
    if reply.get("calls"):
        message["tool_calls"] = [
            {"id": f"call_{number}_{at}", "type": "function", "function": {"name": name, "arguments": _written(args)}}
            for at, (name, args) in enumerate(reply["calls"])
        ]
    finish = reply.get("finish") or ("tool_calls" if reply.get("calls") else "stop")
    # Some servers repeat a response id; so does this one, always.
    body: Body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "fake-gpt-001"}
    body["system_fingerprint"] = "fp_fake"
    body["choices"] = [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}]
    if usage := reply.get("usage", USAGE):
        body["usage"] = {
            "prompt_tokens": usage["input"],
            "completion_tokens": usage["output"],
            "total_tokens": usage["input"] + usage["output"],
            "prompt_tokens_details": {"cached_tokens": usage["cached"]},
            "completion_tokens_details": {"reasoning_tokens": usage["reasoning"]},
        }
    return body


def _responses(reply: Reply, number: int) -> Body:
    content: list[Body] = [{"type": "output_text", "text": t, "annotations": []} for t in reply.get("texts", [])]
    if "refusal" in reply:
        content.append({"type": "refusal", "refusal": reply["refusal"]})
    # Reasoning comes encrypted, as it does where nothing is stored.
    output: list[Body] = [{"type": "reasoning", "id": f"rs_{number}", "summary": [], "encrypted_content": "c2VjcmV0"}]
    if content:
        message = {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": "completed"}
        output.append({**message, "content": content})
    output += list(_responses_steps(reply.get("steps", []), number))
    for at, (name, args) in enumerate(reply.get("calls", [])):
        call = {"type": "function_call", "id": f"fc_{number}_{at}", "call_id": f"call_{number}_{at}"}
        output.append({**call, "name": name, "arguments": _written(args), "status": "completed"})
    finish = reply.get("finish")
    body: Body = {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": 1,
        "model": "fake-gpt-001",
        "status": "incomplete" if finish else "completed",
        "incomplete_details": {"reason": finish} if finish else None,
        "error": None,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    if usage := reply.get("usage", USAGE):
        body["usage"] = {
            "input_tokens": usage["input"],
            "output_tokens": usage["output"],
            "total_tokens": usage["input"] + usage["output"],
            "input_tokens_details": {"cached_tokens": usage["cached"]},
            "output_tokens_details": {"reasoning_tokens": usage["reasoning"]},
        }
    return body


def _responses_steps(steps: list[Reply], number: int) -> Iterator[Body]:
    for at, (step, after) in enumerate(zip(steps, [*steps[1:], {}], strict=False)):
        if "said" in step:
            content = [{"type": "output_text", "text": step["said"], "annotations": []}]
            message = {"type": "message", "id": f"msg_{number}_{at}", "role": "assistant", "status": "completed"}
            yield {**message, "content": content}
        elif "ran" in step:
            logs = after.get("came")
            yield {
                "type": "code_interpreter_call",
                "id": f"ci_{number}_{at}",
                "container_id": "cntr_1",
                "code": step["ran"],
                "status": "completed" if after.get("outcome") == "OK" else "failed",
                "outputs": [{"type": "logs", "logs": logs}] if logs else None,
            }


def _written(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


PROBE = "Reply with the one word: ready"
"""What is asked with and without declared tools, to see whether they are counted."""


def is_probe(wire: str, body: Body) -> bool:
    """Return whether a request is one of the two that compare prompts with and without declared tools."""
    if not wire:
        return False
    said = body.get({"gemini": "contents", "chat": "messages", "responses": "input"}[wire])
    return len(said or []) == 1 and PROBE in str(said[0])[:500]


def counted(body: Body) -> int:
    """Return about how many tokens a request has, its declarations included."""
    return len(json.dumps(body)) // 4


def turns(wire: str, body: Body) -> int:
    """Return how many turns the model had in the conversation of a request."""
    if wire == "responses":
        return sum(item.get("type") == "reasoning" for item in body["input"])
    role, items = ("model", body["contents"]) if wire == "gemini" else ("assistant", body["messages"])
    return sum(item.get("role") == role for item in items)


def complaint(wire: str, body: Body) -> str | None:
    """Return what the real service would refuse a conversation for, or None."""
    if wire == "gemini":
        return _gemini_settings_complaint(body) or _gemini_complaint(body["contents"])
    return _chat_complaint(body["messages"]) if wire == "chat" else _responses_complaint(body["input"])


def _gemini_settings_complaint(body: Body) -> str | None:
    tools = {kind for tool in body.get("tools", []) for kind in tool}
    if len(tools) > 1:
        return "built-in tools with function calling need tool_config.include_server_side_tool_invocations"
    as_json = body.get("generationConfig", {}).get("responseMimeType") == "application/json"
    return "code execution with a JSON reply is not supported" if "codeExecution" in tools and as_json else None


def _gemini_complaint(contents: list[Body]) -> str | None:
    for before, after in itertools.pairwise(contents):
        if before["role"] == after["role"] and not any("functionResponse" in part for part in before["parts"]):
            return f"two turns of the {after['role']} in a row"
    for said, replied in zip(contents, [*contents[1:], {"parts": []}], strict=True):
        wanted = [part["functionCall"]["name"] for part in said["parts"] if "functionCall" in part]
        given = [part["functionResponse"]["name"] for part in replied["parts"] if "functionResponse" in part]
        if said.get("role") == "model" and wanted != given:
            return "function responses must be as many as the function calls of the turn before, in order"
        if given and any("inlineData" in part for part in replied["parts"]):
            return "a picture beside function responses has no link to either"
    return None


def _chat_complaint(messages: list[Body]) -> str | None:
    open_calls: list[str] = []
    calls = [call for message in messages for call in message.get("tool_calls") or []]
    if complaint := _calls_complaint([Call(call["id"], **call["function"]) for call in calls]):
        return complaint
    for before, message in zip([{"role": ""}, *messages], messages, strict=False):
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_calls:
                return "a tool message must follow the tool call it answers"
            if not isinstance(message["content"], str) and any(part["type"] != "text" for part in message["content"]):
                return "tool message content only supports text"
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            break
        elif message["role"] == before["role"]:
            return f"two messages of the {message['role']} in a row"
        elif not message["content"] and not message.get("tool_calls"):
            return "a message without content"
        else:
            open_calls = [call["id"] for call in message.get("tool_calls") or []]
    return f"these tool calls were not answered: {open_calls}" if open_calls else None


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _calls_complaint(calls: list[Call]) -> str | None:
    """Return what is wrong with replayed calls, as the strictest server has it."""
    for call in calls:
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", call.name):
            return f"the name {call.name!r} of a tool does not match '^[a-zA-Z0-9_-]{{1,64}}$'"
        try:
            arguments = json.loads(call.arguments, parse_constant=_no_number)
        except ValueError as error:
            return f"the arguments of a call are not JSON: {error}"
        if not isinstance(arguments, dict):
            return "the arguments of a call are no object"
    ids = [call.id for call in calls]
    return "two calls have the same id" if len(ids) != len(set(ids)) else None


def _responses_complaint(items: list[Body]) -> str | None:
    calls = [item for item in items if item.get("type") == "function_call"]
    given = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    if complaint := _calls_complaint([Call(call["call_id"], call["name"], call["arguments"]) for call in calls]):
        return complaint
    wanted = [call["call_id"] for call in calls]
    return None if sorted(wanted) == sorted(given) else f"No tool output found for {set(wanted) ^ set(given)}"


def pictures(body: Any) -> Iterator[bytes]:
    """Yield every picture of a request, in order."""
    if isinstance(body, dict):
        inline = body.get("inlineData") or body.get("inline_data")
        if inline:
            yield base64.urlsafe_b64decode(inline["data"].replace("+", "-").replace("/", "_"))
            return
        body = list(body.values())
    if isinstance(body, list):
        for item in body:
            yield from pictures(item)
    elif isinstance(body, str) and body.startswith("data:image/png;base64,"):
        yield base64.b64decode(body.partition(",")[2])
