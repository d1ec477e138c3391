"""Every sentence about a comparison: printed of a store of which it is true, and not of one of which it is false.

A new text in one of the places below fails the first test until it has its two stores.
"""

import re
from functools import cache
from itertools import chain
from typing import get_args

import pytest
from told.chapters import CHAPTERS
from told.templates import pattern, templates

from medvision_agent.eval.compare.statistics.family import Verdict
from medvision_agent.eval.report import collect
from medvision_agent.eval.report.words import headline, sentences

PLACES = {
    "eval/report/words.py": (),
    "eval/report/place_tables.py": ("place_sentences", "_where", "_gained"),
    "eval/report/parts_tables.py": ("parts_sentences",),
    "eval/parts/compare.py": ("parts_sentence", "_figure"),
    "eval/compare/statistics/estimate.py": ("estimate", "too_few"),
    "eval/compare/statistics/informative.py": ("warning", "_words"),
    "eval/summary/claims.py": (
        "_never_called",
        "_unread_calls",
        "_told_truth",
        "no_claim_line",
        "no_verdict_line",
        "unfinished",
    ),
    "eval/summary/compute.py": (),
    "eval/report/spread.py": ("noise_sentences", "_parts"),
    "eval/report/unseen.py": ("picture_notes",),
    "eval/compare/statistics/family.py": ("_test",),
    "eval/study/progress.py": ("Progress",),
}
"""Where sentences are made: all functions of a file, or those named. For cards: ``test_sentences_of_cards.py``."""
NOT_PRINTED = {
    "larger than": "only where two identical runs differ by exactly 0 on average, and not in every subject",
    "not given": "a reason in the place of an empty one, which no estimate has",
    "a difference is not finite": "an error",
    "cannot be told": "the name of a finding",
    "no pairs": "where there is no pair, another sentence says so",
}
OF_EVERY_CHAPTER = {"{} {} of {} from {}: {}."}
"""What was asked: it is no comparison, and always true."""

