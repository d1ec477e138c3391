"""Convert generated tokens to a message: text, tool calls and the reason to stop.

If the tokenizer (or the row) has a response template, transformers' parser takes thoughts and tool calls out of
the text; otherwise the text is the reply. Thoughts are kept separately, for the trace and for templates that show them
again in a tool loop. Calls that cannot be read become invalid calls, which the agent answers.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from langchain_core.messages import AIMessage, InvalidToolCall, ToolCall
from langchain_core.messages.ai import UsageMetadata

from medvision_agent.agent.providers.local.engine import Engine, Generated, Request
from medvision_agent.errors import ConfigError

__all__ = ["check_reading", "message_of"]


def check_reading(engine: Engine) -> None:
    """Raise ConfigError if replies of this model cannot be parsed in the way its row says."""
    config, template = engine.config, _template(engine)
    if template is None and config.tool_calling == "native":
        raise ConfigError(
            f"model {config.model}: its tokenizer has no template for reading tool calls from a reply: give "
            "`response_template` in its row, or set `tool_calling: text`."
        )
    if template is not None:
        try:
            engine.processor.parse_response("", template, prefix="")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigError(
                f"model {config.model}: the response_template of its row or of its tokenizer cannot be used: {error}. "
                "Correct `response_template` in its row, or set `tool_calling: text`."
            ) from None


def message_of(engine: Engine, request: Request, generated: Generated) -> AIMessage:
    """Return a generated reply as a message: text, tool calls, thoughts, token counts and the finish reason."""
    said = _said(engine, request, generated)
    counts = UsageMetadata(
        input_tokens=len(generated.prompt),
        output_tokens=generated.tokens,
        total_tokens=len(generated.prompt) + generated.tokens,
    )
    return AIMessage(
        said.text,
        tool_calls=list(said.calls),
        invalid_tool_calls=list(said.invalid),
        additional_kwargs={"reasoning_content": said.thoughts} if said.thoughts else {},
        usage_metadata=counts,
        response_metadata={
            "finish_reason": "stop" if generated.ended else "length",
            "model_name": engine.version,
        },
    )


def _template(engine: Engine) -> Any:
    return engine.config.response_template or getattr(engine.processor.tokenizer, "response_template", None)


class _Said(NamedTuple):
    text: str
    calls: Sequence[ToolCall] = ()
    invalid: Sequence[InvalidToolCall] = ()
    thoughts: str = ""


def _said(engine: Engine, request: Request, generated: Generated) -> _Said:
    text = engine.decode(generated.reply)
    template = _template(engine)
    if template is None:
        return _Said(text)
    native = engine.config.tool_calling == "native"
    try:
        parsed = engine.processor.parse_response(
            generated.reply, template, prefix=generated.prompt, tools=request.tools or None
        )
        calls = list(parsed.get("tool_calls") or [])
        content = str(parsed.get("content") or "")
        thoughts = str(parsed.get("reasoning_content") or parsed.get("thinking") or "")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # With calls in text, another parser reads them.
        return _Said(text, invalid=[_unreadable(text, str(error))] if native else [])
    if not native:
        return _Said(text if calls else content, thoughts=thoughts)
    read, unread = [], []
    for call in calls:
        good = _call(call)
        if good is None:
            unread.append(_unreadable(json.dumps(call, default=str), "no name or no object of arguments"))
        else:
            read.append(good)
    return _Said(content, read, unread, thoughts)


def _call(call: Any) -> ToolCall | None:
    """Return a parsed call; None if it has no name, or its arguments are not a JSON object."""
    function = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return None
    arguments = function.get("arguments", {})
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            return None
    if not isinstance(arguments, dict):
        return None
    return ToolCall(name=function["name"], args=arguments, id=_id(), type="tool_call")


def _unreadable(text: str, why: str) -> InvalidToolCall:
    return InvalidToolCall(name=None, args=text, id=_id(), error=why[:300], type="invalid_tool_call")


def _id() -> str:
    return uuid4().hex[:9]  # nine letters and digits suit every template
