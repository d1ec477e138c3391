"""What is made of several answers to one question, worked out by hand."""

import pytest

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.eval.asking.combine import central_box, combined, medians, read
from medvision_agent.eval.asking.draws import mean_number
from medvision_agent.eval.scorer.protocol import PROTOCOLS
from medvision_agent.eval.scorer.score import score_record
from medvision_agent.eval.store.record import Spoken


@pytest.fixture
def drawn(make_record):
    """Return a function that makes answers drawn to one sample."""

    def made(task, *responses, **fields):
        plain = make_record("s", task, "", part=True, **fields)
        return [plain.model_copy(update={"response": one}) for one in responses]

    return made


def tagged(*responses):
    return [f"<think>1, 2</think><answer>{one}</answer>" for one in responses]


def test_the_median_of_each_axis_after_sorting(drawn):
    assert medians([(30, 20), (18, 34), (40, 22)]) == [34, 20]
    assert medians([(30, 20), (18, 34), (40, 22), (10, 10)]) == [32, 19]
    one = combined(drawn("size", *tagged("30, 20", "18.5, 34.25", "40, 22")), 4, tagged=True)
    assert (one.response, one.outcome) == ("<answer>34.25, 20</answer>", "answered")
    assert (one.attempt, one.draws, one.part) == (4, 3, False)


@pytest.mark.parametrize(
    ("task", "answers", "median"), [("angle", ("10", "50", "41"), 41.0), ("distance", ("9", "12"), 10.5)]
)
def test_both_protocols_read_the_median(drawn, task, answers, median):
    one = combined(drawn(task, *tagged(*answers)), 3, tagged=True)
    assert [score_record(one, rules).values for rules in PROTOCOLS.values()] == [(median,)] * 2


def test_a_recipe_without_tags_gets_an_answer_without_tags(drawn):
    one = combined(drawn("distance", "about 9.5 mm", "12", "11"), 4, tagged=False)
    assert one.response == "11"
    assert read(drawn("distance", "9 or 10")[0], tagged=False) == (10.0,)
    assert read(drawn("distance", "9 or 10")[0], tagged=True) is None


def test_only_answers_count_and_half_of_them_are_enough(drawn):
    some = drawn("distance", *tagged("9", "11"), "nothing", *tagged("1e999"))
    assert combined(some, 5, tagged=True).response == "<answer>10</answer>"
    refused = drawn("distance", *tagged("3"), outcome=Outcome.REFUSED)
    gone = combined([*some, *refused], 6, tagged=True)
    assert (gone.outcome, gone.response) == ("no_answer", "")
    assert gone.detail == "only 2 of the 5 answers drawn could be read, less than half"


def test_the_box_with_the_highest_mean_overlap_is_taken_as_written(drawn):
    """IoU: first with second 1/3, first with third 0, second with third 1/3; a fourth equal to the third."""
    boxes = [(0.0, 0.0, 0.2, 0.2), (0.1, 0.0, 0.3, 0.2), (0.2, 0.0, 0.4, 0.2)]
    assert central_box(boxes) == 1
    assert central_box([*boxes, boxes[2]]) == 2  # means 1/9, 1/3, 4/9, 4/9: the first of equals
    assert central_box(boxes[::2]) == 0
    assert central_box([boxes[0], boxes[2], boxes[0], boxes[2]]) == 0
    texts = tagged(*(", ".join(map(str, box)) for box in boxes))
    assert combined(drawn("detection", *texts), 4, tagged=True).response == texts[1]


def test_boxes_in_another_convention_stay_in_it(drawn):
    spoken = Spoken(frame="norm1000-yx", width_px=100, height_px=100)
    texts = tagged("0, 0, 200, 200", "0, 100, 200, 300", "0, 200, 200, 400")
    one = combined(drawn("detection", *texts, spoken=spoken), 4, tagged=True)
    assert (one.response, one.spoken) == (texts[1], spoken)


def test_what_it_took_is_the_sum(drawn):
    usage = Usage(model_calls=1, input=100, output=10, reasoning=5, cached=1)
    draws = drawn("distance", *tagged("9", "11"), usage=usage, cost_usd=0.25, seconds=1.5, finish_reasons=("stop",))
    one = combined(draws, 3, tagged=True)
    assert one.usage == Usage(model_calls=2, input=200, output=20, reasoning=10, cached=2)
    assert (one.cost_usd, one.seconds, one.finish_reasons) == (0.5, 3.0, ("stop", "stop"))
    unpriced = drawn("distance", *tagged("9"), cost_usd=None)
    assert combined([*draws, *unpriced], 4, tagged=True).cost_usd is None


@pytest.mark.parametrize(("on", "number"), [((300, 100), 4), ((301, 100), 5), ((1, 1), 1), ((9999, 1), 64)])
def test_the_number_of_single_answers_that_first_cost_as_much(make_record, on, number):
    def records(outputs):
        for at, output in enumerate(outputs):
            yield make_record(f"s{at}", "distance", "1", usage=Usage(model_calls=1, output=output))

    assert mean_number(records(on), records((50, 50, 70))) == number