TOLD = {
    # words.py
    "runs over": ("gain", "study"),
    "was asked": ("one arm", "gain"),
    "were asked": ("gain", "one arm"),
    "silver: another model's output; derived: by us from a mask": ("silver", "gain"),
    "Truth to be read with care: {} ({}).": ("silver", "gain"),
    "is a scripted policy": ("one offline", "offline"),
    "are scripted policies": ("offline", "one offline"),
    "all arms": ("offline", "one offline"),
    "No vision-language model: {} {}.": ("offline", "gain"),
    "{}, {}: mean loss {}, success rate {} ({}).": ("one arm", "gain"),
    "{} of {} comparisons have no interval; the table of differences has them all, with the reasons.": ("many", "few"),
    "{} is not compared, because the two differ in more than their tools: {}.": ("other recipe", "gain"),
    "Not compared: {}: {}.": ("study with a refusal", "study"),
    " and {} more": ("many", "gain"),
    "{}{}: assumed and not proven: {}.": ("gain", "short"),
    "tested together along a graph of tests (level {})": ("study", "study of few"),
    "{}everything else is exploratory, without p-values": ("study", "study of few"),
    "; everything else is exploratory": ("study", "study with strata"),
    "{}; none of these comparisons has a p-value, and the table of differences says why.": ("study of few", "study"),
    "{}: everything here is exploratory, without p-values.": ("gain", "study"),
    "differences between {} have p-values of their own, by Holm's method; ": ("study with strata", "study"),
    " and between ": ("study of two models", "study with strata"),
    "No comparison was declared before the runs": ("gain", "study without a test"),
    "The study declared its tests by {}, and this is scored by {}": (
        "study by another protocol",
        "study without a test",
    ),
    "No comparison here is one of the study's declared tests": ("study without a test", "study"),
    "{}, {}: no pair was scored in both arms.": ("all lost", "some lost"),
    "success rates {} and {}": ("gain", "all lost"),
    "{}, {}: mean loss{} {} and {}, difference {} ({}; {}; {})": ("gain", "all lost"),
    "mean loss (": ("study with cheap failures", "some failed"),
    "B lower in {}, equal in {}, higher in {}; {} differ{} at all": ("gain", "all lost"),
    "; {}% interval {} to ": ("gain", "few"),
    "; p {}{}, adjusted over the family {}: {}": ("study", "gain"),
    " at look {} of {}": ("study after one look", "study"),
    " (since look {})": ("study after two looks", "study after one look"),
    "no interval, no p-value": ("few", "gain"),
    "no p-value": ("gain", "few"),
    "p {}, adjusted over the strata": ("study with strata", "strata"),
    "{}, {}: the difference is not the same for every {}: {} {}, {} {} (apart by {} to {}; {}).": ("strata", "gain"),
    ". Even 1,000 more subjects in whom the better arm fails would not undo it": (
        "study where A always fails",
        "study",
    ),
    ". One more subject in whom {} fails in {}% of its samples{} would undo it": ("study with a small gain", "study"),
    ", each at the cost of the worst answer,": (
        "study with a small gain and cheap failures",
        "study with a small gain",
    ),
    "in whom A fails": ("study with a small loss", "study with a small gain"),
    "in whom B fails": ("study with a small gain", "study with a small loss"),
    ". It would take {} to undo it": ("study", "study with a small gain"),
    "{} more subjects in whom {} fails in every sample{}": ("study", "study with a small gain"),
    "{}, {}: no answer only in A {}, only in B {}, in both {}": ("some failed", "gain"),
    "; success rate {}": ("some failed", "gain"),
    "; loss over the {} pairs answered in both {}": ("some failed", "study where A always fails"),
    "{}, {}: of the difference in loss, {} comes from answers and {} from failures.": ("some failed", "gain"),
    "{}, {}: had failures cost as much as the worst answer, the difference would be {}.": (
        "study with cheap failures",
        "some failed",
    ),
    "{} {} not asked in both arms yet": ("unfinished", "gain"),
    "{}, {}: {}; no figure has them.": ("unfinished", "gain"),
    (
        "{}, {}: lost to infrastructure only in A {}, only in B {}, in both {} pairs; had they been scored, the "
        "difference would lie between {} and {}."
    ): ("some lost", "gain"),
    " in the {}": ("real twice", "real"),
    "{}, {}: error of the {}{} {}": ("real", "gain"),
    "in all": ("real", "gain"),
    "(mean size, {}, n {}): {}": ("real", "gain"),
    "none left": ("real", "real oracle"),
    "; without the answers of the solver {}: {}": ("real", "real oracle"),
    "{}: own results handed back; both arms answer the same in {}.": ("handed back", "gain"),
    "Samples not asked yet, in no mean: {}.": ("unfinished", "gain"),
    "Results lost to infrastructure, in no mean: {}.": ("some lost", "gain"),
    # place_tables.py
    ", first epoch": ("real twice", "real"),
    ", by chance {} (n {})": ("real", "real without looking"),
    "located answer": ("real", "real without looking"),
    "{} measured in the right place in {} of {}{}": ("real", "real without looking"),
    "in the right place": ("real", "real without looking"),
    "elsewhere": ("real", "real oracle"),
    "not locatable": ("real where off is better", "real"),
    "; pairs in which {} is better, with what they add to the difference: {}": ("real", "real without looking"),
    # parts_tables.py and parts/compare.py
    "of the {} of {} ({}), {}": ("arithmetic that gains", "same"),
    "mean loss {} with {}, {} with {}": ("arithmetic that gains", "same"),
    "of the gain": ("arithmetic that gains", "arithmetic that loses"),
    "of the harm": ("arithmetic that loses", "arithmetic that gains"),
    # estimate.py
    "demonstration data support no claim": ("demonstration", "gain"),
    "{}: the mean difference is the same in every subject": ("same", "gain"),
    "synthetic data: no p-value and no claim about patients": ("synthetic", "gain"),
    "exploratory: not a declared contrast, so no p-value": ("gain", "study"),
    "{} subject{}, fewer than {}": ("few", "gain"),
    "{} effective subjects, fewer than {}": ("giant", "gain"),
    # statistics/family.py
    "no verdict: the difference is {} where a failure costs as much as the worst answer": (
        "study where silence would pay",
        "study with cheap failures",
    ),
    # summary/compute.py
    "compute was not matched between arms": ("counted", "counted and matched"),
    "compute was matched in output tokens alone: {}": ("counted and matched", "counted"),
    "{} times the {}": ("counted", "one arm"),
    "{} took {} of {}": ("counted", "one arm"),
    "{}{}. Per sample {}{}; forced endings: {}.": ("counted", "one arm"),
    "compute was matched in pixels of images alone, as far as they can be enlarged: {}": (
        "counted and enlarged",
        "counted and matched",
    ),
    "{} US dollars": ("counted in money", "counted"),
    "; {} in {}, {} in {}": ("counted in money", "counted"),
    "cost not known": ("counted in money in part", "counted in money"),
    # spread.py
    "two identical runs ({})": ("above the noise", "gain"),
    "; it is {} times theirs": ("unknown noise", "above the noise"),
    "{}: {} differ by {}, without an interval ({}); the difference is {}{}.": ("unknown noise", "above the noise"),
    "{}: the difference of {} is not larger than the noise of asking again: {} differ by {}, whose interval is {} to "
    "{}.": ("within the noise", "above the noise"),
    "{}: the difference of {} is in size {} that of {}, {}, whose interval is {} to {}.": (
        "above the noise",
        "within the noise",
    ),
    "the difference of one sample, asked once in one wording, has SD {}; of its variance, over {}, {}: {}": (
        "asked twice",
        "gain",
    ),
    # unseen.py
    "{}: no picture stood with the question, where refusing is right. A failure costs 1 all the same, so read these "
    "contrasts over the pairs answered in both arms too": ("no picture", "swapped"),
    "{}: the picture of another subject stood with the question{}": ("swapped", "no picture"),
    "{} without such a subject {}": ("swapped but one", "swapped"),
    "; {} in no contrast with it": ("swapped but one", "swapped"),
    # informative.py
    "of unknown kind (too few data to tell)": ("some failed", "failed where large"),
    "What is missing is {}: {}": ("some failed", "gain"),
    "{}. Read the bounds, not the complete pairs alone.": ("some failed", "gain"),
    "What is missing is certain": ("study where A always fails", "some failed"),
    "What is missing is informative": ("failed where large", "some failed"),
    "losses to infrastructure": ("lost where large", "failed where large"),
    "rates of {} in B and A{}": ("failed where large", "some failed"),
    "{} of {} and the loss of {}{}": ("both failed, B where hard", "both failed, B where large"),
    "{} of {} and the size of targets{}": ("both failed, B where large", "both failed, B where hard"),
    # claims.py
    "no verdict: {} of {} {} asked": ("unfinished", "gain"),
    "planned sample": ("unfinished", "gain"),
    # study/progress.py
    "look {} of {} at {} over {}: the tests are of {} of {} subjects": (
        "study that was looked at",
        "study before its first look",
    ),
    "{}, and the first of {} looks at {} takes {} subjects": (
        "study before its first look",
        "study that was looked at",
    ),
    "no tool was called in any of {}": ("never called", "gain"),
    "reply holds": ("unread call", "unread calls"),
    "replies hold": ("unread calls", "unread call"),
    "{} {} unread calls: {}": ("unread calls", "gain"),
    "{} {} told the ground truth": ("told the truth", "gain"),
    "NOTHING CAN BE SAID OF TOOLS: {}": ("never called", "gain"),
    # collect.py
    collect._POLICY: ("offline", "oracle"),
    collect._ORACLE: ("oracle", "offline"),
    # family.py
    "B has the lower loss": ("study", "study that loses"),
    "B has the higher loss": ("study that loses", "study"),
    "B is lower in what was seen; rare failures are not excluded": ("study with a small gain", "study"),
    "B is higher in what was seen; rare failures are not excluded": ("study with a small loss", "study that loses"),
    "equivalent: apart by less than the margin": ("study of equals with a margin", "study of equals"),
    "no difference shown": ("study of equals", "study"),
}
"""By text: a chapter of which it is true, and one of which it is false."""
NARROWER = {
    "look {} of {} at {} over {}: the tests are of {} of {} subjects": r"Look 2 of 2 at m over data: the tests are",
    " in the {}": " in the first epoch",
    "equivalent: apart by less than the margin": r"equivalent: apart by less than 0\.2\.",
    "compute was not matched between arms": "[Cc]ompute was not matched between arms",
    "compute was matched in output tokens alone: {}": "[Cc]ompute was matched in output tokens alone: pictures",
    "compute was matched in pixels of images alone, as far as they can be enlarged: {}": "ompute was matched in pix",
    "{} US dollars": r"of off; 0\.002 US dollars in off",
    "; {} in {}, {} in {}": r" of off; .* in off, .* in on; forced",
    "{} took {} of {}": r"on took .* of off|on took .* of matched",
    "runs over": "Runs over",
    "{} of {} and the size of targets{}": r"failures of [AB] and the size of targets",
    "{} {} of {} and the loss of {}{}": r"failures of [AB] and the loss of",
    "no p-value": r"\d; no p-value \(",
    "in the right place": r"difference: .*in the right place \d+ \(",
    "is a scripted policy": r"is a scripted policy\.",
    "all arms": r"No vision-language model: all arms",
    "{}, {}: mean loss {}, success rate {} ({}).": r": mean loss \S+, success rate",
    "{} effective subjects, fewer than {}": r"\d effective subjects, fewer than 10",
    "{} subject{}, fewer than {}": r"\(\d+ subjects, fewer than 20",
    "; success rate {}": r"; success rate [^s]",
    " and {} more": r" and \d+ more: assumed",
    "; everything else is exploratory": r"\(level 0\.05\); everything else is exploratory",
    "elsewhere": r"difference: .*elsewhere \d+ \(",
    "in all": r"n \d+\): in all",
}
"""Where the text alone would also be found in another sentence."""
MORE = {
    "elsewhere",
    ", first epoch",
    "mean loss (",
    "of the gain",
    "of the harm",
    "; everything else is exploratory",
    "in whom A fails",
    "in whom B fails",
    "What is missing is informative",
    "of unknown kind (too few data to tell)",
    "What is missing is certain",
}
"""What is told apart within one text."""


@pytest.fixture(scope="module")
def told(stores):
    """Return a function that returns what is printed of a chapter; each is made once."""

    @cache
    def printed(name: str) -> str:
        folder = re.sub(r"\W", "-", name)
        chapter = CHAPTERS[name](lambda run, *more, **fields: stores(f"{folder}/{run}", *more, **fields))
        return "\n".join([headline(chapter), *chapter.no_claim, *sentences(chapter)])

    return printed


def test_every_text_has_its_two_stores():
    texts = set(chain.from_iterable(templates(file, names) for file, names in PLACES.items()))
    texts |= {collect._POLICY, collect._ORACLE, *get_args(Verdict)}
    assert set(TOLD) - MORE == texts - set(NOT_PRINTED) - OF_EVERY_CHAPTER
    assert {name for pair in TOLD.values() for name in pair} <= set(CHAPTERS)


@pytest.mark.parametrize("text", TOLD)
def test_it_is_printed_where_it_is_true_and_not_where_it_is_false(told, text):
    finds = re.compile(NARROWER[text]) if text in NARROWER else pattern(re.sub(r"\{\w+\}", "{}", text))
    true, false = TOLD[text]
    assert finds.search(told(true)), told(true)
    assert not finds.search(told(false)), told(false)
