"""Import packages that asking samples needs, without parts of them that no command uses: import it before the others.

Only commands do this, because their process is their own. A program that uses this one as a library keeps these
packages whole. Each part is imported by its package inside ``try``, and stays available to everything else.
"""

from medvision_agent.skipped import skipped

with skipped("psutil"):  # measures this process for LangSmith's traces; conversations are never traced
    import langsmith.env  # noqa: F401
with skipped("tornado"):  # for retries of its own kind of coroutine; with it comes ``curses``
    import tenacity  # noqa: F401
with skipped("httpx._main"):  # httpx's own command line, which imports ``rich`` and ``pygments``
    import httpx  # noqa: F401

__all__: list[str] = []
