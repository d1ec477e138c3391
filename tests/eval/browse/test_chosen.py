"""Which samples a bundle holds: where runs differ most, and the others evenly; from the store alone."""

from browsed import samples

from medvision_agent.eval.browse.chosen import choose
from medvision_agent.eval.browse.line import open_line


def lines(losses):
    return [
        open_line(one)._replace(loss=loss, has_talk=1) for one, loss in zip(samples(len(losses)), losses, strict=True)
    ]


def ids(chosen):
    return sorted(sample for _, sample in chosen.samples)


def test_half_are_those_on_which_runs_differ_most():
    off, on = [0.0] * 10, [0.0, 0.9, 0.1, 0.0, 0.5, 0.0, 0.0, 0.0, 0.2, 0.0]
    found = choose([("s1", "demo", lines(off)), ("s1", "demo", lines(on))], 4)
    assert ids(found) == ["s0", "s1", "s4", "s6"]
    assert found.words.startswith(
        "4 of 10 samples: the 2 on which runs differ most, and 2 spread evenly over the others"
    )


def test_runs_are_compared_within_a_study_only():
    apart = [("s1", "demo", lines([0.0] * 6)), ("s2", "demo", lines([1.0] * 6))]
    assert "differ" not in choose(apart, 4).words
    assert "differ" in choose([("s1", *rest) for _, *rest in apart], 4).words


def test_the_usual_number_bounds_conversations_too():
    one = ("", "demo", lines([0.5] * 300))
    assert len(choose([one], None).samples) == 100
    assert len(choose([one] * 8, None).samples) == 25
    assert len(choose([one] * 500, None).samples) == 1
    assert (len(choose([one] * 8, 0).samples), choose([one], 0).words) == (300, "")
    assert choose([], None).samples == frozenset()


def test_samples_of_one_name_in_two_sources_are_two():
    found = choose([("", "demo", lines([0.5])), ("", "phantom", lines([0.5]))], 0)
    assert found.samples == {("demo", "s0"), ("phantom", "s0")}
