"""All tools by name, in the order in which they are declared to a model."""

from collections.abc import Iterable

from medvision_agent.errors import ConfigError, nearest
from medvision_agent.tools.base import Tool
from medvision_agent.tools.crop import crop
from medvision_agent.tools.fit_contour import fit_contour
from medvision_agent.tools.pixel_spacing import pixel_spacing
from medvision_agent.tools.protractor import protractor
from medvision_agent.tools.python import python
from medvision_agent.tools.ruler import ruler

__all__ = ["TOOLS", "select"]

TOOLS: dict[str, Tool] = {tool.name: tool for tool in (pixel_spacing, crop, ruler, protractor, fit_contour, python)}
"""Tool name to tool; a new tool is added here."""


def select(names: Iterable[str]) -> tuple[Tool, ...]:
    """Return the named tools, each once and in the order of TOOLS; raises ConfigError for an unknown or no name."""
    wanted = list(names)
    known = ", ".join(TOOLS)
    for name in wanted:
        if name not in TOOLS:
            raise ConfigError(f"unknown tool {name!r}; known: {known}.{nearest(name, TOOLS)}")
    if not wanted:
        raise ConfigError(f"no tool is named; known: {known}")
    return tuple(tool for name, tool in TOOLS.items() if name in wanted)
