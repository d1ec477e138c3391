"""Every sentence about a comparison: printed of a store of which it is true, and not of one of which it is false.

A new text in one of the places below fails the first test until it has its two stores.
"""

import re
from functools import cache
from itertools import chain

import pytest
from told.chapters import CHAPTERS
from told.narrower import MORE, NARROWER
from told.places import PLACES
from told.printed import printed as all_printed
from told.tabled import TABLED
from told.templates import pattern, templates

from medvision_agent.eval.compare.statistics.pairs import DEMONSTRATION
from medvision_agent.eval.findings import contrasts, rows, stated

NOT_PRINTED = {
    "larger than": "only where two identical runs differ by exactly 0 on average, and not in every subject",
    "differences: {} of {} are NaN or infinite; leave these pairs out": "an error",
    "cannot be told": "the name of a finding",
    ", of {} in all": "only where a claim or a reason is told of some: eval/findings/test_headline.py",
    ", not every model in each": "only where a study asks models in different arms: test_asked.py",
    "no pairs": "where there is no pair, another sentence says so",
}
OF_EVERY_CHAPTER = {"{} {} {} of {} from {}{}: {}.{}{}"}
"""What was asked: it is no comparison, and always true."""

TOLD = {
    # headline.py
    "no claim": ("gain", "study"),
    "Tools helped": ("study", "study that loses"),
    "Tools did harm": ("study that loses", "study"),
    "Tools helped in what was seen, rare failures not excluded,": ("study with a small gain", "study"),
    "Tools did harm in what was seen, rare failures not excluded,": (
        "study with a small loss",
        "study that loses",
    ),
    "Tools made no difference as large as the margin": ("study of equals with a margin", "study of equals"),
    "No effect of tools was shown": ("study of equals", "study"),
    "Arm {} did better than arm {}": ("gain, of a control", "study"),
    "Arm {} did worse than arm {}": ("loss, of a control", "study that loses"),
    "Arm {} did better than arm {} in what was seen, rare failures not excluded,": (
        "small gain, of a control",
        "gain, of a control",
    ),
    "Arm {} did worse than arm {} in what was seen, rare failures not excluded,": (
        "small loss, of a control",
        "loss, of a control",
    ),
    "The arms {} and {} differ by less than the margin": ("equals with a margin, of a control", "equals, of a control"),
    "No difference between the arms {} and {} was shown": ("equals, of a control", "gain, of a control"),
    ", which is {}": ("study of equals with a margin", "study of equals"),
    "a higher loss": ("other loses", "other gains"),
    "a lower loss": ("other gains", "other loses"),
    "a higher loss, rare failures not excluded,": ("other loses a little", "other loses"),
    "a lower loss, rare failures not excluded,": ("other gains a little", "other gains"),
    "no difference as large as the margin": ("other is alike", "other gains"),
    "no claim possible": ("above the noise", "other gains"),
    "No claim is possible in any of the {} comparisons{}.": ("few in other", "above the noise"),
    "no sample was scored in both arms": ("all lost", "gain"),
    "an arm says nothing of tools, as the first caveat explains": ("never called", "gain"),
    "the arms are scripted policies and not models": ("offline", "gain"),
    "demonstration data support none": ("demonstration", "gain"),
    "not all planned samples were asked": ("unfinished", "gain"),
    "it takes at least 20 subjects of comparable size": ("few", "gain"),
    "the difference is the same in every subject": ("same", "gain"),
    "the images are synthetic": ("synthetic", "gain"),
    "the two runs are identical": ("only a repeat", "gain"),
    "it is no test that was declared beforehand": ("gain", "study"),
    "the sign of the difference depends on what a failure costs": (
        "study where silence would pay",
        "study with cheap failures",
    ),
    "difference in loss {}": ("gain", "all lost"),
    "difference in loss: {}": ("demo boxes and angles", "demo boxes and sizes"),
    "differences in loss: {}": ("study of five models", "study"),
    "{} more in the table": ("study of five models", "study of two models"),
    "No claim about {} can be made{}: {}.": ("gain", "study"),
    "What was seen in {}: {}.": ("gain", "all lost"),
    "other comparison": ("other gains", "study"),
    "{}; in all others the mean losses differ by less than 0.001": ("demo boxes and angles", "demo boxes and sizes"),
    "the mean losses differ by less than 0.001 in all {} comparisons": ("demo oracle", "demo boxes and angles"),
    "{} ({} contrasts on {} tasks)": ("two contrasts on two tasks", "other gains"),
    "; nor from ": ("two controls show nothing", "a control shows nothing"),
    "{}: no such effect in {}": ("a control shows nothing", "a control confirms"),
    "It is not shown to come from {}.": (
        "a control shows nothing",
        "a control confirms",
    ),
    # alone.py
    "No sample was scored.": ("one arm, all lost", "one arm"),
    "Mean loss of {}: {}.": ("one arm", "gain"),
    ", as a caveat explains": ("other recipe", "gain"),
    "; {} in the table": ("three recipes", "other recipe"),
    "more arm": ("three recipes", "other recipe"),
    "Nothing is compared{}{}.": ("other recipe", "gain"),
    # rows.py
    "few subjects": ("few", "gain"),
    "demo data": ("demonstration", "gain"),
    "no spread": ("same", "gain"),
    "failure price": ("study where silence would pay", "study with cheap failures"),
    "not guarded": ("study with a small gain", "study"),
    "none shown": ("study of equals", "study"),
    "the two runs are identical: what they differ by is noise": ("only a repeat", "gain"),
    rows._NOT_GUARDED: ("study with a small gain", "study"),
    rows._NOT_SHOWN: ("study of equals", "study"),
    # said.py
    "both comparisons": ("much twice", "gain"),
    "all {} comparisons": ("noise of three", "much twice"),
    "{} of {} comparisons (": ("unknown noise twice", "gain"),
    "both contrasts": ("two contrasts on two tasks", "much twice"),
    # caveats.py
    "NOTHING CAN BE SAID OF TOOLS in several arms.": ("never called twice", "never called"),
    "Scripted policies, not models, were asked in {where}; differences hold by construction.": (
        "two policies",
        "offline",
    ),
    "It is too early for some verdicts.": ("much twice", "unfinished"),
    "Some comparisons were refused, because more differs than may.": ("three recipes", "other recipe"),
    "Part of the difference is the form of the answers, not the measurement, in {where}.": (
        "read in sentences twice",
        "read in sentences",
    ),
    "What is missing may not be like the rest in {where}: read the bounds as well.": ("failed twice", "some failed"),
    "Results were lost to infrastructure in {where}.": ("much twice", "some lost"),
    "Pairs were not asked in both arms yet in {where}; no figure has them.": ("much twice", "unfinished"),
    "Answers are missing in {where}; each costs the loss of a failure.": ("much twice", "some failed"),
    "What a failure costs matters in {where}.": ("cheap failures twice", "study with cheap failures"),
    "One more subject in whom the better arm fails could undo the difference in {where}.": (
        "other gains a little",
        "study with a small gain",
    ),
    "Part of the difference was measured in the wrong place in {where}.": ("demo boxes and sizes", "demo boxes"),
    "Compute differs between the arms of {where}.": ("other gains", "gain"),
    "The noise of asking again is as large as the difference in {where}.": (
        "within the noise twice",
        "unknown noise twice",
    ),
    "How large the noise of asking again is, is not known in {where}: the identical runs have no interval.": (
        "unknown noise twice",
        "within the noise twice",
    ),
    "Some arms were shown another image, or none.": ("two other pictures", "no picture"),
    "The difference is not the same in all strata in {where}.": ("strata twice", "strata"),
    "Parity is in part assumed and not proven in {where}.": ("much twice", "gain"),
    "Not every sample has a result.": ("much twice", "some lost"),
    "{} is not compared, because the two differ in more than their tools: {}.": ("other recipe", "gain"),
    "Not compared: {}: {}.": ("study with a refusal", "study"),
    "assumed and not proven: {}.": ("gain", "short"),
    # doubted.py
    "lost to infrastructure only in {} {}, only in {} {}, ": ("some lost", "gain"),
    "in both {} pairs; had they been scored, the difference would lie between ": ("some lost", "gain"),
    "{} {} not asked in both arms yet.": ("unfinished", "gain"),
    "no answer only in {} {}, only in {} {}, ": ("some failed", "gain"),
    "in both {}": ("some failed", "gain"),
    "; difference in success rate {}": ("some failed", "gain"),
    "; of the difference in loss, {} comes from answers and {} from failures": ("some failed", "gain"),
    "; over the {} pairs answered in both it is {}": ("some failed", "study where A always fails"),
    "had failures cost as much as the worst answer, the difference would be {}.": (
        "study with cheap failures",
        "some failed",
    ),
    "one more subject in whom {} fails in {}% of its samples{} would undo it.": ("study with a small gain", "study"),
    ", each at the cost of the worst answer,": (
        "study with a small gain and cheap failures",
        "study with a small gain",
    ),
    "{} is better in {} although it measured in the wrong place, which adds {} to the difference": (
        "demo boxes",
        "real oracle",
    ),
    "two identical runs ({}) differ by {}": ("unknown noise", "gain"),
    "; the difference is {} times theirs": ("unknown noise", "within the noise"),
    "{}, without an interval ({}){}.": ("unknown noise", "within the noise"),
    "the difference is not larger than the noise of asking again: {}": (
        "within the noise",
        "above the noise",
    ),
    "{}, whose interval is {} to {}.": ("within the noise", "unknown noise"),
    "p {}, adjusted over the strata": ("study with strata", "strata"),
    "the difference is not the same for every {}: {} {}, {} {}": ("strata", "gain"),
    "{} (apart by {} to {}; {}).": ("strata", "gain"),
    # stated.py
    stated.BANNERS["synthetic"]: ("synthetic", "gain"),
    stated.BANNERS["demonstration"]: ("demonstration", "gain"),
    "was asked": ("one arm", "gain"),
    "were asked": ("gain", "one arm"),
    "is being asked": ("one arm, unfinished", "one arm"),
    "are being asked": ("unfinished", "gain"),
    " So far, {} of {} answers are there.": ("unfinished", "gain"),
    "All comparisons score the answers as {} reads them. The figures of single runs and samples beside them (the table "
    "of cells, runs, the viewer, the table samples) go by the rule.": ("study that was read", "study to be read"),
    " Answers are scored as {} reads them: the plan says so since before the first call.": (
        "study that was read",
        "study to be read",
    ),
    "is a scripted policy": ("one offline", "offline"),
    "are scripted policies": ("offline, uncompared", "one offline"),
    "all arms": ("offline, uncompared", "one offline"),
    "No vision-language model: {} {}.": ("one offline", "gain"),
    "another model's output": ("silver", "demo distances"),
    "computed from a mask": ("demo distances", "silver"),
    "Ground truth to be read with care: {}{}.": ("silver", "gain"),
    "Samples not asked yet, in no mean: {}.": ("unfinished", "gain"),
    "Results lost to infrastructure, in no mean: {}.": ("some lost", "gain"),
    " over all sources of the study": ("study of several sources", "study"),
    "tested together along a graph of tests (level {})": ("study", "study of few"),
    "{} and {}; {}everything else is exploratory, without p-values.": ("study", "study of few"),
    "{}; none of these comparisons has a p-value; the report says why under {}.": ("study of few", "study"),
    " ({} contrasts on {} tasks)": ("two contrasts on two tasks", "study of few"),
    "{}: everything here is exploratory, without p-values.": ("gain", "study"),
    "differences between {} have p-values of their own, by Holm's method; ": ("study with strata", "study"),
    " and between ": ("study of two models", "study with strata"),
    "No comparison was declared before the runs": ("gain", "study without a test"),
    "The study declared its tests by {}, and this is scored by {}": (
        "study by another protocol",
        "study without a test",
    ),
    "No comparison here is one of the study's declared tests": ("study without a test", "study"),
    "; everything else is exploratory": ("study", "study with strata"),
    # words.py
    "runs over": ("gain", "study"),
    "{}, {}: no pair was scored in both arms.": ("all lost", "some lost"),
    "success rates {} and {}": ("gain", "all lost"),
    "{}, {}: mean loss{} {} with {} and {} with {}, difference {} ({}; {}; {})": ("gain", "all lost"),
    "mean loss (": ("study with cheap failures", "some failed"),
    "{} lower in {}, equal in {}, higher in {}; {} differ{} at all": ("gain", "all lost"),
    "; {}% interval {} to ": ("gain", "few"),
    "; p {}{}, adjusted over the family {}: {}": ("study", "gain"),
    " at look {} of {}": ("study after one look", "study"),
    " (since look {})": ("study after two looks", "study after one look"),
    "no interval, no p-value": ("few", "gain"),
    "no p-value": ("gain", "few"),
    ". Even 1,000 more subjects in whom the better arm fails would not undo it": (
        "study where A always fails",
        "study",
    ),
    "in whom off fails": ("study with a small loss", "study with a small gain"),
    "in whom on fails": ("study with a small gain", "study with a small loss"),
    ". It would take {} to undo it": ("study", "study with a small gain"),
    "{} more subjects in whom {} fails in every sample{}": ("study", "study with a small gain"),
    " in the {}": ("real twice", "real"),
    "{}, {}: error of the {}{} {}": ("real", "gain"),
    "in all": ("real", "gain"),
    "(mean size, {}, n {}): {}": ("real", "gain"),
    "none left": ("real", "real oracle"),
    "; without the answers of the solver {}: {}": ("real", "real oracle"),
    "{}: own results handed back; both arms answer the same in {}.": ("handed back", "gain"),
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
    # pairs.py
    "demonstration data support no claim": ("demonstration", "gain"),
    # estimate.py
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
    "{} took {} of {}{}": ("counted", "one arm"),
    "{}{}. Per sample {}; forced endings: {}.": ("counted", "one arm"),
    "compute was matched in pixels of images alone, as far as they can be enlarged: {}": (
        "counted and enlarged",
        "counted and matched",
    ),
    "{} US dollars": ("counted in money", "counted"),
    "; {} in {}, {} in {}": ("counted in money", "counted"),
    "cost not known": ("counted in money in part", "counted in money"),
    # spread.py
    "{}, {}: the difference of {} is in size {} that of two identical runs ({}), {}, whose interval is {} to {}.": (
        "above the noise",
        "within the noise",
    ),
    "the difference of one sample, asked once in one wording, has SD {}; of its variance, over {}, {}: {}": (
        "asked twice",
        "gain",
    ),
    # shown.py
    "{}: no image stood with the question, where refusing is right. A failure costs 1 all the same, so read these "
    "contrasts over the pairs answered in both arms too": ("no picture", "swapped"),
    "{}: the image of another subject stood with the question{}": ("swapped", "no picture"),
    "{} without such a subject {}": ("swapped but one", "swapped"),
    "; {} in no contrast with it": ("swapped but one", "swapped"),
    # informative.py
    "of unknown kind (too few data to tell)": ("some failed", "failed where large"),
    "What is missing is {}: {}": ("some failed", "gain"),
    "{}. Read the bounds, not the complete pairs alone.": ("some failed", "gain"),
    "What is missing is certain": ("study where A always fails", "some failed"),
    "What is missing is informative": ("failed where large", "some failed"),
    "losses to infrastructure": ("lost where large", "failed where large"),
    "{} and {} differ in their rate of {}{}": ("failed where large", "some failed"),
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
    # deciding.py
    "{}, {}{}: of {}, {} turns {} right and {} wrong": ("decisions", "gain"),
    "; net {} right for each dollar more": ("decisions at a price", "decisions"),
    # reading_tables.py, readings.py
    "{}, {}{}: difference in loss {} by the rule and {} by {}, over {}; the part that only one of them sees (format) "
    "is {}.{}": ("read again", "gain"),
    " Of {}, the reader misses {} of {} and {} of {} that the rule reads; each counts as a failure under the reader.": (
        "missed by the reader",
        "read again",
    ),
    "the difference in loss is {} as the rule reads the answers and {} as the second reader {} reads them, over {}; "
    "what lies between the two is the form of the answers, not the measurement.{}": ("read in sentences", "read again"),
    "{} (95% interval {} to {})": ("read again", "few read again"),
    "no verdict: {}, which the plan names as the primary reader, has not read {} of {}, so that all figures are by the "
    "rule; repeat the study's command, with a higher cost limit if it is used up": ("study to be read", "study"),
    # contrasts.py
    contrasts._POLICY: ("offline", "oracle"),
    contrasts._ORACLE: ("oracle", "offline"),
    # family.py
    "second arm has the lower loss": ("study", "study that loses"),
    "second arm has the higher loss": ("study that loses", "study"),
    "second arm is lower in what was seen; rare failures are not excluded": ("study with a small gain", "study"),
    "second arm is higher in what was seen; rare failures are not excluded": (
        "study with a small loss",
        "study that loses",
    ),
    "equivalent: apart by less than the margin": ("study of equals with a margin", "study of equals"),
    "no difference shown": ("study of equals", "study"),
}
"""By text: a chapter of which it is true, and one of which it is false."""


