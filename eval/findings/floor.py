"""The noise floor of differences, from identical runs of the same model.

Contract: repeats of one of the contrast's own arms are used if there are any, otherwise all repeats of the model.
"""

from collections.abc import Iterator, Sequence

from medvision_agent.eval.compare.statistics.noise import Noise, noise
from medvision_agent.eval.findings.contrast import Contrast
from medvision_agent.eval.tasks import TaskName

__all__ = ["with_noise"]


def with_noise(contrasts: Sequence[Contrast]) -> tuple[Contrast, ...]:
    """Return the same contrasts, each with its difference compared with that of identical runs of its model.

    A contrast without such runs is returned unchanged.
    """
    return tuple(one.but(noise=dict(_floors(one, contrasts))) for one in contrasts)


def _floors(one: Contrast, contrasts: Sequence[Contrast]) -> Iterator[tuple[TaskName, Noise]]:
    repeats = [other for other in contrasts if other.identical and other.model == one.model]
    own = [other for other in repeats if other.a in (one.a, one.b)] or repeats
    for task, test in () if one.identical else one.tests.items():
        floors = {other.name: other.tests[task].primary for other in own if task in other.tests}
        difference = test.primary.difference
        if difference is not None and (found := noise(difference, floors)) is not None:
            yield task, found
