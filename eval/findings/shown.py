"""Notes on arms that were not shown the sample's own image.

Contract: an arm without an image is marked in every comparison, because refusing to answer was correct there.
"""

from medvision_agent.eval.findings.inputs import ChapterIn
from medvision_agent.text import plural

__all__ = ["picture_notes"]


def picture_notes(chapter: ChapterIn) -> list[str]:
    """Return a sentence for all arms shown no image, and one for each arm shown another subject's; otherwise empty."""
    kinds = {arm.name: arm.first.identity.picture for arm in chapter.arms}
    notes = list[str]()
    if unseen := [name for name, kind in kinds.items() if kind == "none"]:
        notes.append(
            f"{', '.join(unseen)}: no image stood with the question, where refusing is right. A failure costs 1 all "
            "the same, so read these contrasts over the pairs answered in both arms too"
        )
    for arm in chapter.arms:
        if kinds[arm.name] == "swapped":
            without = int(arm.first.config.get("without_donor", 0))
            left_out = f"{plural(without, 'sample')} without such a subject {'is' if without == 1 else 'are'}"
            tail = f"; {left_out} in no contrast with it" if without else ""
            notes.append(f"{arm.name}: the image of another subject stood with the question{tail}")
    return notes
