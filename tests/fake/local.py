"""Asking a model in this process: questions, prompts in words, and what forces a reply through the real generate()."""

from typing import Any

import numpy as np
from langchain_core.messages import BaseMessage, HumanMessage

from medvision_agent.agent.chat.chat import Chat, Turn
from medvision_agent.agent.retry import call_model
from medvision_agent.tools.view.png import encode_png

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": "Measures.",
            "parameters": {"type": "object", "properties": {"view": {"type": "string"}, "x0": {"type": "number"}}},
        },
    }
    for name in ("ruler", "crop")
]


def engine_of(chat: Chat) -> Any:
    return chat.model.engine


def picture(chat: Chat, grey: int = 10, size: tuple[int, int] = (30, 40)) -> dict[str, Any]:
    ramp = np.linspace(0, 200, size[1]).astype(np.uint8) + np.uint8(grey)
    return chat.picture_block(encode_png(np.tile(ramp, (size[0], 1))))


def question(chat: Chat, text: str = "How wide?", grey: int = 10) -> HumanMessage:
    return HumanMessage([picture(chat, grey), {"type": "text", "text": text}])


def prompt_of(chat: Chat, messages: list[BaseMessage], tools: list[dict[str, Any]] | None = None) -> str:
    """Return the prompt as the model gets it, in words."""
    engine = engine_of(chat)
    inputs = engine.encode([chat.model._request(messages, {"tools": tools})])
    return engine.processor.tokenizer.decode(inputs["input_ids"][0])


def force(chat: Chat, *replies: str) -> None:
    """Have the model say *replies*, one after the other; the last one for ever, and "..." without an end."""
    left = list(replies)
    engine = engine_of(chat)

    def processors(prompts):
        import torch

        text = left.pop(0) if len(left) > 1 else left[0]
        tokens = engine.processor.tokenizer.encode(text, add_special_tokens=False)
        length = prompts.shape[1]

        def forced(ids, scores):
            step = ids.shape[1] - length
            endless = text == "..."
            token = tokens[step % len(tokens)] if endless or step < len(tokens) else min(engine._ends)
            return torch.full_like(scores, -torch.inf).index_fill(1, torch.tensor([token]), 0.0)

        return [forced]

    engine.logits_processors = processors


async def ask(chat: Chat, messages: list[BaseMessage], tools: list[dict[str, Any]] | None = None) -> Turn:
    """Ask once, as the agent does."""
    reply = await call_model(chat.bind(tools or []), messages, config=chat.config, read=chat.read, redact=chat.redact)
    return reply.turn
