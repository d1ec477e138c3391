"""Conditions: what a study switches. Nothing else differs between two conditions.

``off``: no tools. ``on``: all of our tools. ``NAME,NAME``: a named subset, always in the registry's order.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from medvision_agent.prompts.render import render
from medvision_agent.tools.base import Tool
from medvision_agent.tools.frames import MEDVISION, Frame
from medvision_agent.tools.registry import TOOLS, select

__all__ = ["Condition"]


@dataclass(frozen=True, eq=False)
class Condition:
    """A name and the tools that can be called under it."""

    name: str
    tools: tuple[Tool, ...]

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Return the condition for ``on``, ``off`` or a comma-separated list of tools; raises ConfigError."""
        if text == "off":
            return cls("off", ())
        if text == "on":
            return cls("on", tuple(TOOLS.values()))
        tools = select([name.strip() for name in text.split(",") if name.strip()])
        return cls(",".join(tool.name for tool in tools), tools)

    def schemas(self, frame: Frame = MEDVISION) -> list[dict[str, Any]]:
        """Return the declarations of the tools, in order, for a model that speaks *frame*."""
        return [tool.schema(frame) for tool in self.tools]

    def declarations(self, tool_calling: str, frame: Frame = MEDVISION) -> tuple[str, ...]:
        """Return the declarations as they stand in the prompt where tools are called in text, else none."""
        if tool_calling != "text":
            return ()
        return tuple(json.dumps(schema["function"], ensure_ascii=False) for schema in self.schemas(frame))

    def identity(self, tool_calling: str = "native", frame: Frame = MEDVISION) -> dict[str, Any]:
        """Return the fields in which two runs of one comparison may differ."""
        names, declarations = [tool.name for tool in self.tools], self.declarations(tool_calling, frame)
        template = "tools_text" if declarations else "tools"
        paragraph = render(template, names=names, declarations=declarations) if names else ""
        return {
            "condition": self.name,
            "tools": names,
            "tool_schemas_sha256": sha256(json.dumps(self.schemas(frame), sort_keys=True).encode()).hexdigest(),
            "tool_paragraph_sha256": sha256(paragraph.encode()).hexdigest(),
        }
