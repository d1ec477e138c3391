"""The card of shared runs: a README.md with front matter that the Hugging Face Hub reads, and everything else as text.

Contract: the same runs give the same card. Texts of others (names, labels, licences, origins) are escaped, so that none
of them is markup, a link or front matter. What a card says about differences is what the findings say, word for word.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import yaml

from medvision_agent.eval.compare.card import COLUMNS
from medvision_agent.eval.compare.card_words import card_rows
from medvision_agent.eval.findings.contrasts import Worked
from medvision_agent.eval.findings.find import findings_of
from medvision_agent.eval.report.table import md
from medvision_agent.eval.sharing.images import ImageRow
from medvision_agent.eval.sharing.licences import Licence
from medvision_agent.text import plural
from medvision_agent.version import VERSION

__all__ = ["CardIn", "card"]

_MOST_RUNS = 60
_LONGEST_TITLE = 120
_INTRODUCTION = (
    "Answers of vision-language models to questions about measurements on medical images, with their conversations and "
    "scores."
)
_DUTIES = (
    "Whoever passes this on must keep the licences and notices above with the images. Questions and ground truth "
    "follow from the data sets named above and stand under the licences of their annotations. Responses were written "
    "by models: the terms of their providers may say what they may be used for. Identifiers of samples and subjects "
    "are those of the data sets."
)
_ABOUT = {
    "README.md": "this card",
    "tables/samples.parquet": "one row per sample: the question, its ground truth, the response, its score, tokens",
    "tables/turns.parquet": "one row per message of every conversation",
    "tables/tool_calls.parquet": "one row per tool call: arguments, result, time",
    "tables/pictures.parquet": "one row per image: licence, origin, and why it is not shared where it is not",
    "runs.json": "the identity of every run: model, prompts, limits, tools and data, by value or by hash",
    "NOTICE": "sources and licences of the demo set's images",
}


@dataclass(frozen=True, eq=False)
class CardIn:
    """Everything from which a card is made: the runs' findings, images, files, and what is left out."""

    title: str
    worked: Sequence[Worked]
    images: Sequence[ImageRow]
    files: Sequence[str]
    """Files beside the card, relative to its folder."""
    rows: Mapping[str, int]
    """Rows of each table."""
    left_out: Sequence[tuple[str, str]]
    """What is not shared, each with the reason."""
    clean: Callable[[str], str]
    """Removes private parts from a text; applied before the text is escaped."""

    def text(self, text: str) -> str:
        """Return *text*, which others wrote, without private parts and escaped, so that Markdown shows it as it is."""
        return md(self.clean(text))


def card(given: CardIn) -> str:
    """Return the card of shared runs as Markdown with front matter: the text of README.md."""
    title = " ".join(given.clean(given.title).split())[:_LONGEST_TITLE]
    parts = [
        _front_matter(title, given.rows),
        f"# {md(title)}",
        f"{_INTRODUCTION} Written by medvision-agent {VERSION}. For research; not for diagnosis or treatment.",
        *_chapters(given),
        "## Files",
        _table(("file", "holds", "rows"), ((md(name), about, rows) for name, about, rows in _files(given))),
        "## Images and their licences",
        *_images(given.images, given.text),
        "## What is not in it, and what may not be shared",
        "\n".join(f"- **{given.text(what)}**: {given.text(why)}." for what, why in given.left_out),
        _DUTIES,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(title: str, rows: Mapping[str, int]) -> str:
    """Return the front matter between two lines ``---``; *title* may be any text, which YAML escapes."""
    head = {
        "pretty_name": title,
        "license": "other",
        "license_name": "see-card",
        "license_link": "README.md",
        "tags": ["medvision-agent", "evaluation", "vision-language models", "medical imaging"],
        "configs": [{"config_name": name, "data_files": f"tables/{name}.parquet"} for name in rows],
    }
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=1000)}---"


def _chapters(given: CardIn) -> Iterator[str]:
    for worked in given.worked:
        found, several = findings_of(worked), len(given.worked) > 1
        of = f", {given.text(worked.chapter.name)}" if several else ""
        yield f"## What was asked{of}"
        if found.banner:
            yield f"**{given.text(found.banner)}**"
        yield given.text(found.asked)
        yield _runs(worked, given)
        yield f"Scored by the protocol {md(worked.rules.name)}."
        yield f"## What was found{of}"
        yield "\n".join(f"- {given.text(line)}" for line in found.headline)
        yield "\n".join(f"- Caveat: {given.text(one.text)}" for one in found.caveats)
        yield f"## Parity card{of}"
        yield from _parity(worked, given.text)


def _runs(worked: Worked, given: CardIn) -> str:
    lines = [
        f"- {given.text(arm.name)}: {given.text('; '.join(run.facts))}"
        for arm in worked.chapter.arms
        for run in arm.runs
    ]
    more = len(lines) - _MOST_RUNS
    return "\n".join([*lines[:_MOST_RUNS], *([f"- {plural(more, 'run')} more: see runs.json"] if more > 0 else [])])


def _parity(worked: Worked, text: Callable[[str], str]) -> Iterator[str]:
    for one in worked.contrasts:
        differ = text(", ".join(one.card.varied)) or "no setting"
        yield f"**{text(one.name)}**. The arms differ in {differ}; counted are pairs of scored answers."
        rows = [tuple(text(cell) for cell in cells) for cells in card_rows(one.card)]
        yield _table(("what should be the same", *COLUMNS), rows)
    for refused in worked.chapter.refused:
        yield f"**{text(refused.name)}** is not compared: {text('; '.join(refused.differences))}."
    if not worked.contrasts and not worked.chapter.refused:
        yield "Nothing is compared here, so there is no parity to show."


def _files(given: CardIn) -> Iterator[tuple[str, str, str]]:
    """Yield each file's name, content and number of rows (empty if it is no table).

    All images are one entry, and so are all files of the viewer.
    """
    for folder, own in groupby(sorted(given.files), key=lambda name: name.split("/")[0]):
        names = list(own)
        if folder in {"pictures", "viewer"}:
            about = "the images as they were sent" if folder == "pictures" else "the viewer: open viewer/index.html"
            yield f"{folder}/", f"{about} ({plural(len(names), 'file')})", ""
            continue
        for name in names:
            rows = given.rows.get(name.removeprefix("tables/").removesuffix(".parquet"))
            yield name, _ABOUT.get(name, ""), "" if rows is None else str(rows)


def _images(images: Sequence[ImageRow], text: Callable[[str], str]) -> Iterator[str]:
    counts: dict[Licence, list[int]] = {}
    for image in images:
        for one in dict.fromkeys(replace(each, origin="") for each in image.licences):
            count = counts.setdefault(one, [0, 0])
            count[1 if image.refused else 0] += 1
    yield (
        "Images are those that the models were shown: slices, crops, and drawings of tools. Each image stands with its "
        "licence and origin in tables/pictures.parquet. An image of several samples is counted under each of their "
        "licences."
    )
    rows = [
        (
            text(one.dataset),
            text(one.licence) or "none stated",
            one.basis,
            str(shared),
            str(kept) + (f" ({text(one.refused)})" if kept and one.refused else ""),
        )
        for one, (shared, kept) in sorted(counts.items(), key=lambda item: (item[0].dataset, item[0].licence))
    ]
    yield _table(("data set", "licence", "who says so", "images shared", "images left out"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, [":--"] * len(head), *rows)]
    return "\n".join(lines)
