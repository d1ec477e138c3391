"""The error of an answer in three signed parts that add up to it.

    answer - target = (answer - cited)      copying: what became of the value cited, rounding included
                    + (cited - exact)       arithmetic: what became of the points, rounding included
                    + (exact - target)      seeing: the points themselves

``cited`` is the measurement the answer cites (``cite``), ``exact`` the exact measurement of the points it was made
from, both in mm or degrees. A tool's arithmetic is its rounding only. Where nothing was measured but the points are
stated in the text (``stated``), the model did the sum itself: ``cited`` is then the answer, copying is 0, and
arithmetic is the model's own. A sample without points is not decomposed, and the reason is kept.
"""

from dataclasses import dataclass

from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.why.calls import Call
from medvision_agent.eval.why.measured import STATED, Cited, Measurement, cite, exact_of, measurements, numbers_of
from medvision_agent.eval.why.numbers import Number, numbers_in
from medvision_agent.eval.why.scene import Missing, Scene
from medvision_agent.eval.why.stated import stated_points

__all__ = ["Parts", "decompose"]

_MOST = 1e12


@dataclass(frozen=True, eq=False)
class Parts:
    """One number of an answer, what it was made from, and its target; mm, or degrees for an angle."""

    answer: float
    measurement: Measurement
    target: float
    matched: bool
    """The answer is the cited value, rounded; else the last measurement is taken for the one cited."""

    @property
    def error(self) -> float:
        """Answer minus target."""
        return self.answer - self.target

    @property
    def copying(self) -> float:
        """Answer minus cited value."""
        return self.answer - self.measurement.value

    @property
    def arithmetic(self) -> float:
        """Cited value minus the exact measurement of its points."""
        return self.measurement.value - self.measurement.exact

    @property
    def seeing(self) -> float:
        """The exact measurement of the points minus the target."""
        return self.measurement.exact - self.target


def _answer_numbers(record: Record, rules: Protocol) -> list[Number] | Missing:
    """Return the numbers of a length's or an angle's answer, or why there are none."""
    if record.outcome is not Outcome.ANSWERED:
        return Missing.NO_ANSWER
    numbers = numbers_in(record.response, len(record.sample.target), rules)
    if numbers is None:
        return Missing.NO_NUMBERS
    if any(not abs(number.value) <= _MOST for number in numbers):
        return Missing.TOO_LARGE
    return list(numbers)


def decompose(record: Record, calls: list[Call], scene: Scene | Missing, rules: Protocol) -> list[Parts | Missing]:
    """Return the parts of each number of the answer (``numbers_of``), or why it has none."""
    quantities = numbers_of(record.sample.asks)
    answer = _answer_numbers(record, rules) if quantities else []
    if isinstance(answer, Missing):
        return [answer] * len(quantities)
    if isinstance(scene, Missing):
        return [scene] * len(quantities)
    cited = _cited(record, answer, calls, scene)
    if isinstance(cited, Missing):
        return [cited] * len(quantities)
    return [
        Missing.TOO_FEW if one is None else Parts(number.value, one.measurement, target, one.matched)
        for number, one, target in zip(answer, cited, record.sample.target, strict=False)
    ]


def _cited(record: Record, answer: list[Number], calls: list[Call], scene: Scene) -> list[Cited | None] | Missing:
    task = record.sample.asks
    measured = measurements(task, calls, scene)
    if isinstance(measured, Missing):
        return measured
    if measured or not answer:
        return cite(answer, measured)
    points = stated_points(task, record.response, scene)
    if isinstance(points, Missing):
        return points
    step = len(points) // len(answer)
    cited: list[Cited | None] = []
    for place, number in enumerate(answer):
        own = points[place * step : (place + 1) * step]
        exact = exact_of(own, scene.spacing)
        if exact is None:
            return Missing.SAME_POINTS
        cited.append(Cited(Measurement(STATED, number.value, own, exact), matched=True))
    return cited
