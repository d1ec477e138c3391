"""How long a page is, and that it says nothing twice: for two, three and eight arms, and for pairs of models."""

import re
from collections import Counter
from html import unescape

import numpy as np
import pytest
from told.answers import BAD, GOOD, RULER, but, said

from medvision_agent.eval.report.collect import collect
from medvision_agent.eval.report.found import FEW
from medvision_agent.eval.report.page import html_page

FOLDED = re.compile(r"<details\b(?:(?!<details\b).)*?</details>", re.DOTALL)
OF_A_RUN = re.compile(r'<section class="run".*?</section>|<article class="sample".*?</article>', re.DOTALL)
SAID = re.compile(
    r"<(?:p|li|dd|figcaption)\b[^>]*>(.*?)(?=</(?:p|li|dd|figcaption)>|<(?:p|li|dd|ul|details)\b)", re.DOTALL
)
COUNTS = (2, 3, 8, 17)


def unfolded(page):
    """Return the words of a page that are seen before anything is opened."""
    body = re.sub(r"<(style|svg|head)\b.*?</\1>", "", page, flags=re.DOTALL)
    while FOLDED.search(body):  # from the inside out
        body = FOLDED.sub("", body)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def sentences(page):
    """Return every sentence of a page, of all that is folded too, but not what is said of one run or one sample."""
    body = re.sub(r"<(style|svg|head|pre|table|h\d|summary)\b.*?</\1>", " ", page, flags=re.DOTALL)
    texts = [unescape(re.sub(r"<[^>]+>", " ", text)) for text in SAID.findall(OF_A_RUN.sub("", body))]
    split = [sentence for text in texts for sentence in re.split(r"(?<=\.) (?=[A-Z])", " ".join(text.split()))]
    return [
        sentence for sentence in split if len(sentence.split()) > 4 and not sentence.startswith("The samples behind")
    ]


def two_models(stores):
    """Return the runs of two models, without tools and with them."""
    return [
        stores(
            f"{model} {arm}", said(errors), tools=tools, model_name=model, model={"name": model, "provider": "openai"}
        )
        for model in ("m", "n")
        for arm, errors, tools in (("off", BAD, ()), ("on", GOOD, RULER))
    ]


@pytest.fixture(scope="module")
def pages(stores):
    """Return the page of so many arms, of which all but one have tools, and that of two models."""
    folders = [stores("off", said(BAD), tokens=50)]
    for number in range(max(COUNTS) - 1):
        answers = but(said(GOOD), np.arange(48) % 12 == number % 12, None)
        made = {"tools": RULER, "condition": f"on-{number}", "tokens": 100 + number}
        folders.append(stores(f"on{number}", answers, **made))
    found = {count: collect(folders[:count], most_pictures=2) for count in COUNTS}
    assert len(found[17].chapters[0].findings.rows) > FEW
    made = {count: html_page(report) for count, report in found.items()}
    return made | {"models": html_page(collect(two_models(stores), most_pictures=2))}


def test_the_length_grows_with_kinds_and_not_with_comparisons(pages):
    words = {count: len(unfolded(pages[count]).split()) for count in COUNTS}
    assert words[8] < 1.5 * words[2], words
    assert words[17] < 1.6 * words[2], words
    assert "No claim is possible in any of the 16 comparisons." in unescape(pages[17])
    figures = {count: pages[count].count("<figure>") for count in COUNTS}
    assert figures[17] <= figures[8] + 2, figures  # the use of tools has a figure for six arms


@pytest.mark.parametrize("which", [*COUNTS, "models"])
def test_no_sentence_stands_twice_on_the_page(pages, which):
    found = sentences(pages[which])
    assert len(found) > 40
    assert [text for text, count in Counter(found).items() if count > 1] == []


@pytest.mark.parametrize("which", [*COUNTS, "models"])
def test_arms_are_called_by_their_names_and_differences_differences(pages, which):
    body = re.sub(r"<(style|head|pre)\b.*?</\1>", "", pages[which], flags=re.DOTALL)
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
    assert not re.findall(r"\b(?:in|of|arm|than|minus|with) [ABab](?: alone)?(?=[.,;:)]| [ab]\b|$)", text)
    assert not re.findall(r"\b[AB] (?:is|has|lower|higher|minus)\b|\b[ab] minus [ab]\b", text)
    assert not re.findall(
        r"(?<!difference in )(?:loss|success rate) [+\N{MINUS SIGN}]\d", text
    )  # a sign belongs to a difference
