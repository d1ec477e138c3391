"""A LangChain chat model that cannot be called by its synchronous method.

Contract: LangChain requires a synchronous method of every chat model. This one raises, with the reason that the class
gives.
"""

from typing import Any, ClassVar

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult

__all__ = ["Unasked"]


class Unasked(BaseChatModel):
    """Base class of a chat model without a synchronous method: that method raises NotImplementedError."""

    unasked_because: ClassVar[str]
    """Why the model has no synchronous method."""

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError(self.unasked_because)
