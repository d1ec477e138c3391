"""All tools by name, and the choice among them by the words of a condition.

``on`` is the newest of the dated sets of shipped tools, and the tools of a file that was given beside them.
``on@2026-11`` is the set of that date and nothing else. A tool of an installed package is chosen by its name. Several
are joined by commas: ``on,NAME``, ``ruler,crop``. Tools are always declared in the order of the registry, in the words
of its month or of the set that is named (``editions.py``). A tool that outlines may carry a variant after ``@``
(``variants.py``): ``segment@watershed``; named beside a set, it takes the place of the set's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from medvision_agent.errors import ConfigError, nearest
from medvision_agent.tools.base import Tool
from medvision_agent.tools.registry.editions import EDITIONS
from medvision_agent.tools.registry.offers import ToolOffer, from_file, from_packages, unfit_name
from medvision_agent.tools.registry.variants import variant_named
from medvision_agent.tools.segment.server import check_address

__all__ = ["NEWEST", "SETS", "TOOLS", "Choice", "Registry", "installed", "registry_of"]

SETS: dict[str, tuple[str, ...]] = {
    "2026-11": ("pixel_spacing", "crop", "ruler", "protractor", "fit_contour", "python"),
    "2026-12": (
        "pixel_spacing",
        "crop",
        "window",
        "mark",
        "ruler",
        "protractor",
        "statistics",
        "fit_contour",
        "segment",
        "python",
    ),
}
"""Month to the shipped tools that ``on`` stood for from then on. A change of this list, or of the words of one of its
tools, is a new month; what was declared before is kept in ``editions.py``."""
NEWEST = max(SETS)


@dataclass(frozen=True, eq=False)
class Choice:
    """The tools that a condition chooses, with the condition's name."""

    name: str
    """As a condition is called: ``on``, ``crop,ruler``, ``on,NAME``; the date of the set stands beside it."""
    tools: tuple[Tool, ...]
    tool_set: str = ""
    """The month of the set that ``on`` stands for; empty where tools are chosen by name."""


