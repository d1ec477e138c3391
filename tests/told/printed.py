"""Everything that is printed about a chapter in sentences: on the page, in Markdown and by commands."""

from medvision_agent.eval.report.model import Chapter
from medvision_agent.eval.report.sections import sections
from medvision_agent.eval.report.words import title

__all__ = ["printed", "sentences"]


def sentences(chapter: Chapter) -> list[str]:
    """Return the answer, the caveats with their details, and the sentences of the folded sections."""
    found = chapter.findings
    lines = [*found.headline, found.asked]
    for caveat in found.caveats:
        lines += [caveat.text, *caveat.details]
    for section in sections(chapter, "c1", draw=False):
        lines += section.words
    return lines


def printed(chapter: Chapter) -> str:
    """Return the same with the title, the banner and the words of the table, as one text."""
    found = chapter.findings
    rows = [f"claim: {'yes' if row.claim else row.reason}; {row.outcome}; {row.withheld}" for row in found.rows]
    return "\n".join([title(chapter), found.banner, *rows, *sentences(chapter)])
