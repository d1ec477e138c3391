"""Why a reply stopped: one closed table of reasons for each interface.

Contract: every reason that a service is known to give is in a table, with one of a few meanings. A reason that
is in no table is ``Finish.UNKNOWN``: never taken for a complete answer, and counted separately. The words were
taken from the services' documentation and source in November 2026.
"""

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["CALL_REFUSED", "CHAT", "GEMINI", "RESPONSES", "Finish", "finish_of"]

CALL_REFUSED = "malformed_function_call"
"""This package's own reason for a call that a service answered by an error; such an error has no token counts."""


class Finish(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    """The model had finished its reply."""
    TOOL_CALLS = "tool_calls"
    """The model calls tools (readable or not)."""
    LENGTH = "length"
    """Cut off by the output limit, or by the end of the context window."""
    BLOCKED = "blocked"
    """Refused by the model, a safety filter or a content policy."""
    MALFORMED_CALL = "malformed_call"
    """The service could not read the model's tool call and dropped it."""
    BROKEN_OFF = "broken_off"
    """Ended by an error of the service, or without a reason: not a complete reply."""
    UNKNOWN = "unknown"
    """A reason that is in no table."""

    @property
    def may_call(self) -> bool:
        """Whether tool calls in a reply that stopped so are run: not if the reply was refused or is incomplete."""
        return self not in (Finish.BLOCKED, Finish.BROKEN_OFF, Finish.UNKNOWN)


_S, _T, _L = Finish.STOP, Finish.TOOL_CALLS, Finish.LENGTH
_B, _M, _OFF = Finish.BLOCKED, Finish.MALFORMED_CALL, Finish.BROKEN_OFF

_OPENAI = {"stop": _S, "length": _L, "tool_calls": _T, "function_call": _T, "content_filter": _B}
"""OpenAI and Azure; all that DeepSeek, Groq, llama.cpp, Ollama and OpenRouter share with them."""
_SERVERS = {
    "abort": _OFF,  # vLLM and SGLang: the request was ended on the server
    "error": _OFF,  # vLLM, Mistral, OpenRouter
    "repetition": _L,  # vLLM: a repeating reply was cut off
    "load": _OFF,  # Ollama: the model was loaded, nothing was generated
    "unload": _OFF,
    "model_length": _L,  # Mistral: the end of the context window
    "sensitive": _B,  # z.AI
    "network_error": _OFF,  # z.AI
    "model_context_window_exceeded": _L,  # z.AI and Anthropic
    "insufficient_system_resource": _OFF,  # DeepSeek
    "eos": _S,  # Together
    "eos_token": _S,  # TGI
    "stop_sequence": _S,  # TGI and Anthropic
    "cancelled": _OFF,
    "timeout": _OFF,
}
"""Servers with OpenAI's interface and other words."""
_OTHERS = {
    "end_turn": _S,  # Anthropic and Bedrock, also behind gateways; xAI
    "tool_use": _T,
    "max_tokens": _L,  # also Gemini's word in small letters, and Cohere's
    "refusal": _B,
    "pause_turn": _OFF,
    "content_filtered": _B,  # Bedrock
    "guardrail_intervened": _B,
    "malformed_model_output": _OFF,
    "malformed_tool_use": _M,
    "complete": _S,  # Cohere
    "tool_call": _T,
    "error_toxic": _B,
    "error_limit": _L,
    "user_cancel": _OFF,
    "max_output_tokens": _L,  # OpenAI's responses, translated
}
"""Services with other interfaces, in the words that gateways and LangChain's integrations pass on."""

GEMINI: Mapping[str, Finish] = {
    "STOP": _S,
    "MAX_TOKENS": _L,
    "CONTINUATION": _L,
    "MALFORMED_FUNCTION_CALL": _M,
    "UNEXPECTED_TOOL_CALL": _M,
    "TOO_MANY_TOOL_CALLS": _M,
    "MALFORMED_RESPONSE": _M,
    "SAFETY": _B,
    "RECITATION": _B,
    "LANGUAGE": _B,
    "BLOCKLIST": _B,
    "PROHIBITED_CONTENT": _B,
    "SPII": _B,
    "IMAGE_SAFETY": _B,
    "IMAGE_PROHIBITED_CONTENT": _B,
    "IMAGE_RECITATION": _B,
    "ESCALATION": _B,
    "MODEL_ARMOR": _B,
    "FINISH_REASON_UNSPECIFIED": _OFF,
    "MISSING_THOUGHT_SIGNATURE": _OFF,  # our request lacked it: not the model's error
    "PUP_LIMITED_DISABLED": _OFF,  # the account is limited
    "NO_IMAGE": _OFF,  # no image was asked for
    "IMAGE_OTHER": Finish.UNKNOWN,
    "OTHER": Finish.UNKNOWN,  # the service itself does not say which
}
"""``finishReason`` of generateContent."""
CHAT: Mapping[str, Finish] = {
    **{name.lower(): finish for name, finish in GEMINI.items()},
    **_OTHERS,
    **_SERVERS,
    **_OPENAI,
}
"""``finish_reason`` of chat completions, in lower case. Gateways and LangChain's integrations pass on the words of
the service behind them, so this table has the words of all services."""
RESPONSES: Mapping[str, Finish] = {
    "completed": _S,
    "max_output_tokens": _L,
    "max_tokens": _L,
    "content_filter": _B,
    "failed": _OFF,
    "cancelled": _OFF,
    "in_progress": _OFF,
    "queued": _OFF,
}
"""``status`` of a response, and the reason why one is ``incomplete``."""


def finish_of(raw: str, table: Mapping[str, Finish]) -> Finish:
    """Return the meaning of the reason *raw* in *table*, ignoring upper and lower case; ``UNKNOWN`` if it is not there.

    A gateway may put words before the reason: of ``function_call_filter: MALFORMED_FUNCTION_CALL`` the last counts.
    """
    for word in (raw, raw.rpartition(":")[2]):
        for form in (word.strip(), word.strip().lower(), word.strip().upper()):
            if (finish := table.get(form)) is not None:
                return finish
    return Finish.UNKNOWN
