"""Which samples of a source are asked: some tasks, and the first so many of each."""

from collections import Counter
from collections.abc import Iterable

from medvision_agent.errors import ConfigError, nearest
from medvision_agent.eval.sample import TASKS, Sample, Task

__all__ = ["parse_tasks", "select"]


def parse_tasks(text: str | None) -> tuple[Task, ...] | None:
    """Return the tasks named in a comma-separated *text*, in the order of TASKS; None stands for all of them."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in TASKS:
            raise ConfigError(f"unknown task {name!r}; known: {', '.join(TASKS)}.{nearest(name, TASKS)}")
    if not names:
        raise ConfigError(f"no task named; known: {', '.join(TASKS)}")
    return tuple(task for task in TASKS if task in names)


def select(samples: Iterable[Sample], tasks: tuple[Task, ...] | None, limit: int | None) -> tuple[Sample, ...]:
    """Return the samples of *tasks* (None: all), of each task the first *limit* (None: all), in source order."""
    seen: Counter[Task] = Counter()
    chosen = []
    for sample in samples:
        if tasks is not None and sample.task not in tasks:
            continue
        seen[sample.task] += 1
        if limit is None or seen[sample.task] <= limit:
            chosen.append(sample)
    return tuple(chosen)
