"""Asks one sample: from its image to its record and its trace.

Contract: whatever happens to the sample becomes its record. What is asked beyond what its run asks of every sample
(``Beside``) was worked out before: nothing here reads another run.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from medvision_agent.agent.answer import Answer, answer
from medvision_agent.agent.condition import Condition
from medvision_agent.agent.endings.outcome import Outcome
from medvision_agent.agent.models import Offline
from medvision_agent.agent.policies.brief import Brief
from medvision_agent.agent.session import Waiting
from medvision_agent.agent.trace import ToolCallTrace, Trace
from medvision_agent.agent.words.handed_back import HandedBack
from medvision_agent.agent.words.question import Question, Wording
from medvision_agent.errors import DataError
from medvision_agent.eval.asking.enlarge import enlarged_question
from medvision_agent.eval.asking.pool import Job
from medvision_agent.eval.data.outline import outline_of
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.source import NativeImage
from medvision_agent.eval.scorer.spoken import spoken_in
from medvision_agent.eval.store.record import Donor, Enlarged, Record, ToolUse
from medvision_agent.eval.tasks import Task
from medvision_agent.quantity import AREA_MM2
from medvision_agent.tools.segment.truth import Truth
from medvision_agent.tools.view.display import check_drawable
from medvision_agent.tools.view.geometry import Size
from medvision_agent.tools.view.slice import Slice

__all__ = ["Beside", "ask_one", "beside", "brief_of", "question_of"]


@dataclass(frozen=True, eq=False)
class Beside:
    """Additions to one sample that come from another run's answers, where its run depends on that run."""

    results: Sequence[HandedBack] | None = None
    """The results of tools that stand beside its question."""
    pixels: int | None = None
    """How many pixels its image is enlarged to."""


async def beside(job: Job, sample: Sample) -> Beside:
    """Return the additions to a sample from another run; raises StorageError where that run cannot be read."""
    results = await asyncio.to_thread(job.results, sample.id) if job.results else None
    return Beside(results, await asyncio.to_thread(job.pixels, sample.id) if job.pixels else None)


async def ask_one(
    job: Job, sample: Sample, attempt: int, given_beside: Beside, waiting: Waiting
) -> tuple[Record, Trace]:
    """Ask one sample, and return its record (attempt number *attempt*) and its trace; every failure becomes its record.

    Raises GivenUpError where *waiting* was given up, and ProviderError where the provider refuses to work.
    """
    try:
        native, image, donor = await asyncio.to_thread(_image_of, job, sample)
    except DataError as error:
        return Record(sample=sample, attempt=attempt, outcome=Outcome.UNREADABLE, detail=str(error)), Trace()
    question = question_of(sample, image, job.wording, shows_picture=job.pictures.kind != "none")
    if given_beside.results is not None:
        question = replace(question, results=given_beside.results)
    perceives, condition = job.recipe.perceives(job.chat.config.sees), job.condition_of(sample)
    enlarged: Enlarged | None = None
    if given_beside.pixels is not None:
        question, enlarged = await asyncio.to_thread(
            enlarged_question, question, given_beside.pixels, condition, job.chat.config, perceives
        )
    given = await answer(
        question,
        condition,
        job.chat,
        job.limits,
        perceives=perceives,
        waiting=waiting,
        brief=_brief(job, sample, native),
        truth=_truth(job, sample, native, image),
    )
    order = () if job.tool_order is None else tuple(tool.name for tool in condition.tools)
    record = _record(job, sample, attempt, given, donor, tool_order=order)
    return record.model_copy(update={"enlarged": enlarged}), given.trace


def question_of(sample: Sample, image: Slice, wording: Wording, *, shows_picture: bool = True) -> Question:
    """Return the question about a sample that the agent answers, without the ground truth.

    *image* is the image shown; with *shows_picture* false, the model gets none.
    """
    return Question(
        template=sample.asks.template,
        image=image,
        description=sample.description,
        label=sample.label,
        landmarks=sample.landmarks,
        measurement=sample.measurement,
        asks_box=sample.asks.is_box,
        wording=wording,
        lent=wording.lent_to(sample.id) or "",
        shows_picture=shows_picture,
    )


def brief_of(
    task: Task, condition: Condition, truth: tuple[tuple[float, float], ...] = (), share: float | None = None
) -> Brief:
    """Return the facts given to an offline policy: the task, the tools, and for the oracle also the ground truth.

    *truth* are the true points as fractions of the image's width and height, y downwards; *share* is the true area as a
    fraction of the image.
    """
    return Brief(
        quantity=task.quantity,
        numbers=len(task.numbers),
        decimals=task.decimals,
        usual=task.usual_answer,
        tools=condition.tools,
        truth=truth,
        share=share,
    )


def _image_of(job: Job, sample: Sample) -> tuple[NativeImage, Slice, Donor | None]:
    """Return the native pixels of a sample, the image shown with the question, and its donor (None: not swapped).

    Raises DataError if an image cannot be read.
    """
    native = job.source.load(sample)
    image, donor = job.pictures.given(job.recipe.slice_of(native, sample), sample, job.source, job.recipe)
    check_drawable(image.size, job.wording.display)
    return native, image, donor


def _brief(job: Job, sample: Sample, native: NativeImage) -> Brief | None:
    config = job.chat.config
    if not isinstance(config, Offline):
        return None
    told = config.name == "oracle"
    height, width = native.values.shape
    points = tuple((point.x / width, point.y / height) for point in sample.truth_points) if told else ()
    share = None
    if told and sample.asks.quantity == AREA_MM2:
        share = sample.target[0] / (height * sample.pixel_size.height_mm * width * sample.pixel_size.width_mm)
    return brief_of(sample.asks, job.condition, points, share)


def _truth(job: Job, sample: Sample, native: NativeImage, image: Slice) -> Truth | None:
    """Return the true outline; None if no tool of the condition needs it, or the sample has none."""
    if not job.condition.told_truth:
        return None
    outline = outline_of(sample, Size(*native.values.shape), image.size)
    return None if outline is None else Truth(outline, sample.id)


def _use(call: ToolCallTrace) -> ToolUse:
    return ToolUse(tool=call.tool, ok=call.ok, seconds=call.seconds, shown=call.shown, picture_shown=call.picture_shown)


def _record(
    job: Job, sample: Sample, attempt: int, given: Answer, donor: Donor | None, *, tool_order: tuple[str, ...]
) -> Record:
    requests = given.trace.requests
    return Record(
        sample=sample,
        attempt=attempt,
        outcome=given.outcome,
        response=given.response,
        as_written=given.as_written,
        spoken=spoken_in(job.chat.config.frame, given.v0_perceived),
        donor=donor,
        forced=given.forced,
        handed=given.handed,
        thinking_budget=job.thinking_budget,
        detail=given.detail,
        tool_uses=tuple(_use(call) for call in given.trace.tool_calls),
        usage=given.usage,
        cost_usd=given.usage.cost_usd(job.chat.config.prices),
        seconds=round(given.seconds, 4),
        waited_seconds=round(given.waited_seconds, 4),
        failed_tries=given.failed_tries,
        finish_reasons=given.finish_reasons,
        unread_calls=given.unread,
        model_versions=given.model_versions,
        fingerprints=tuple(dict.fromkeys(one.fingerprint for one in requests if one.fingerprint)),
        asked_at=requests[0].asked_at if requests else "",
        last_asked_at=requests[-1].asked_at if requests else "",
        prompt_sha256=given.prompt_sha256,
        prompt_with_tools_sha256=given.prompt_with_tools_sha256,
        v0_sha256=given.v0_sha256,
        tool_order=tool_order,
    )
