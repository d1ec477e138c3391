"""Which samples a bundle holds: where what is compared differs most, and the others evenly; from the store alone."""

from browsed import samples

from medvision_agent.eval.browse.chosen import choose
from medvision_agent.eval.browse.line import open_line
from medvision_agent.eval.browse.pairs import Pair


def lines(losses):
    return [
        open_line(one)._replace(loss=loss, has_talk=1) for one, loss in zip(samples(len(losses)), losses, strict=True)
    ]


def ids(chosen):
    return sorted(sample for _, sample in chosen.samples)


def pair(before, after, words="off -> on"):
    return Pair((before,), (after,), words)


OFF_ON = [pair("off", "on")]


def test_half_are_the_most_harmed_and_the_most_helped():
    off, on = [0.3] * 10, [0.3, 0.9, 0.4, 0.3, 0.1, 0.3, 0.3, 0.3, 0.8, 0.3]
    found = choose([("off", "demo", lines(off)), ("on", "demo", lines(on))], OFF_ON, 4)
    assert ids(found) == ["s0", "s1", "s4", "s6"]  # s8 is harmed more than s4 is helped, and s1 more than s8
    assert found.words.startswith(
        "4 of 10 samples: 2 of which the loss rises or falls most in off -> on, by model and task in turn, and 2 "
        "spread evenly over the others;"
    )


def test_two_models_are_never_compared():
    """Model b is far better than model a; tools harm s3 with b a little, and nothing else differs."""
    runs = {"a off": [1.0] * 6, "a on": [1.0] * 6, "b off": [0.0] * 6, "b on": [0.0, 0.0, 0.0, 0.1, 0.0, 0.0]}
    given = [(name, "demo", lines(losses)) for name, losses in runs.items()]
    found = choose(given, [pair("a off", "a on"), pair("b off", "b on")], 1)
    assert ids(found) == ["s3"]
    assert "rises or falls" not in choose(given, [pair("a off", "a on")], 1).words


def test_models_and_tasks_take_turns():
    big, small = [0.9, 0.8, 0.7, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.1, 0.2]
    runs = [("a off", [0.0] * 6), ("a on", big), ("b off", [0.0] * 6), ("b on", small)]
    given = [(name, "demo", lines(losses)) for name, losses in runs]
    assert {"s0", "s5"} <= set(ids(choose(given, [pair("a off", "a on"), pair("b off", "b on")], 3)))


def test_the_epochs_of_an_arm_are_averaged_and_rounding_is_no_difference():
    runs = [("off", [0.2, 0.2, 0.3]), ("on1", [1.0, 0.5, 0.1 + 0.2]), ("on2", [0.0, 0.5, 0.1 + 0.2])]
    given = [(name, "demo", lines(losses)) for name, losses in runs]
    arms = [Pair(("off",), ("on1", "on2"), "off -> on")]
    assert ids(choose(given, arms, 1)) == ["s0"]  # 0.2 -> 0.5, as s1, which comes later
    assert choose([("off", "demo", lines([0.3] * 3)), ("on", "demo", lines([0.1 + 0.2] * 3))], OFF_ON, 1).words.count(
        "1 of 3 samples: 1 spread evenly;"
    )


def test_a_lost_sample_differs_in_nothing():
    given = [("off", "demo", lines([0.0, 0.0, 0.0])), ("on", "demo", lines([0.0, None, 0.1]))]
    assert ids(choose(given, OFF_ON, 1)) == ["s2"]


def test_the_usual_number_bounds_conversations_too():
    one = ("", "demo", lines([0.5] * 300))
    assert len(choose([one], [], None).samples) == 100
    assert len(choose([one] * 8, [], None).samples) == 25
    assert len(choose([one] * 500, [], None).samples) == 1
    assert (len(choose([one] * 8, [], 0).samples), choose([one], [], 0).words) == (300, "")
    assert choose([], [], None).samples == frozenset()


def test_samples_of_one_name_in_two_sources_are_two():
    found = choose([("", "demo", lines([0.5])), ("", "phantom", lines([0.5]))], [], 0)
    assert found.samples == {("demo", "s0"), ("phantom", "s0")}
