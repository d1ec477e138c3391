"""The two Markdown files beside the samples: where each value came from, and questions that only the user can answer.

They name images by number and hold no name of a file or a person.
"""

from collections.abc import Mapping
from pathlib import Path

from medvision_agent.eval.importing.choices import Choices
from medvision_agent.eval.importing.ledger import Ledger
from medvision_agent.text import plural, printable

__all__ = ["questions", "write_texts"]

_NAMED = 12
"""How many images a question names."""


def write_texts(folder: Path, ledger: Ledger, tasks: Mapping[str, int], subjects: int, choices: Choices) -> None:
    """Write ``summary.md`` (where values came from) and ``questions.md`` (what the user must answer) into *folder*.

    *tasks* has the number of samples by task, *subjects* is the number of people.
    """
    (folder / "summary.md").write_text(_summary(ledger, tasks, subjects), encoding="utf-8", newline="\n")
    asked = questions(ledger, choices)
    lines = ["# Questions", "", "What no file says. Answer them by options, and import again with --force.", ""]
    lines += [f"- {question}" for question in asked] or ["None: everything is stated."]
    (folder / "questions.md").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def questions(ledger: Ledger, choices: Choices) -> list[str]:
    """Return the questions that only the user can answer, each with the images it is about."""
    found = {question: sorted(tags, key=_number) for question, tags in ledger.unknown.items()}
    if not choices.dataset:
        found["What is the data set called? Give --dataset; it stands before every subject."] = []
    if "not known" in ledger.derived.get("annotator", {}):
        found["Who made the ground truth (one reader, a consensus, a program)? Give --annotator."] = []
    if not choices.licence:
        found["Under which licence or permission may the images be used? Give --licence."] = []
    return [question + _where(tags) for question, tags in found.items()]


def _where(tags: list[str]) -> str:
    if not tags:
        return ""
    more = f" and {len(tags) - _NAMED} more" if len(tags) > _NAMED else ""
    return f" ({', '.join(tags[:_NAMED])}{more})"


def _summary(ledger: Ledger, tasks: Mapping[str, int], subjects: int) -> str:
    counts = ", ".join(f"{count} {task}" for task, count in tasks.items())
    lines = [
        "# What was derived from what",
        "",
        f"{plural(sum(tasks.values()), 'sample')} of {plural(subjects, 'subject')}: {counts}.",
        "",
        "| what | from | times |",
        "|---|---|---|",
    ]
    lines += [
        f"| {_cell(what)} | {_cell(origin)} | {count} |"
        for what, origins in sorted(ledger.facts().items())
        for origin, count in origins.items()
    ]
    if ledger.left:
        lines += ["", "## Left out", ""]
        lines += [f"- {tag}: {printable(reason)}" for tag, _, reason in ledger.left]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return printable(text).replace("|", r"\|")


def _number(tag: str) -> int:
    return int(tag.rpartition("-")[2]) if tag.rpartition("-")[2].isdigit() else 0
