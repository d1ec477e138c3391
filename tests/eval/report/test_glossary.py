"""Words that the page explains, the reason that all rows share, and colours that are the viewer's."""

import re
from pathlib import Path

from told.chapters import BAD, GOOD, RULER, said

from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.found import found_tables
from medvision_agent.eval.report.glossary import glossary
from medvision_agent.eval.report.page import html_page

ROOT = Path(__file__).parents[3]
OFFLINE = {"model": {"name": "prior", "provider": "offline"}}


def three(store, **fields):
    """Return an arm without tools and two with them."""
    return [
        store("off", said(BAD), **fields),
        *(store(name, said(GOOD), tools=RULER, condition=name, **fields) for name in ("on", "blind")),
    ]


def test_only_words_that_stand_on_the_page_are_explained(store):
    folders = three(store)
    words = dict(glossary(collect(folders).chapters[0]))
    assert {"arm", "contrast", "loss", "win / tie / loss", "claim", "blind"} <= set(words)
    assert not {"primary", "again", "same-region"} & set(words)
    assert "blind" not in dict(glossary(collect(folders[:2]).chapters[0]))
    assert "Words used here" in html_page(collect(folders, most_pictures=0))


def test_a_reason_that_all_rows_share_stands_once_above_them(store):
    folders = three(store, **OFFLINE)
    (table,) = found_tables(collect(folders).chapters[0], "c1")
    assert table.above == ("No claim in any row: the arms are scripted policies and not models.",)
    assert {row[-1] for row in table.rows} == {"no"}
    (alone,) = found_tables(collect(folders[:2]).chapters[0], "c1")
    assert (alone.above, alone.rows[0][-1]) == ((), "no: scripted")


def test_the_ground_truth_has_the_colour_of_the_viewer():
    text = (ROOT / "viewer/src/canvas/marks.ts").read_text(encoding="utf-8")
    (truth,) = re.findall('TRUTH_COLOUR = "(#[0-9a-f]{6})"', text)
    assert f'height, "{truth}")' in (ROOT / "eval/report/overlay.svg.j2").read_text(encoding="utf-8")
