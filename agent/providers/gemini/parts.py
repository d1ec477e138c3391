"""Convert parts of a Gemini reply to content blocks, and read the code runs in them.

Contract: nothing is lost or renamed. Outcomes keep their names, empty outputs stay, code and results keep their ids,
images become image blocks (which a trace stores by hash), and unknown parts are kept unchanged.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from google.genai import types

from medvision_agent.agent.chat.chat import data_url, png_of
from medvision_agent.agent.chat.code_run import CodeRun

__all__ = ["Block", "block_of", "code_runs"]

Block = dict[str, Any]
CODE, RESULT = "executable_code", "code_execution_result"
_OK = types.Outcome.OUTCOME_OK.value


def block_of(part: types.Part) -> Block:
    """Return one part of a Gemini reply as a content block of a message."""
    if part.text is not None:
        return {"type": "thinking", "thinking": part.text} if part.thought else {"type": "text", "text": part.text}
    if (code := part.executable_code) is not None:
        return {"type": CODE, "code": code.code or "", "language": _name(code.language), "id": code.id}
    if (result := part.code_execution_result) is not None:
        return {"type": RESULT, "outcome": _name(result.outcome), "output": result.output, "id": result.id}
    if (data := part.inline_data) is not None and data.data is not None:
        if data.mime_type == "image/png":
            return {"type": "image_url", "image_url": {"url": data_url(data.data)}}
        content = base64.b64encode(data.data).decode("ascii")
        return {"type": "inline_data", "mime_type": data.mime_type, "base64": content}
    return {"type": "other", "part": part.model_dump(mode="json", exclude_none=True)}


def _name(value: Any) -> str:
    """Return the provider's word, which the SDK turns into an enum if it knows the word."""
    return "" if value is None else str(getattr(value, "value", value))


def code_runs(blocks: Sequence[Any]) -> tuple[CodeRun, ...]:
    """Return the runs of code in their order: a result belongs to the code of its id, else to the code before it.

    Pictures belong to the run before them.
    """
    parts = [block for block in blocks if isinstance(block, dict)]
    return tuple(_with_pictures(parts, list(_paired(parts))))


def _paired(blocks: Sequence[Block]) -> Iterator[tuple[int, CodeRun]]:
    """Yield each run of code with the index in *blocks* where it begins."""
    taken: set[int] = set()
    for at, block in enumerate(blocks):
        if block.get("type") == CODE:
            found = _result_of(block, at, blocks, taken)
            yield at, _run(block, None if found is None else blocks[found])
            taken |= {found} if found is not None else set()
        elif block.get("type") == RESULT and at not in taken:
            yield at, _run(None, block)


def _result_of(code: Block, at: int, blocks: Sequence[Block], taken: set[int]) -> int | None:
    later = [n for n in range(at + 1, len(blocks)) if blocks[n].get("type") == RESULT and n not in taken]
    same = [n for n in later if code["id"] and blocks[n]["id"] == code["id"]]
    if same:
        return same[0]
    after = next((n for n in range(at + 1, len(blocks)) if blocks[n].get("type") in (CODE, RESULT)), None)
    # Match by place only if the ids do not contradict it.
    return after if after in later and not (code["id"] and blocks[after]["id"]) else None


def _run(code: Block | None, result: Block | None) -> CodeRun:
    outcome = result["outcome"] if result else ""
    return CodeRun(
        id=(code or result or {})["id"] or "",
        code=code["code"] if code else None,
        language=code["language"] if code else "",
        outcome=outcome,
        output=(result["output"] or "") if result else "",
        ok=outcome == _OK,
    )


def _with_pictures(blocks: Sequence[Block], placed: Sequence[tuple[int, CodeRun]]) -> Iterator[CodeRun]:
    starts = [at for at, _ in placed]
    for (start, run), end in zip(placed, [*starts[1:], len(blocks)], strict=False):
        urls = [block["image_url"]["url"] for block in blocks[start:end] if block.get("type") == "image_url"]
        yield replace(run, pictures=tuple(map(png_of, urls)))
