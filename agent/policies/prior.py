"""``baseline-prior``: answers without looking. The floor every model should beat."""

from collections.abc import Generator
from typing import Any

from medvision_agent.agent.policies.policy import Look, Reading, final
from medvision_agent.quantity import BOX

__all__ = ["prior"]


def prior(look: Look) -> Generator[tuple[str, dict[str, Any]], Reading, str]:
    """Give the usual answer of the task, with or without tools."""
    yield from ()  # a policy is a generator, also when it calls nothing
    brief = look.brief
    if brief.quantity == BOX:
        return look.final_box(brief.usual, brief.decimals)
    return final(*brief.usual, decimals=brief.decimals)
