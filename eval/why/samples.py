"""One scored sample looked at from all sides: what summaries are made of, and what a report shows of one sample."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from medvision_agent.eval.scorer.numbers import extract, parse
from medvision_agent.eval.scorer.protocol import Protocol
from medvision_agent.eval.scorer.spoken import scored_text
from medvision_agent.eval.store.read import read_trace
from medvision_agent.eval.store.record import Record
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.why.behaviour import Conversation
from medvision_agent.eval.why.calls import calls_of, spoken_texts, tools_of
from medvision_agent.eval.why.decompose import Parts, decompose
from medvision_agent.eval.why.landmarks import LandmarkError, corner_errors, landmark_error
from medvision_agent.eval.why.measured import numbers_of
from medvision_agent.eval.why.missing import Missing
from medvision_agent.eval.why.scene import Scene, scene_of
from medvision_agent.quantity import BOX

__all__ = ["SampleWhy", "sample_whys"]


@dataclass(frozen=True, eq=False)
class SampleWhy:
    """One sample: its conversation, the parts of its error, and how far its points lie from the truth's."""

    conversation: Conversation
    quantities: dict[str, Parts | Missing]
    """By the names of ``numbers_of`` the task; empty for detection."""
    landmarks: LandmarkError | None
    """None where the truth has no points, or a number of the answer has none."""
    corners_mm: tuple[float, float] | None
    """Errors of a box's lower and higher corner; None for other tasks, and without a finite box."""

    @property
    def record(self) -> Record:
        """The record of the sample."""
        return self.conversation.record

    @property
    def solver(self) -> bool:
        """Whether a solver found any of the points."""
        return any(isinstance(one, Parts) and one.measurement.solver for one in self.quantities.values())


def sample_whys(run: Run, rules: Protocol) -> Iterator[SampleWhy]:
    """Yield what is known of each scored sample of a stored run, in their order."""
    tools = tools_of(run)
    for record in run.records:
        if record.outcome.infrastructure:
            continue
        trace = read_trace(run.folder, record.sample.id)
        calls = calls_of(trace, tools)
        scene = scene_of(run, record, calls)
        parts = decompose(record, calls, scene, rules)
        yield SampleWhy(
            Conversation(record, calls, spoken_texts(trace)),
            dict(zip(numbers_of(record.sample.asks), parts, strict=True)),
            _landmarks(parts, scene),
            _corners(record, scene, rules),
        )


def _landmarks(parts: Sequence[Parts | Missing], scene: Scene | Missing) -> LandmarkError | None:
    if isinstance(scene, Missing):
        return None
    points = [point for part in parts if isinstance(part, Parts) for point in part.measurement.points]
    return landmark_error(points, scene.truth, scene.spacing)


def _corners(record: Record, scene: Scene | Missing, rules: Protocol) -> tuple[float, float] | None:
    text = scored_text(record)
    if not record.sample.asks.is_box or text is None or isinstance(scene, Missing):
        return None
    extracted = extract(text, BOX.numbers, rules)
    values = parse(extracted, BOX.numbers)
    if values is None or not all(abs(value) <= 1e12 for value in values.tolist()):
        return None
    box = [float(number.replace(",", "")) for number in extracted.split(",")]
    return corner_errors(box, record.sample.target, scene.views.whole.field_mm)
