"""The caveats of an answer: each kind once, the most serious first.

Contract: each kind is one sentence, however many comparisons it concerns; its details are the sentences of single
comparisons. To add a kind, add a line to ``_KINDS``, ordered by seriousness.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from medvision_agent.eval.compare.card_words import doubts
from medvision_agent.eval.findings.contrasts import Worked
from medvision_agent.eval.findings.doubted import (
    apart,
    early,
    fragile,
    lost,
    noise_not_known,
    not_asked,
    price,
    unanswered,
    warned,
    within_noise,
    wrong_place,
)
from medvision_agent.eval.findings.model import Caveat
from medvision_agent.eval.findings.said import where
from medvision_agent.eval.findings.second import by_form
from medvision_agent.eval.findings.shown import picture_notes
from medvision_agent.eval.findings.stated import (
    declared_line,
    offline_lines,
    reading_lines,
    truth_lines,
    unfinished_lines,
)
from medvision_agent.eval.summary.claims import no_claim, no_claim_line

__all__ = ["caveats"]

Said = Iterator[tuple[str, str]]
"""Pairs of a subject (a contrast, with or without a task; empty: everything) and a sentence."""


_SENTENCES = re.compile(r"(?<=\.) (?=[A-Z])")


class _Kind(NamedTuple):
    name: str
    found: Callable[[Worked], Said]
    together: str
    """The sentence for several comparisons, which replace ``{where}``."""


def caveats(worked: Worked) -> tuple[Caveat, ...]:
    """Return the caveats of a chapter (the arms over one set of samples), each kind once, the most serious first."""
    return tuple(_caveat(kind, found, worked) for kind in _KINDS if (found := list(kind.found(worked))))


def _caveat(kind: _Kind, found: Sequence[tuple[str, str]], worked: Worked) -> Caveat:
    """Return one caveat that covers all findings of a kind.

    *found* holds pairs of what a sentence is about (a contrast, with or without its task) and the sentence.
    """
    tests, contrasts = sum(len(one.tests) for one in worked.contrasts), len(worked.contrasts)
    by_task = tests == contrasts or any(", " in about for about, _ in found)
    of, things = (tests, "comparisons") if by_task else (contrasts, "contrasts")
    names = list(dict.fromkeys(about for about, _ in found if about))
    texts = list(dict.fromkeys(said for _, said in found))
    if len(texts) == 1:
        text = f"{names[0]}: {texts[0]}" if len(names) == 1 else texts[0]
        several = where(names, of, things).replace(" (", ": ", 1).removesuffix(")")
        text = f"{text.removesuffix('.')} ({several})." if len(names) > 1 else text
        named = len(names) == 1 or text.startswith(tuple(arm.model for arm in worked.chapter.arms))
        return Caveat(kind=kind.name, text=text if named else f"{text[:1].upper()}{text[1:]}")
    details = tuple(_one_by_one(found))
    return Caveat(
        kind=kind.name, text=kind.together.format(where=where(names, of, things) if names else ""), details=details
    )


def _one_by_one(found: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield each sentence after the comparisons that it is about; a sentence shared by several is yielded once."""
    about: dict[str, list[str]] = {}
    for name, said in found:
        about.setdefault(said, []).append(name)
    known = set[str]()
    for said, names in about.items():
        new = [one for one in _SENTENCES.split(said) if one not in known]
        known.update(new)
        text = " ".join(new) or said
        yield f"{'; '.join(filter(None, names))}: {text}" if any(names) else text


def _untested(worked: Worked) -> Said:
    for arm in worked.chapter.arms:
        for why in no_claim(arm.runs):
            yield "", f"{no_claim_line(f'{arm.name}: {why}')}."


def _scripted(worked: Worked) -> Said:
    if not any(one.by_construction for one in worked.contrasts):
        yield from (("", line) for line in offline_lines(worked.chapter))
    for one in worked.contrasts:
        if one.by_construction:
            yield one.name, f"{one.by_construction}."


def _refused(worked: Worked) -> Said:
    for one in worked.chapter.refused:
        what = "; ".join(one.differences).removesuffix(".")
        if worked.chapter.kind == "runs":
            yield "", f"{one.name} is not compared, because the two differ in more than their tools: {what}."
        else:
            yield "", f"Not compared: {one.name}: {what}."


def _compute(worked: Worked) -> Said:
    for one in worked.contrasts:
        if one.compute is not None:
            yield one.name, str(one.compute)


def _pictures(worked: Worked) -> Said:
    yield from (("", f"{note}.") for note in picture_notes(worked.chapter))


def _assumed(worked: Worked) -> Said:
    for one in worked.contrasts:
        if found := doubts(one.card):
            yield one.name, f"assumed and not proven: {'; '.join(found)}."


def _chapter(lines: Callable[[Worked], Iterator[str]]) -> Callable[[Worked], Said]:
    """Return a function that yields the sentences of *lines* as sentences about a whole chapter, not one contrast."""
    return lambda worked: (("", line) for line in lines(worked))


_KINDS = (
    _Kind("untested", _untested, "NOTHING CAN BE SAID OF TOOLS in several arms."),
    _Kind(
        "scripted",
        _scripted,
        "Scripted policies, not models, were asked in {where}; differences hold by construction.",
    ),
    _Kind("early", _chapter(early), "It is too early for some verdicts."),
    _Kind("refused", _refused, "Some comparisons were refused, because more differs than may."),
    _Kind("reading", _chapter(reading_lines), ""),
    _Kind("form", by_form, "Part of the difference is the form of the answers, not the measurement, in {where}."),
    _Kind("informative", warned, "What is missing may not be like the rest in {where}: read the bounds as well."),
    _Kind("lost", lost, "Results were lost to infrastructure in {where}."),
    _Kind("not asked", not_asked, "Pairs were not asked in both arms yet in {where}; no figure has them."),
    _Kind("failed", unanswered, "Answers are missing in {where}; each costs the loss of a failure."),
    _Kind("price", price, "What a failure costs matters in {where}."),
    _Kind("fragile", fragile, "One more subject in whom the better arm fails could undo the difference in {where}."),
    _Kind("wrong place", wrong_place, "Part of the difference was measured in the wrong place in {where}."),
    _Kind("compute", _compute, "Compute differs between the arms of {where}."),
    _Kind("noise", within_noise, "The noise of asking again is as large as the difference in {where}."),
    _Kind(
        "noise not known",
        noise_not_known,
        "How large the noise of asking again is, is not known in {where}: the identical runs have no interval.",
    ),
    _Kind("pictures", _pictures, "Some arms were shown another image, or none."),
    _Kind("strata", apart, "The difference is not the same in all strata in {where}."),
    _Kind("parity", _assumed, "Parity is in part assumed and not proven in {where}."),
    _Kind("truth", _chapter(truth_lines), ""),
    _Kind("unfinished", _chapter(unfinished_lines), "Not every sample has a result."),
    _Kind("declared", _chapter(declared_line), ""),
)
"""From the caveat that invalidates an answer to those that a reader should merely know."""
