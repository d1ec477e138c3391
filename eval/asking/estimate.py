"""Estimates the number of questions and the cost of a run before the first request.

Contract: nothing is asked of anybody. Samples, subjects and prompts are exact; tokens and money are estimates and
called so. Without a pilot they follow from rules of thumb that stand beside them; with one they are its measured means
per task, for calls whose usage was reported, times the samples of this run.
"""

import json
from collections.abc import Sequence
from statistics import fmean

from medvision_agent.agent.chat.chat import BRIEF
from medvision_agent.agent.endings.usage import Usage
from medvision_agent.agent.made import MOST_DRAWS
from medvision_agent.agent.opening import opening
from medvision_agent.agent.probe import MESSAGE
from medvision_agent.agent.words.question import Prompt
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.launch import Prepared, views_of
from medvision_agent.eval.asking.one import question_of
from medvision_agent.eval.asking.pool import ordered
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.tasks import TaskName
from medvision_agent.frozen import Frozen
from medvision_agent.text import plural
from medvision_agent.tools.base import Tool
from medvision_agent.tools.view.display import check_drawable
from medvision_agent.tools.view.frames import FRAMES
from medvision_agent.tools.view.views import ViewSet

__all__ = ["ASSUMED", "Estimate", "Spending", "declared_tokens", "estimate", "usage_of"]

LOOKED_AT = 20
"""Number of samples whose images are read to find their mean size."""
CHARACTERS_PER_TOKEN = 4
PIXELS_PER_TOKEN = 28 * 28
LEAST_PER_PICTURE = 258
OUTPUT_PER_CALL = 500
RESULT_PER_CALL = 100
USUAL_CALLS = 4
"""Model calls of a sample that uses its tools a little."""
ASSUMED = (
    f"rules of thumb: {CHARACTERS_PER_TOKEN} characters a token, a token for each 28 x 28 perceived pixels "
    f"({LEAST_PER_PICTURE} an image at least), {OUTPUT_PER_CALL} tokens of output a call (thinking may take many "
    f"more), {RESULT_PER_CALL} tokens of text and one image a tool result, everything sent again with every call, "
    "nothing cached"
)


class Spending(Frozen):
    """Estimated tokens and money for all samples of a run; ``basis`` says from what they follow."""

    basis: str
    input_tokens: int
    output_tokens: int
    usd: float | None
    """US dollars; None if the model has no prices."""


class Estimate(Frozen):
    """The size of a run (samples, subjects, prompts), and estimates of its tokens and cost."""

    model: str
    condition: str
    samples: int
    subjects: int
    tasks: dict[TaskName, int]
    prompts: dict[TaskName, str]
    """The prompt of the first sample of each task, system text first."""
    spending: tuple[Spending, ...]
    """The spending of all samples, from the lowest to the highest estimate; one estimate where measured or fixed."""
    likely: Spending
    """With tools: the spending with a few calls per sample; with a pilot: its means."""
    least: Spending
    most: Spending
    """The range: from one call a sample to the limit of calls; of a pilot, all samples as its cheapest or dearest."""
    probe: Spending | None
    """The spending of the probe of tool declarations; None where nothing is probed."""
    assumed: str
    """The basis of the figures."""


def estimate(prepared: Prepared, pilot: Run | None = None) -> Estimate:
    """Return the estimate of a prepared run; *pilot* is a stored run of the same tasks, usually a small one.

    Raises ConfigError if the pilot has no sample of a task with reported tokens, DataError if an image cannot be read.
    """
    prompts, pictures = _rendered(prepared)
    tasks = prepared.samples.summed.tasks
    if pilot is None:
        spending, assumed = _by_rules(prepared, prompts, pictures), ASSUMED
        least, likely, most = spending[0], spending[min(1, len(spending) - 1)], spending[-1]
    else:
        least, likely, most = _by_pilot(prepared, pilot, tasks)
        spending, assumed = (likely,), _measured(prepared, pilot)
    return Estimate(
        model=prepared.settings.model,
        condition=prepared.condition.name,
        samples=len(prepared.samples),
        subjects=prepared.samples.summed.subjects,
        tasks=tasks,
        prompts={task: f"{prompt.system_sent}\n\n{prompt.question}".lstrip() for task, prompt in prompts.items()},
        spending=spending,
        likely=likely,
        least=least,
        most=most,
        probe=_probe(prepared),
        assumed=assumed,
    )


