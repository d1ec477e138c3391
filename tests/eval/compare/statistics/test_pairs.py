"""Pairing before dropping, epochs, and what is refused."""

from dataclasses import replace

import pytest

from medvision_agent.eval.compare.statistics.estimate import primary
from medvision_agent.eval.compare.statistics.pairs import Price, Result, Unit, pair


def test_epochs_are_averaged_within_sample_and_arm_first():
    units = [Unit("x", "s1"), Unit("y", "s2")]
    a = [Result("x", 0.2, True), Result("x", 0.4, True), Result("x", 0.9, True), Result("y", 0.5, True)]
    b = [Result("y", 0.1, True), Result("x", 1.0, False), Result("x", 0.5, True), Result("x", None, False)]
    pairs = pair(units, a, b)
    x = pairs.all[0]
    assert (x.a.loss, x.a.epochs, x.a.lost) == (pytest.approx(0.5), 3, 0)
    assert (x.b.loss, x.b.success, x.b.answered_loss, x.b.lost) == (0.75, 0.5, 0.5, 1)
    assert (x.b.low, x.b.high, x.b.low_if_answered) == pytest.approx((0.5, 2.5 / 3, 0.5 / 3))
    found = primary(pairs, role="declared")
    assert found.difference == pytest.approx((0.25 - 0.4) / 2)  # two samples, however many epochs
    assert found.n == 2


def test_every_unit_stays_a_pair():
    units = [Unit(sample, f"s{sample}") for sample in "wxyz"]
    pairs = pair(
        units,
        [Result("w", 0.2, True), Result("x", None, False), Result("y", 1.0, False)],
        [Result("y", 0.3, True), Result("w", 0.1, True)],
    )
    assert [one.unit.sample for one in pairs.all] == list("wxyz")
    assert [one.unit.sample for one in pairs.scored] == ["w", "y"]
    nothing = pairs.all[3].a
    assert (nothing.loss, nothing.success, nothing.epochs, nothing.lost) == (None, None, 0, 0)  # not asked, not lost
    assert [one.unit.sample for one in pairs.asked] == ["w", "y"]  # x was asked in A alone
    assert primary(pairs, role="declared").difference == pytest.approx((-0.1 - 0.7) / 2)


def worded(*losses):
    """Return results of one sample: the loss of each wording, None where it is lost."""
    return [Result("x", loss, loss is not None, wording=number) for number, loss in enumerate(losses)]


def test_wordings_are_paired_within_the_sample():
    """A wording that only one arm has a loss in moves no difference; it is still counted as lost."""
    (one,) = pair([Unit("x", "s")], worded(0.1, 0.5, 0.9), worded(0.0, None, 0.4)).all
    assert (one.a.loss, one.b.loss) == pytest.approx((0.5, 0.2))
    assert (one.a.lost, one.b.lost, one.a.epochs, one.b.epochs) == (0, 1, 3, 3)
    assert (one.b.low, one.b.high) == pytest.approx((0.4 / 3, 1.4 / 3))
    # Without a wording that both share there is nothing to compare; an arm that lost all takes nothing from the other.
    (apart,) = pair([Unit("x", "s")], worded(0.1, None), worded(None, 0.4)).all
    assert (apart.a.loss, apart.b.loss) == (None, None)
    (lost,) = pair([Unit("x", "s")], worded(0.1, 0.3), worded(None, None)).all
    assert (lost.a.loss, lost.b.loss) == (pytest.approx(0.2), None)


def test_every_wording_weighs_the_same_whatever_was_lost_of_its_epochs():
    a = [*worded(0.2, 0.8), *worded(0.4, 0.8)]
    b = [*worded(0.0, 0.6), *worded(None, 0.6)]
    (one,) = pair([Unit("x", "s")], a, b).all
    assert (one.a.loss, one.b.loss) == pytest.approx((0.55, 0.3))


@pytest.mark.parametrize("loss", [-0.1, 1.1, float("nan")])
def test_a_loss_lies_within_0_and_1(loss):
    with pytest.raises(ValueError, match="expected 0 to 1"):
        pair([Unit("x", "s")], [Result("x", loss, True)], [])


def test_a_failure_costs_its_price_and_an_answer_has_a_loss():
    with pytest.raises(ValueError, match=r"its loss is .*; expected 1, the loss of a failure"):
        pair([Unit("x", "s")], [Result("x", 0.4, False)], [])
    with pytest.raises(ValueError, match="but has no loss"):
        pair([Unit("x", "s")], [Result("x", None, True)], [])


def test_where_failures_cost_less_than_the_worst_answer_the_bounds_reach_the_worst():
    results = [Result("x", 1.0, False), Result("x", 1.6, True), Result("x", None, False)]
    (one,) = pair([Unit("x", "s")], results, [], Price(failure=1.0, largest=2.0)).all
    assert (one.a.loss, one.a.answered_loss) == pytest.approx((1.3, 1.6))
    assert (one.a.low, one.a.high) == pytest.approx((2.6 / 3, 4.6 / 3))
    assert (one.a.low_if_answered, one.a.high_if_answered) == pytest.approx((1.6 / 3, 5.6 / 3))
    with pytest.raises(ValueError, match="expected 0 to"):
        pair([Unit("x", "s")], results, [])


def test_unknown_and_doubled_samples_are_refused():
    with pytest.raises(ValueError, match="twice"):
        pair([Unit("x", "s"), Unit("x", "t")], [], [])
    with pytest.raises(ValueError, match="not among"):
        pair([Unit("x", "s")], [], [Result("y", 0.0, True)])


def test_evidence_is_the_weakest_and_synthetic_data_stand_alone():
    assert pair([Unit("x", "s"), Unit("y", "t", "demonstration")], [], []).evidence == "demonstration"
    assert pair([Unit("x", "s", "synthetic")], [], []).evidence == "synthetic"
    assert pair([Unit("x", "s")], [], []).evidence == "real"
    for other in ("real", "demonstration"):
        with pytest.raises(ValueError, match="are mixed"):
            pair([Unit("x", "s", "synthetic"), Unit("y", "t", other)], [], [])


def test_a_stratum_of_a_demonstration_is_a_demonstration():
    units = [Unit("x", "s", "real", {"plane": "axial"}), Unit("y", "t", "demonstration", {"plane": "sagittal"})]
    assert pair(units, [], []).where("plane", "axial").evidence == "demonstration"


@pytest.mark.parametrize(("loss", "answered"), [(0.3, True), (0.0, True), (1.0, False)])
def test_one_epoch_is_as_two_equal_ones(loss, answered):
    """Most samples are asked once: their sides are made in a shorter way."""
    price, unit = Price(failure=1.0, largest=3.0), Unit("x", "s")
    (once,) = pair([unit], [Result("x", loss, answered)], [], price).all
    (twice,) = pair([unit], [Result("x", loss, answered)] * 2, [], price).all
    assert replace(once.a, epochs=2) == twice.a
