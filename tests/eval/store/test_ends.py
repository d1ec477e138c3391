"""How the samples of a run ended last, told in numbers, against what the records say one by one."""

from hypothesis import given
from hypothesis import strategies as st

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.store.ends import Ends
from medvision_agent.eval.store.seal import StoredRecord

IDS = [f"sample {number}" for number in range(8)]
RECORDS = st.dictionaries(
    st.tuples(st.sampled_from(IDS), st.integers(1, 4)),
    st.tuples(st.sampled_from(list(Outcome)), st.booleans(), st.booleans()),
)


def stored(sample_id, attempt, outcome, drawn, sealed):
    text = '{"part":true}' if drawn else "{}"
    return StoredRecord(sample_id, attempt, outcome.value, text, None, "hash" if sealed else None)


@given(RECORDS, st.randoms())
def test_it_follows_from_the_latest_attempt_of_each_sample(records, random):
    ends, given_ = Ends(), [(*key, *value) for key, value in records.items()]
    random.shuffle(given_)
    for one in given_:
        ends.hear(stored(*one))
    latest, drawn = {}, {}
    for sample_id, attempt, outcome, part, sealed in sorted(given_, key=lambda one: one[:2]):
        if part:
            drawn[sample_id] = attempt
        else:
            latest[sample_id] = attempt, outcome, sealed
    todo = []
    for place, sample_id in enumerate(IDS):
        attempt, outcome, _ = latest.get(sample_id, (0, None, True))
        if outcome is None or (outcome.infrastructure and outcome is not Outcome.CRASHED):
            todo.append((place, max(attempt, drawn.get(sample_id, 0)) + 1))
    assert list(found := ends.todo(IDS)) == todo
    assert len(found) == len(todo)
    assert (ends.finished, ends.draws) == (len(latest), sum(one[3] for one in given_))
    assert ends.superseded == len(given_) - ends.draws - len(latest)
    assert ends.refused == any(outcome is Outcome.REJECTED for _, outcome, _ in latest.values())
    assert ends.unsealed == {sample_id for sample_id, (_, _, sealed) in latest.items() if not sealed}
