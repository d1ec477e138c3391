"""How a chapter was run, in pairs of a name and a text."""

from collections.abc import Iterable, Mapping
from typing import Any

from medvision_agent.eval.report.model import Chapter
from medvision_agent.text import counted, printable

__all__ = ["how"]


def how(chapter: Chapter) -> list[tuple[str, str]]:
    """Return what all runs of a chapter were asked and scored by, and what of it they do not share."""
    identities = [run.identity for run in chapter.runs]
    facts = [
        ("Data", f"{chapter.source}. {chapter.note}"),
        (
            "Data version",
            ", ".join(chapter.data_versions) or "the source states none; the hash below is of its samples",
        ),
        ("Samples (SHA-256)", _each(one.samples_sha256 for one in identities)),
        ("Targets by convention", counted(chapter.conventions)),
        ("Marks of the truth", counted(chapter.marks)),
        ("Models", _each(one.model_name for one in identities)),
        ("Recipe", _each(one.recipe for one in identities)),
        ("Prompt form", _each(one.form for one in identities)),
        ("Coordinates", _each(one.model.get("frame") for one in identities)),
        ("Prompts (SHA-256)", _each(one.prompts_sha256 for one in identities)),
        ("Own prompts (SHA-256)", _each(one.prompt_file_sha256 for one in identities)),
        ("Protocol", chapter.protocol),
        ("Version", _each(one.version for one in identities)),
        ("Code (SHA-256)", _each(one.code_sha256 for one in identities)),
        ("Libraries", _each(_libraries(run.config) for run in chapter.runs)),
        ("Level of tests", f"{chapter.alpha:g}, {chapter.family_size} declared"),
        *([("Plan of the study (SHA-256)", chapter.plan_sha256)] if chapter.plan_sha256 else []),
    ]
    facts += [(f"Parity, {one.name}", _proven(one.free)) for one in chapter.contrasts]
    facts += [(f"Not compared, {one.name}", "; ".join(one.differences)) for one in chapter.refused]
    return [(printable(name), printable(text)) for name, text in facts]


def _proven(free: Iterable[str]) -> str:
    names = ", ".join(free)
    return f"proven: the runs differ in {names} and in nothing else" if names else "proven: nothing differs"


def _libraries(config: Mapping[str, Any]) -> str | None:
    found = config.get("libraries")
    return ", ".join(f"{name} {version}" for name, version in found.items()) if isinstance(found, Mapping) else None


def _each(values: Iterable[object]) -> str:
    different = dict.fromkeys("not recorded" if value is None else str(value) for value in values)
    return "; ".join("none" if different == {"not recorded": None} else value for value in different)
