"""Imports packages that a run needs, and leaves out parts of them that no command uses.

Only commands do this, because their process is their own. A program that uses this one as a library keeps these
packages whole. Each package imports its part inside ``try``, and the part stays available to everything else.
"""

from importlib import import_module

from medvision_agent.skipped import skipped

__all__ = ["import_lean"]

_LEFT_OUT = {
    "langsmith.env": "psutil",  # measures this process for LangSmith's traces; conversations are never traced
    "tenacity": "tornado",  # for retries of its own kind of coroutine; with it comes ``curses``
    "httpx": "httpx._main",  # httpx's own command line, which imports ``rich`` and ``pygments``
}
"""The part that is left out of each package."""


def import_lean() -> None:
    """Import these packages without their parts; call it before anything else imports one of them."""
    for package, part in _LEFT_OUT.items():
        with skipped(part):
            import_module(package)
