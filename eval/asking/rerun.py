"""A stored run's settings, to run it again: the same model row, samples, prompts, limits and budget.

Contract: everything comes from the store, the model's row included, whatever the catalogue says by now. Files the run
read (data, a prompt file, a script) must still be there; paths are as they were given. What has changed all the same
shows in the new run's identity, and is named by ``changes``.
"""

from collections.abc import Iterator
from pathlib import Path

from medvision_agent.errors import ConfigError
from medvision_agent.eval.settings.identity import Identity
from medvision_agent.eval.settings.settings import TOOL_FIELDS, Settings
from medvision_agent.eval.store.run import Run

__all__ = ["changes", "settings_of"]


def settings_of(run: Run, out: Path) -> Settings:
    """Return the settings that made *run*, for a new run in *out*; raises ConfigError where they cannot be used."""
    try:
        return Settings.read(run.config).but(out=out)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{run.folder}: the stored settings of this run cannot be used ({type(error).__name__}: {error}), because "
            "another version of medvision-agent stored them; start a new run with the options of the old one"
        ) from None


def changes(before: Identity, now: Identity) -> list[str]:
    """Return the names of the fields of identity that differ, sorted, without those of the tool condition.

    Where equal names of tools hide a change, it is named too: another set behind ``on`` (with both months), and the
    code or the variant of a tool that both runs have.
    """
    differ = {name for name, _, _ in before.differences(now)} - TOOL_FIELDS
    if before.version != now.version:
        differ.add("version")
    if before.code_sha256 != now.code_sha256 or before.resumed:
        differ.add("code_sha256")
    return sorted(differ | set(_changed_tools(before, now)))


def _changed_tools(before: Identity, now: Identity) -> Iterator[str]:
    """Yield differences hidden behind equal tool names: the set that ``on`` means, and the tools' own code."""
    if before.tool_set and now.tool_set and before.tool_set != now.tool_set:
        yield f"tool_set ({before.tool_set} then, {now.tool_set} now)"
    for name in before.tool_code_sha256.keys() & now.tool_code_sha256.keys():
        if before.tool_code_sha256[name] != now.tool_code_sha256[name]:
            yield f"tool_code_sha256.{name}"
    for name in before.tool_variants.keys() & now.tool_variants.keys():
        if before.tool_variants[name] != now.tool_variants[name]:
            yield f"tool_variants.{name}"
