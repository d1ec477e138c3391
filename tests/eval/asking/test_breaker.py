"""What the breaker makes of refusals as it hears of them, against the rule over all records at that moment."""

from hypothesis import given
from hypothesis import strategies as st
from identities import a_sample

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.asking.breaker import Breaker
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.refusals import IN_A_ROW, refused_by_rule

SAMPLES = [a_sample(f"s{number:02}") for number in range(16)]
ENDINGS = {
    "answered": {"outcome": Outcome.ANSWERED, "finish_reasons": ("tool_calls", "stop")},
    "refused": {"outcome": Outcome.REJECTED, "finish_reasons": ("tool_calls",), "detail": "no picture, please"},
    "refused otherwise": {"outcome": Outcome.REJECTED, "finish_reasons": ("tool_calls",), "detail": "too long"},
}


def ended(numbers: list[int], words: list[str]) -> list[Record]:
    return [Record(sample=SAMPLES[number], **ENDINGS[words[number]]) for number in numbers]


@given(
    st.permutations(range(len(SAMPLES))),
    st.lists(st.sampled_from(list(ENDINGS)), min_size=len(SAMPLES), max_size=len(SAMPLES)),
    st.integers(0, len(SAMPLES) - 1),
)
def test_a_probe_is_called_for_when_the_rule_over_all_records_says_so(
    order: list[int], words: list[str], before: int
) -> None:
    records, earlier = ended(order, words), before
    breaker = Breaker("m", SAMPLES, records[:earlier])
    for heard in range(earlier, len(records)):
        latest = sorted(records[: heard + 1], key=lambda record: record.sample.id)
        refused = refused_by_rule(latest)
        fresh = {record.sample.id for record in records[earlier : heard + 1]}
        one = records[heard]
        called = one.sample.id in refused and len(refused & fresh) >= IN_A_ROW
        assert breaker.hear(one) == ([one] if called else [])
        if called:
            return
