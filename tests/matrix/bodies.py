"""Replies that mean harm, as a server may send them under status 200 or any other."""

import json

from fake.replies import calls, cut, raw, text

from matrix.inputs import Made

ENDS = frozenset({0, 1, 2})
DEEP = "[" * 20_000 + "]" * 20_000


def _chat(message: str, usage: str = '{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}') -> dict:
    """Return a body of chat completions with this JSON as its message; on Gemini's wire it is no reply."""
    choice = f'{{"index": 0, "finish_reason": "stop", "message": {message}}}'
    head = '"id": "x", "object": "chat.completion", "created": 1, "model": "m"'
    return raw(f'{{{head}, "choices": [{choice}], "usage": {usage}}}')


def _said(words: str) -> dict:
    return text(words)


_OK = '{"role": "assistant", "content": "<answer>8.0</answer>"}'
BODIES = {
    name: Made(reply, ENDS)
    for name, reply in {
        "blank": raw(" "),
        "null": raw("null"),
        "a number": raw("7"),
        "a text": raw('"<answer>8</answer>"'),
        "a list": raw("[]"),
        "half of JSON": raw('{"choices": [{"mess'),
        "no UTF-8": raw('{"choices": "\x00\x01"}'),
        "deep brackets": raw(DEEP),
        "deep brackets as the message": _chat(DEEP),
        "numbers without end": _chat(_OK, f'{{"prompt_tokens": {"9" * 5000}}}'),
        "usage below nothing": _chat(_OK, '{"prompt_tokens": -5, "completion_tokens": -5, "total_tokens": -10}'),
        "usage infinite": _chat(_OK, '{"prompt_tokens": 1e999, "completion_tokens": NaN, "total_tokens": "x"}'),
        "usage a list": _chat(_OK, "[1]"),
        "content a number": _chat('{"role": "assistant", "content": 7}'),
        "content an object": _chat('{"role": "assistant", "content": {"a": 1}}'),
        "content a list of anything": _chat('{"role": "assistant", "content": [1, null, {"type": "image_url"}]}'),
        "half a character": _chat('{"role": "assistant", "content": "\\ud800<answer>8.0</answer>"}'),
        "calls a text": _chat('{"role": "assistant", "content": null, "tool_calls": "ruler"}'),
        "a call of nothing": _chat('{"role": "assistant", "content": "", "tool_calls": [null, {"function": null}]}'),
        "a role of its own": _chat('{"role": "system", "content": "<answer>8.0</answer>"}'),
        "a terminal is steered": _said("\x1b[2J\x1b]0;x\x07<answer>8.0</answer>"),
        "letters that turn the line": _said("\u202e<answer>8.0</answer>\u2066"),
        "a page": raw("<html><script>alert(1)</script></html>", content_type="text/html"),
        "a page with a script as the answer": _said("<script>alert(1)</script><answer>8.0</answer>"),
        "two million letters": _said("x" * 2_000_000),
        "a million brackets": _said("<answer>" * 100_000),
        "a hundred thousand numbers": _said("<answer>" + "1 " * 100_000 + "</answer>"),
        "a number of many digits": _said(f"<answer>{'9' * 20_000}</answer>"),
        "a call without end": calls(*[("ruler", {})] * 500),
        "a tool that is a path": calls(("../../etc/passwd", {})),
        "a tool of many letters": calls(("x" * 100_000, {})),
        "a tool that steers a terminal": calls(("\x1b[2J", {"\x07": "\x1b"})),
        "deep arguments": calls(("ruler", json.loads("[" * 200 + "]" * 200))),
        "arguments that are no object": calls(("ruler", "[1, 2]")),
        "arguments of many digits": calls(("ruler", {"view": "v0", "x0": 10**300, "y0": 0, "x1": 1, "y1": 1})),
        "cut off": cut(text("<answer>8.0</answer>")),
        "a status of none": raw("{}", status=299),
        "a long error": raw(json.dumps({"error": {"message": "x" * 10**6, "code": 500}}), status=500),
        "an error that steers a terminal": raw(json.dumps({"error": {"message": "\x1b[2J\u202e"}}), status=400),
        "an error that is a list": raw("[[]]", status=500),
        "deep brackets as an error": raw(DEEP, status=500),
    }.items()
}