@dataclass(frozen=True, eq=False)
class Registry:
    """The available tools by name, in the order in which they are declared to a model; immutable."""

    offers: Mapping[str, ToolOffer]
    own: tuple[str, ...] = ()
    """Names of the tools that ``on`` has beside its set."""
    segmenter: str | None = None
    """The address of the segmenter that ``@server`` stands for."""
    month: str = NEWEST
    """The month whose set ``on`` stands for, and in whose words tools are declared."""

    def __post_init__(self) -> None:
        for offer in self.offers.values():
            if problem := unfit_name(offer.name):
                raise ConfigError(f"{offer.origin}: {offer.name}: {problem}; rename the tool")

    def with_file(self, path: Path) -> "Registry":
        """Return a registry that also has the tools of a file.

        Raises ConfigError where the file has no valid tool, or a tool with the name of one of this registry.
        """
        found = from_file(path)
        return replace(
            self,
            offers=_joined([*self.offers.values(), *found], self.month),
            own=(*self.own, *(offer.name for offer in found)),
        )

    def dated(self, month: str | None) -> "Registry":
        """Return the registry with the set of *month* (YYYY-MM), or this one if *month* is None.

        Raises ConfigError for a month that has no set.
        """
        if month is None or month == self.month:
            return self
        if month not in SETS:
            raise ConfigError(f"no set of tools is dated {month!r}; known sets: {_dated()}")
        return replace(self, offers=_joined(self.offers.values(), month), month=month)

    def tool(self, label: str) -> Tool:
        """Return a tool by its name, or by NAME@VARIANT, with the words that the registry's month declares.

        Raises ConfigError for an unknown name or variant, and where the code of a tool cannot be loaded.
        """
        name, at, variant = label.partition("@")
        if name not in self.offers:
            known = ", ".join(self.offers)
            raise ConfigError(f"unknown tool {name!r}; known tools: {known}.{nearest(name, self.offers)}")
        found = EDITIONS.get(self.month, {}).get(name) or self.offers[name].load()
        if not at:
            return found
        if found.outlines is None:
            raise ConfigError(
                f"{label}: the tool {name} has no variants: write {name} without @{variant}; only tools that outline a "
                "structure, such as fit_contour and segment, have variants"
            )
        return found.varied(variant_named(variant, self.segmenter))

    def select(self, names: Iterable[str]) -> tuple[Tool, ...]:
        """Return the named tools (NAME or NAME@VARIANT), each once and in the order of the registry.

        Raises ConfigError for an unknown name, for no name at all, and for two variants of one tool.
        """
        wanted = [self.tool(name) for name in dict.fromkeys(names)]
        if not wanted:
            raise ConfigError(f"no tool is named; give on, off, or at least one of {', '.join(self.offers)}")
        found: dict[str, Tool] = {}
        for tool in wanted:
            other = found.setdefault(tool.name, tool)
            if other.label != tool.label:
                raise ConfigError(
                    f"{other.label} and {tool.label} are two variants of one tool; a model can have only one of them "
                    "at a time: name one"
                )
        return tuple(found[name] for name in self.offers if name in found)

    def choose(self, text: str) -> Choice:
        """Return the tools that *text* names: names joined by commas, and at most one set, ``on`` or ``on@YYYY-MM``.

        ``on`` is the set of the registry's month with the tools of files, ``on@YYYY-MM`` that set alone. A tool with a
        variant replaces the same tool of the set. Raises ConfigError where ``select`` does, for two sets, and for a set
        of an unknown month.
        """
        words = list(dict.fromkeys(word for part in text.split(",") if (word := part.strip())))
        sets = [word for word in words if word == "on" or word.startswith("on@")]
        names = [word for word in words if word not in sets]
        if not sets:
            tools = self.select(names)
            return Choice(",".join(tool.label for tool in tools), tools)
        if len(sets) > 1:
            raise ConfigError(f"--tools {text}: only one set of tools can be named, but here are {' and '.join(sets)}")
        try:
            dated = self.dated(None if sets[0] == "on" else sets[0].removeprefix("on@"))
        except ConfigError as error:
            raise ConfigError(f"--tools {text}: {error}") from None
        members = [*SETS[dated.month], *(self.own if sets[0] == "on" else ())]
        named = dated.select(names) if names else ()
        kept = [name for name in members if name not in {tool.name for tool in named}]
        name = ",".join(["on", *(tool.label for tool in named if tool.label not in members)])
        return Choice(name, dated.select([*kept, *(tool.label for tool in named)]), dated.month)

    def sets_of(self, name: str) -> list[str]:
        """Return the names of the sets with the tool *name*, such as ``on@2026-11``; ``on`` for a tool of a file."""
        return [f"on@{month}" for month, names in SETS.items() if name in names] + (["on"] if name in self.own else [])


def _joined(offers: Iterable[ToolOffer], month: str = NEWEST) -> dict[str, ToolOffer]:
    """Return offers by tool name, those of the set of *month* first; raises ConfigError for two offers of one name."""
    found: dict[str, ToolOffer] = {}
    for offer in offers:
        if offer.name in found:
            other = found[offer.name].origin
            raise ConfigError(
                f"{offer.origin}: tool {offer.name}: a tool of that name is already in {other}; rename "
                f"the one in {offer.origin}"
            )
        found[offer.name] = offer
    first = [name for name in SETS[month] if name in found]
    return {name: found[name] for name in dict.fromkeys([*first, *found])}


def _dated() -> str:
    """Return the names of all sets, joined by commas."""
    return ", ".join(f"on@{month}" for month in SETS)


@cache
def installed() -> Registry:
    """Return the registry of the shipped tools and those of installed packages, without importing any.

    Raises ConfigError where two tools have one name, or a shipped tool is missing.
    """
    offers = _joined(from_packages())
    if missing := [name for name in SETS[NEWEST] if name not in offers]:
        raise ConfigError(
            f"the installation of medvision-agent is incomplete: the shipped tool {missing[0]!r} is missing; install "
            "medvision-agent again"
        )
    return Registry(offers)


def registry_of(file: Path | None, month: str | None = None, *, segmenter: str | None = None) -> Registry:
    """Return the registry of the installed tools as of *month* (YYYY-MM; None: the newest), and of those in *file*.

    *segmenter* is the address of the server that the variant ``server`` asks. Raises ConfigError for an invalid
    address, an unknown month, or a file without valid tools.
    """
    if segmenter is not None:
        check_address(segmenter)
    dated = replace(installed().dated(month), segmenter=segmenter)
    return dated if file is None else dated.with_file(file)


TOOLS: dict[str, Tool] = {tool.name: tool for tool in installed().choose("on").tools}
"""The tools of the newest set by name."""
