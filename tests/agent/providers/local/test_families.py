"""A whole conversation with each architecture the shipped rows name, tools off and on, through the real generate().

Two of the eight run by default; ``make test-local`` runs all.
"""

import os

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the `local` extra: pip install -e '.[local]'")
pytest.importorskip("transformers", reason="needs the `local` extra: pip install -e '.[local]'")

from fake.families import FAMILIES
from fake.local import force

from medvision_agent.agent.answer import answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.limits import Limits
from medvision_agent.agent.models import MODEL_CONFIG
from medvision_agent.agent.providers.factory import open_model
from medvision_agent.agent.words.question import Question
from medvision_agent.tools.view.geometry import Spacing
from medvision_agent.tools.view.slice import grey_slice

SAMPLED = ("qwen2_5_vl", "qwen3_vl")
NATIVE = ("qwen3_vl",)
GRAMMARS = {"qwen2_5_vl": "hermes"}
RULER = '{"name": "ruler", "arguments": {"view": "v0", "x0": 0.1, "y0": 0.5, "x1": 0.5, "y1": 0.5}}'
CALLS = {"hermes": f"<tool_call>\n{RULER}\n</tool_call>", "plain": f"```tool_call\n{RULER}\n```"}
ANSWER = "<answer>20</answer>"

families = pytest.mark.parametrize(
    "family",
    [
        pytest.param(
            name,
            marks=pytest.mark.skipif(
                name not in SAMPLED and not os.environ.get("ALL_LOCAL_FAMILIES"),
                reason="a sample of the architectures runs here; `make test-local` runs all",
            ),
        )
        for name in FAMILIES
    ],
)


@families
async def test_a_conversation_with_tools_off_and_on(family, tmp_path):
    folder = FAMILIES[family](tmp_path / family)
    text = {} if family in NATIVE else {"tool_calling": "text", "grammar": GRAMMARS.get(family, "plain")}
    row = {"provider": "transformers", "model": str(folder), "max_output_tokens": 300, **text}
    rule = {"rule": "processor", "checkpoint": str(folder)}
    pixels = np.add.outer(np.arange(64), 2 * np.arange(64)).astype(np.uint8)
    question = Question("distance", grey_slice(pixels, Spacing(1.0, 0.5)), "An axial slice.", None, ("tip", "base"))
    async with open_model(MODEL_CONFIG.validate_python(row | {"perceived": rule})) as chat:
        force(chat, ANSWER)
        off = await answer(question, Condition.parse("off"), chat, Limits(), perceives=chat.config.sees)
        force(chat, CALLS["hermes"] if family in NATIVE else CALLS[text["grammar"]], ANSWER)
        on = await answer(question, Condition.parse("on"), chat, Limits(), perceives=chat.config.sees)
    assert (off.outcome, off.response) == (on.outcome, on.response) == (Outcome.ANSWERED, ANSWER)
    assert [(call.tool, call.ok) for call in on.trace.tool_calls] == [("ruler", True)]
    assert off.usage.input > 0
    assert on.usage.input > 2 * off.usage.input
