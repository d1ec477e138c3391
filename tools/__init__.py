"""What a model can call, and the views it all works on.

A tool never knows of tasks or of the ground truth; this layer imports nothing of the layers above it. What is named
here is all that a tool of your own needs, and is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medvision_agent.errors import ToolError
    from medvision_agent.tools.base import Arguments, Output, Result, Tool, tool
    from medvision_agent.tools.registry import TOOLS
    from medvision_agent.tools.view.views import ViewSet

__all__ = ["TOOLS", "Arguments", "Output", "Result", "Tool", "ToolError", "ViewSet", "tool"]

_MODULES = {
    "Arguments": "tools.base",
    "Output": "tools.base",
    "Result": "tools.base",
    "TOOLS": "tools.registry",
    "Tool": "tools.base",
    "ToolError": "errors",
    "ViewSet": "tools.view.views",
    "tool": "tools.base",
}


def __getattr__(name: str) -> Any:
    """Return a public name of this package, imported when it is first used; raises AttributeError for other names."""
    if name not in _MODULES:
        raise AttributeError(f"module 'medvision_agent.tools' has no attribute {name!r}")
    return getattr(import_module(f"medvision_agent.{_MODULES[name]}"), name)