def bare(text: str) -> str:
    """Return a text without the names of what fills it."""
    return re.sub(r"\{\w+\}", "{}", text)


@pytest.fixture(scope="module")
def told(stores):
    """Return a function that returns what is printed of a chapter; each is made once."""

    @cache
    def printed(name: str) -> str:
        folder = re.sub(r"\W", "-", name)
        chapter = CHAPTERS[name](lambda run, *more, **fields: stores(f"{folder}/{run}", *more, **fields))
        return all_printed(chapter)

    return printed


def test_every_text_has_its_two_stores():
    texts = set(chain.from_iterable(templates(file, names) for file, names in PLACES.items()))
    texts |= {DEMONSTRATION, *map(bare, TABLED)}
    assert set(map(bare, TOLD)) - MORE == texts - set(NOT_PRINTED) - OF_EVERY_CHAPTER
    assert {name for pair in TOLD.values() for name in pair} <= set(CHAPTERS)


@pytest.mark.parametrize("text", TOLD)
def test_it_is_printed_where_it_is_true_and_not_where_it_is_false(told, text):
    finds = re.compile(NARROWER[text]) if text in NARROWER else pattern(bare(text))
    true, false = TOLD[text]
    assert finds.search(told(true)), told(true)
    assert not finds.search(told(false)), told(false)
