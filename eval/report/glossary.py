"""Explains the terms on a chapter's first page in one plain sentence each; other terms are left out."""

import re
from collections.abc import Iterator

from medvision_agent.eval.report.found import found_tables
from medvision_agent.eval.report.model import Chapter

__all__ = ["glossary"]

_WORDS = {
    "arm": "One way of asking: a model with its tools and its prompt, asked all samples.",
    "contrast": "Two arms that are compared with each other, sample by sample.",
    "comparison": "A contrast on one task.",
    "loss": "How wrong an answer is: 0 is exact, and a failure to answer costs 1.",
    "win / tie / loss": "In how many samples the second arm has the lower, the same and the higher loss.",
    "wrong place": "The answer was measured elsewhere in the image than where the ground truth lies.",
    "located": "It is known where in the image the answer was measured.",
    "claim": "Whether the data allow to say that the arms differ, or that they do not.",
    "primary": "The contrast that the study was made for, named before the first call.",
    "parity": "That two arms differ in nothing but what is compared.",
    "declared": "Named as a test before the first call.",
    "repeat": "The same arm asked once more, to see how much answers vary by themselves.",
}
_ARMS = {
    "blind": "An arm that may call tools, but what they return is withheld.",
    "same-region": "An arm whose further views show the pixels of the first image, enlarged, and no new detail.",
    "again": "An arm that is asked again in further turns, without tools.",
}
"""Explanations of controls, by the beginning of the arm's name."""


def glossary(chapter: Chapter) -> list[tuple[str, str]]:
    """Return pairs of a term and its meaning, for the terms used in the answer, tables or caveats of a chapter."""
    text = " ".join(_texts(chapter))
    found = [
        (word, meaning) for word, meaning in _WORDS.items() if re.search(rf"\b{re.escape(word)}", text, re.IGNORECASE)
    ]
    parts = {part for arm in chapter.arms for part in re.split(r"[ :]", arm)}
    return [*found, *((word, meaning) for word, meaning in _ARMS.items() if word in parts)]


def _texts(chapter: Chapter) -> Iterator[str]:
    """Yield the texts of a chapter that a reader sees before opening any section."""
    found = chapter.findings
    yield from (*found.headline, found.asked, *(caveat.text for caveat in found.caveats))
    for table in found_tables(chapter, "c1"):
        yield from (*table.above, *table.notes, *(column.name for column in table.columns))
