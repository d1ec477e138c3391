"""Models by name: what the package ships, what plug-ins add, and a user's own files, all of one form."""

from medvision_agent.agent.catalogue.load import find, load_catalogue, origins

__all__ = ["find", "load_catalogue", "origins"]