def _probe(prepared: Prepared) -> Spending | None:
    if not prepared.probed:
        return None
    message, declared = len(MESSAGE) / CHARACTERS_PER_TOKEN, _schemas(prepared) / CHARACTERS_PER_TOKEN
    return _spending("the probe, 2 requests", Usage(input=round(2 * message + declared), output=2 * BRIEF), prepared)


def _schemas(prepared: Prepared) -> int:
    """Return the number of characters of the tools' declarations."""
    return len(json.dumps(prepared.condition.schemas(FRAMES[prepared.model.frame])))


def declared_tokens(tools: Sequence[Tool]) -> int:
    """Return about how many tokens the declarations of tools take in a prompt: one for each 4 characters of JSON."""
    return round(len(json.dumps([tool.schema() for tool in tools])) / CHARACTERS_PER_TOKEN)


def _rendered(prepared: Prepared) -> tuple[dict[TaskName, Prompt], float]:
    """Return a prompt for each task, and the mean number of pixels of an image as the model perceives it."""
    first = {task: prepared.samples[row] for task, row in prepared.samples.summed.firsts.items()}
    step = max(1, len(prepared.samples) // LOOKED_AT)
    views = {sample.id: _views(prepared, sample) for sample in [*first.values(), *prepared.samples[::step]]}
    prompts = {
        task: opening(
            question_of(sample, views[sample.id].slice, prepared.wording),
            views[sample.id],
            ordered(prepared.condition, prepared.settings.tool_order, prepared.wording, sample),
            prepared.model,
        )
        for task, sample in first.items()
    }
    sizes = [view.whole.perceived for view in views.values()]
    return prompts, fmean(size.height * size.width for size in sizes)


def _views(prepared: Prepared, sample: Sample) -> ViewSet:
    image = prepared.image_of(sample)
    check_drawable(image.size, prepared.wording.display, f"{sample.id}: ")
    return views_of(prepared, image)


def _by_rules(prepared: Prepared, prompts: dict[TaskName, Prompt], pixels: float) -> tuple[Spending, ...]:
    texts = [len(prompt.system_sent) + len(prompt.question) for prompt in prompts.values()]
    declared = prepared.condition.tools and prepared.model.tool_calling == "native"
    schemas = _schemas(prepared) if declared else 0
    picture = max(LEAST_PER_PICTURE, pixels / PIXELS_PER_TOKEN) if prepared.pictures.kind != "none" else 0.0
    start = (fmean(texts) + schemas) / CHARACTERS_PER_TOKEN + picture
    most = prepared.settings.limits.model_calls
    condition, counts = prepared.condition, dict.fromkeys([1, min(USUAL_CALLS, most), most])
    if condition.matched:
        return tuple(_of_draws(prepared, min(MOST_DRAWS, calls), start) for calls in counts)
    if condition.thinks:
        return tuple(_of_thinking(prepared, calls, start) for calls in counts)
    if condition.enlarges:
        return tuple(_of_enlarged(prepared, calls, start, picture) for calls in counts)
    if condition.hands_back:
        return tuple(_of_handed(prepared, calls - 1, start, picture) for calls in counts)
    counts = counts if condition.tools else dict.fromkeys([1 + condition.again])
    return tuple(_of_calls(prepared, calls, start, picture) for calls in counts)


def _of_draws(prepared: Prepared, draws: int, start: float) -> Spending:
    """Return the spending where *draws* answers are drawn for each sample, as many as the other arm makes calls.

    Both arms output the same number of tokens. *start* is the number of input tokens of a first call.
    """
    samples = len(prepared.samples)
    usage = Usage(input=round(samples * draws * start), output=samples * draws * OUTPUT_PER_CALL)
    return _spending(f"{plural(draws, 'answer')} drawn a sample", usage, prepared)


def _of_thinking(prepared: Prepared, calls: int, start: float) -> Spending:
    samples = len(prepared.samples)
    usage = Usage(input=round(samples * start), output=samples * (calls + 1) * OUTPUT_PER_CALL)
    return _spending(f"1 model call a sample that thinks as much as {plural(calls, 'call')}", usage, prepared)


def _of_enlarged(prepared: Prepared, calls: int, start: float, picture: float) -> Spending:
    samples, pictures = len(prepared.samples), calls
    usage = Usage(input=round(samples * (start + (pictures - 1) * picture)), output=samples * OUTPUT_PER_CALL)
    return _spending(f"1 model call a sample with the pixels of {plural(pictures, 'image')}", usage, prepared)


def _of_handed(prepared: Prepared, results: int, start: float, picture: float) -> Spending:
    samples = len(prepared.samples)
    read = start + results * (RESULT_PER_CALL + picture)
    usage = Usage(input=round(samples * read), output=samples * OUTPUT_PER_CALL)
    return _spending(f"1 model call a sample with {plural(results, 'result')} handed back", usage, prepared)


def _of_calls(prepared: Prepared, calls: int, start: float, picture: float) -> Spending:
    growth = OUTPUT_PER_CALL + RESULT_PER_CALL + (picture if prepared.condition.tools else 0)
    read = calls * start + growth * calls * (calls - 1) / 2
    samples = len(prepared.samples)
    usage = Usage(input=round(samples * read), output=samples * calls * OUTPUT_PER_CALL)
    limit = ", the limit" if prepared.condition.tools and calls == prepared.settings.limits.model_calls else ""
    return _spending(f"{plural(calls, 'model call')} a sample{limit}", usage, prepared)


def usage_of(run: Run, task: TaskName) -> list[Usage]:
    """Return the tokens of each sample of a task in *run* for which the service reported all of them."""
    used = [record.usage for record in run.each() if record.sample.task == task and not record.usage.unreported]
    return [usage for usage in used if usage.model_calls]


def _by_pilot(prepared: Prepared, pilot: Run, tasks: dict[TaskName, int]) -> tuple[Spending, Spending, Spending]:
    """Return the least, likely and most spending.

    Every sample is taken to cost as the pilot's cheapest of its task, as the mean, or as the dearest. Raises
    ConfigError if the pilot has no sample of a task with reported tokens.
    """
    used = {task: usage_of(pilot, task) for task in tasks}
    for task, usages in used.items():
        if not usages:
            raise ConfigError(
                f"--pilot {pilot.folder}: this run has no sample of the task {task} for which the service reported "
                "its tokens; give a run with a few, or leave --pilot out"
            )
    means = Usage(
        input=round(sum(count * fmean(one.input for one in used[task]) for task, count in tasks.items())),
        output=round(sum(count * fmean(one.output for one in used[task]) for task, count in tasks.items())),
    )
    ends = [
        Usage(
            input=sum(count * end(one.input for one in used[task]) for task, count in tasks.items()),
            output=sum(count * end(one.output for one in used[task]) for task, count in tasks.items()),
        )
        for end in (min, max)
    ]
    count = plural(len(pilot.records), "sample")
    return (
        _spending("every sample as the pilot's cheapest", ends[0], prepared),
        _spending(f"by means over the {count} of the pilot", means, prepared),
        _spending("every sample as the pilot's dearest", ends[1], prepared),
    )


def _measured(prepared: Prepared, pilot: Run) -> str:
    """Return a text with the pilot's folder, and its settings that differ from those of the estimated run."""
    theirs, ours = pilot.identity, prepared.identity
    asked = {"model_name": "model", "condition": "tools", "limits": "limits", "recipe": "recipe", "form": "form"}
    differ = {name: then for name, then, _ in theirs.differences(ours)}
    other = [f"{word} {differ[name]}" for name, word in asked.items() if name in differ]
    return f"means per task measured in {pilot.folder}" + (f", WHICH HAD {', '.join(other)}" if other else "")


def _spending(basis: str, usage: Usage, prepared: Prepared) -> Spending:
    usd = usage.cost_usd(prepared.model.prices)
    return Spending(basis=basis, input_tokens=usage.input, output_tokens=usage.output, usd=usd)
