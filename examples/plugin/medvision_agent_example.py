"""A plug-in of one file: a model of its own, and the row that puts it into the catalogue.

pip install examples/plugin
medvision-agent run --model centre-box --task detection
"""

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult


class CentreBox(BaseChatModel):
    """Answers every question with a box around the middle of the picture. Stands for any LangChain chat model."""

    share: float = 0.5

    @property
    def _llm_type(self) -> str:
        return "centre-box"

    def bind_tools(self, tools: Any, **settings: Any) -> Any:
        """Take note of no tool: this model calls none."""
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        low, high = 0.5 - self.share / 2, 0.5 + self.share / 2
        message = AIMessage(f"<answer>{low:.4f}, {low:.4f}, {high:.4f}, {high:.4f}</answer>")
        message.response_metadata = {"finish_reason": "stop", "model_name": "centre-box 1"}
        message.usage_metadata = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
        return ChatResult(generations=[ChatGeneration(message=message)])


def models() -> dict[str, dict[str, Any]]:
    """Return the rows this package adds to the catalogue, in the form of its YAML files."""
    return {
        "centre-box": {
            "provider": "langchain",
            "model": "centre-box",
            "factory": "medvision_agent_example:CentreBox",
            "settings": {"share": 0.5},
            "perceived": {"rule": "native"},
        }
    }
