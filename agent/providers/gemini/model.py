"""LangChain's Gemini adapter that converts tool declarations only once.

The adapter converts them for every request, and the SDK copies all they are made of: more than half of the time that
a request takes.
"""

import json
from collections.abc import Sequence
from typing import Any, Self

from google.genai import types
from langchain_google_genai import ChatGoogleGenerativeAI
from pydantic import PrivateAttr

__all__ = ["GeminiModel"]

_MOST = 64
"""Maximum number of converted sets of tools kept: a run has one set, or one for each order of its tools."""


class _KeptTool(types.Tool):
    """Declarations that never change, so ``deepcopy`` returns the same object."""

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self


class GeminiModel(ChatGoogleGenerativeAI):
    """LangChain's Gemini model, which converts each set of tool declarations only once."""

    _kept: dict[str, list[_KeptTool]] = PrivateAttr(default_factory=dict)

    def _format_tools(self, tools: Sequence[Any] | None = None, functions: Sequence[Any] | None = None) -> Any:
        if not tools or functions or not all(isinstance(one, dict) for one in tools):
            return super()._format_tools(tools, functions)
        written = json.dumps(tools)
        if written not in self._kept:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            converted = super()._format_tools(tools) or []
            self._kept[written] = [_KeptTool(**dict(one)) for one in converted]
        return list(self._kept[written])
