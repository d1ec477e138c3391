"""Several models over the same samples: does changing the arm have the same effect for both, and what on average?

Results of models on the same samples are dependent, so differences are first formed within each sample: the
*interaction* is the second model's difference between the arms minus the first one's, and the *mean* is the mean
difference over the models, which holds for these models and for no others.
"""

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Literal

from medvision_agent.eval.compare.statistics.estimate import Estimate, Role, estimate
from medvision_agent.eval.compare.statistics.pairs import Pair, Pairs

__all__ = ["between_models", "interaction", "mean_over"]

_Value = Callable[[Pair], float | None]


def interaction(first: Pairs, second: Pairs, *, role: Role) -> Estimate:
    """Return the second model's difference between the arms (B minus A) minus the first model's.

    It is over samples scored in both arms of both models. *role* says whether this test was declared beforehand.
    """
    return _estimate([first, second], _difference, lambda values: values[1] - values[0], role)


def mean_over(models: Sequence[Pairs]) -> Estimate:
    """Return the mean over several models of the difference B minus A, over samples scored in both arms of every model.

    *models* holds the pairs of each model.
    """
    return _estimate(models, _difference, fmean, "exploratory")


def between_models(first: Pairs, second: Pairs, arm: Literal["a", "b"]) -> Estimate:
    """Return the second model's loss minus the first one's in one *arm*, over samples that both models scored in it."""
    return _estimate(
        [first, second], lambda one: getattr(one, arm).loss, lambda values: values[1] - values[0], "exploratory"
    )


def _difference(one: Pair) -> float | None:
    """Return a pair's loss in B minus that in A; None unless both arms have one."""
    return None if one.a.loss is None or one.b.loss is None else one.b.loss - one.a.loss


def _estimate(models: Sequence[Pairs], value: _Value, joined: Callable[[list[float]], float], role: Role) -> Estimate:
    by_sample = [{one.unit.sample: value(one) for one in pairs.all} for pairs in models]
    rows = [
        (one.unit.subject, [found for values in by_sample if (found := values.get(one.unit.sample)) is not None])
        for one in models[0].all
    ]
    whole = [(subject, joined(values)) for subject, values in rows if len(values) == len(models)]
    return estimate(
        [apart for _, apart in whole],
        [subject for subject, _ in whole],
        evidence=models[0].evidence,
        role=role,
        no_claim=tuple(dict.fromkeys(reason for pairs in models for reason in pairs.no_claim)),
    )
