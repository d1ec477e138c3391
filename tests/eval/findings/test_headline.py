"""The answer: three sentences at most, whatever was compared, and every comparison told or counted."""

from itertools import product

import pytest

from medvision_agent.eval.findings.headline import headline
from medvision_agent.eval.findings.model import Row

BARE = {
    "of": "off -> on",
    "arm": "on",
    "against": "off",
    "loss": 0.4,
    "loss_against": 0.5,
    "level": 0.95,
    "margin": 0.05,
    "n": 96,
    "subjects": 24,
    "wins": 60,
    "ties": 4,
    "losses": 32,
    "success": 0.0,
    "wrong_place": None,
    "wrong_place_against": None,
    "cost_ratio": 8.4,
    "cost_unit": "tokens",
    "withheld": "",
}


def row(task="distance", outcome="lower", difference=-0.1, *, main=True, model="m", **fields):
    """Return a row with an interval and a p-value where it is a test."""
    tested = outcome != "no claim"
    own = {
        "task": task,
        "contrast": f"{model}: off -> on",
        "model": model,
        "asks": "tools",
        "main": main,
        "difference": difference,
        "interval": None if difference is None else (difference - 0.02, difference + 0.02),
        "p": 0.0004 if tested else None,
        "outcome": outcome,
        "reason": "" if tested else "exploratory",
    }
    return Row(**BARE | own | fields)


def test_a_claim_names_task_difference_interval_p_and_what_it_rests_on():
    (sentence,) = headline([row()], [], 0)
    assert sentence.replace("\N{MINUS SIGN}", "-") == (
        "Tools helped on distance (off -> on): difference in loss -0.100 (95% interval -0.120 to -0.080; adjusted p "
        "0.0004; 96 samples of 24 subjects)."
    )


def test_harm_is_told_before_help():
    said = headline([row(), row("size", "higher", 0.03)], [], 0)
    assert [sentence.split(" on ")[0] for sentence in said] == ["Tools did harm", "Tools helped"]


def test_without_a_claim_the_reason_comes_first_and_then_what_was_seen():
    why, seen = headline([row(outcome="no claim")], [], 0)
    assert why == "No claim about tools can be made: it is no test that was declared beforehand."
    assert seen.startswith("What was seen in off -> on: difference in loss \N{MINUS SIGN}0.100 (95% interval ")
    assert headline([row(outcome="no claim", difference=None, reason="no pairs")], [], 0) == (
        "No claim about tools can be made: no sample was scored in both arms.",
    )


OUTCOMES = ("lower", "higher", "lower, not guarded", "equivalent", "no difference shown", "no claim")
TASKS = ("detection", "size", "angle", "distance")


@pytest.mark.parametrize("outcomes", list(product(OUTCOMES, repeat=3)))
@pytest.mark.parametrize("others", [0, 5])
def test_three_sentences_say_or_count_every_comparison(outcomes, others):
    rows = [row(task, outcome) for task, outcome in zip(TASKS, outcomes, strict=False)]
    rows += [row("distance", "lower", main=False) for _ in range(others)]
    said = headline(rows, [], 0)
    assert 1 <= len(said) <= 3
    counted = sum(int(last.split(" ")[0]) for last in said[-1:] if last[0].isdigit())
    named = sum(task in sentence for task in TASKS[:3] for sentence in said[:1] + said[1:] if not sentence[0].isdigit())
    assert counted >= others
    if not counted:
        assert named >= 1


def test_many_models_are_counted_and_not_listed():
    (said,) = headline([row(model=f"m{number}") for number in range(30)], [], 0)
    assert "and 26 more in the table" in said


def blind(outcome="no difference shown", difference=0.0, control="what tools return", **fields):
    """Return a control of the same arm."""
    return row(
        outcome=outcome, difference=difference, main=False, asks="arms", of="blind -> on", control=control, **fields
    )


def test_a_claim_that_a_control_does_not_confirm_says_so():
    helped, doubt, rest = headline([row(), blind()], [], 0)
    assert helped.startswith("Tools helped on distance")
    assert doubt == "It is not shown to come from what tools return: no such effect in blind -> on on distance (0.000)."
    pictures = blind(control="new detail in images")
    two = "what tools return: no such effect in blind -> on on distance (0.000); nor from new detail in images: no such"
    assert two in headline([row(), blind(), pictures], [], 0)[1]
    assert "what tools" not in headline([row(), blind("lower"), pictures], [], 0)[1], "the control of results shows it"
    assert rest == "1 other comparison: no difference shown in 1."
    assert len(headline([row(), blind("lower", -0.1)], [], 0)) == 2
    assert len(headline([row(), blind(task="size")], [], 0)) == 2, "a control of another task"
    assert "come from" not in " ".join(headline([row(outcome="no claim"), blind()], [], 0))


def test_where_nothing_can_be_claimed_the_last_sentence_counts_all_comparisons():
    open_ = [
        row(task, "no claim", contrast=f"m: {contrast}", main=contrast == "off -> on", of=contrast)
        for task, contrast in product(("distance", "size"), ("off -> on", "blind -> on"))
    ]
    assert headline(open_, [], 0)[-1] == "No claim is possible in any of the 4 comparisons (2 contrasts on 2 tasks)."
    one = [row(), *open_[1:]]
    assert not headline(one, [], 0)[-1].startswith("No claim is possible in any")
    why = [*open_[:3], row("size", "no claim", contrast="m: blind -> on", main=False, reason="few subjects")]
    last = headline(why, [], 0)[-1]
    assert last.startswith("2 other comparisons, of 4 in all (2 contrasts on 2 tasks): no claim possible in 2 (")
    assert "subjects" in last
