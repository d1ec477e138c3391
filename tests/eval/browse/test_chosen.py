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
    assert found.words == (
        "This copy holds 4 of the 10 samples. The sample with the largest harm (off -> on) is among them. 2 of them "
        "differ most between arms, by model and task in turn; 2 are spread evenly over the others. The means of runs "
        "and the findings of studies are over all 10 samples."
    )


def test_what_is_said_to_be_among_them_is():
    """Model a is harmed on s5 most, model b on s0; each has helped samples beside it that differ more."""
    runs = [("a off", [0.9] * 6), ("a on", [0.1, 0.2, 0.3, 0.4, 0.9, 0.95]), ("b off", [0.5] * 6)]
    given = [(name, "demo", lines(losses)) for name, losses in [*runs, ("b on", [0.52, 0.0, 0.1, 0.2, 0.3, 0.4])]]
    models = [Pair(("a off",), ("a on",), "off -> on", "a"), Pair(("b off",), ("b on",), "off -> on", "b")]
    found = choose(given, models, 4)
    assert {"s0", "s5"} <= set(ids(found))
    assert "The sample with the largest harm of each model (off -> on) is among them." in found.words
    one = choose(given, models, 1)
    assert ids(one) == ["s5"]
    assert "The sample with the largest harm of all (off -> on) is among them, but not that of each model." in one.words
    twice = choose(given, [models[0], Pair(("b off",), ("b on",), "off -> other", "a")], 4)
    assert "largest harm of each comparison (off -> on, off -> other) is among them." in twice.words
    helped = choose([("off", "demo", lines([0.5] * 4)), ("on", "demo", lines([0.1] * 4))], OFF_ON, 2)
    assert "largest harm" not in helped.words


def test_two_models_are_never_compared():
    """Model b is far better than model a; tools harm s3 with b a little, and nothing else differs."""
    runs = {"a off": [1.0] * 6, "a on": [1.0] * 6, "b off": [0.0] * 6, "b on": [0.0, 0.0, 0.0, 0.1, 0.0, 0.0]}
    given = [(name, "demo", lines(losses)) for name, losses in runs.items()]
    found = choose(given, [pair("a off", "a on"), pair("b off", "b on")], 1)
    assert ids(found) == ["s3"]
    assert "most between arms" not in choose(given, [pair("a off", "a on")], 1).words


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
        "This copy holds 1 of the 3 samples. 1 is spread evenly."
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
