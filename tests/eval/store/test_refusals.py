"""Which refusals are the server's rule: by the set of records, in whichever order they came."""

import random

import pytest

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.store.refusals import refused_by_rule, settled


@pytest.fixture
def run(make_record):
    """Return a function that makes records in the order of samples from words: replies, and what refused the next."""

    def make(*samples: tuple[int, str]):
        return [
            make_record(
                f"s{number:03}",
                "distance",
                "" if words else "10",
                outcome=Outcome.REJECTED if words else Outcome.ANSWERED,
                detail=words,
                finish_reasons=("tool_calls",) * replies,
            )
            for number, (replies, words) in enumerate(samples)
        ]

    return make


FINE, LATE = (2, ""), (1, "")
"""Answered after two replies, or after one."""
PICTURES = (1, "Error code: 400 - At most 1 image(s) may be provided in one request.")


def test_nobody_was_ever_taken_in_that_place(run):
    assert refused_by_rule(run(LATE, PICTURES, LATE)) == {"s001"}
    assert refused_by_rule(run((0, "bad"), (0, "worse"))) == {"s000", "s001"}


def test_others_were_taken_in_that_place(run):
    assert refused_by_rule(run(FINE, PICTURES, FINE)) == set()


@pytest.mark.parametrize(
    "words",
    [
        "Invalid parameter: 'tool_call_id' of 'c' not found in 'tool_calls' of previous message.",
        "Tool call id was call_x but must be a-z, A-Z, 0-9, with a length of 9.",
        "Invalid 'input[2].call_id': string too long.",
        "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false.",
        "No tool output found for function call call_x.",
        "messages.2: `tool_use` ids must be unique",
        "messages.3: unexpected `tool_use_id` found in `tool_result` blocks: t1",
        "Function call is missing a thought_signature in functionCall parts.",
    ],
)
def test_ids_are_never_the_models_even_where_others_were_taken(run, words):
    assert refused_by_rule(run(FINE, (1, f"Error code: 400 - {words}"), FINE)) == {"s001"}


@pytest.mark.parametrize("words", ["the prompt is invalid", "tool calls are invalid", "unknown identifier of a tool"])
def test_what_does_not_speak_of_ids_is_a_result(run, words):
    assert refused_by_rule(run(FINE, (1, words), FINE)) == set()


def test_five_in_a_row_among_those_that_got_so_far(run):
    row = [PICTURES, LATE, PICTURES, PICTURES, LATE, PICTURES, PICTURES]
    records = run(*[FINE] * 50, *row, *[FINE] * 50)
    assert len(refused_by_rule(records)) == 5
    assert refused_by_rule(run(*[FINE] * 50, *row[:-1], *[FINE] * 50)) == set()


def test_a_fifth_of_those_that_got_so_far(run):
    apart = [PICTURES, FINE, FINE, FINE, FINE] * 5
    assert len(refused_by_rule(run(*apart))) == 5
    assert refused_by_rule(run(*apart, FINE)) == set()
    assert len(refused_by_rule(run(*apart, LATE))) == 5, "who never asked a second time was not taken there"


def test_words_are_alike_whatever_their_numbers_and_ids(run):
    words = [(1, f"Error 400: request req-{number}a3f99c{number}: {number} images") for number in range(5)]
    assert len(refused_by_rule(run(FINE, *words))) == 5
    others = [(1, f"Error 400: {word} is not allowed") for word in ("this", "that", "what", "which", "who")]
    assert refused_by_rule(run(FINE, *others)) == set()


def test_refused_by_rule_is_infrastructure_and_all_else_stays(run):
    records = run(FINE, *[PICTURES] * 5, FINE, (1, "another word"))
    found = list(settled(records)())
    assert [record.outcome for record in found[1:6]] == [Outcome.UNSUPPORTED] * 5
    assert all(record.outcome.infrastructure for record in found[1:6])
    assert found[7].outcome is Outcome.REJECTED
    assert [found[0], found[6]] == [records[0], records[6]]
    assert list(settled(records[:1])()) == records[:1]


def test_which_came_first_does_not_matter(run):
    """Whatever the order in which records came, a run reads them in the order of its samples."""
    shuffled = random.Random(1)  # noqa: S311 - not a secret
    records = run(*shuffled.choices([FINE, LATE, PICTURES], k=40))
    by_rule = refused_by_rule(records)
    assert by_rule
    for _ in range(20):
        came = shuffled.sample(records, len(records))
        assert refused_by_rule(sorted(came, key=lambda record: record.sample.id)) == by_rule
