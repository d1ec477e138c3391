"""All tools by name, wherever they come from, and the dated sets of which ``on`` is the newest."""

from medvision_agent.tools.registry.registry import NEWEST, SETS, TOOLS, Registry, installed, registry_of

__all__ = ["NEWEST", "SETS", "TOOLS", "Registry", "installed", "registry_of"]
