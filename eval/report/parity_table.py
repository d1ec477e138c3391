"""The parity cards of a chapter as a table."""

from medvision_agent.eval.compare.card import COLUMNS
from medvision_agent.eval.compare.card_words import card_rows
from medvision_agent.eval.report.model import Chapter
from medvision_agent.eval.report.table import Table
from medvision_agent.eval.report.tables import chapter_table, slug, texts

__all__ = ["parity_table"]


def parity_table(chapter: Chapter, place: str) -> Table:
    """Return the parity cards of all contrasts as one table: what is proven, assumed or unknowable.

    *place* is the prefix of its id.
    """
    columns = texts("contrast", "what should be the same", *COLUMNS)
    rows = [(one.name, *cells) for one in chapter.contrasts for cells in card_rows(one.card)]
    differ = [
        f"{one.name}: the arms differ in {', '.join(one.card.varied) or 'no setting'}." for one in chapter.contrasts
    ]
    notes = ["Counts are of pairs of answers that were scored in both arms, in every epoch.", *differ]
    return chapter_table(chapter, slug(place, "parity"), "parity of the arms", columns, rows, notes=notes)
