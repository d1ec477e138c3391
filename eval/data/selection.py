"""Which samples of a source are asked.

What is chosen from volumes is ordered by volume, so that each is unpacked once; limits are counted before that.
"""

import fnmatch
import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medvision_agent.errors import ConfigError, DataError, nearest
from medvision_agent.eval.data.configs import FAMILIES, SPLITS, Config, task_name
from medvision_agent.eval.data.draw import Draw
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Kept, Picked, Samples
from medvision_agent.eval.data.source import Source, Streaming, Wants
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["Selection", "find_sample", "parse_tasks", "select"]

_ASKED: dict[str, set[TaskName]] = {
    family: {name for name, task in TASKS.items() if task.medvision and family in task.medvision.configs}
    for family in FAMILIES
}
"""The tasks of the samples in a family of MedVision's configurations; none where it asks nothing of ours."""
_USUAL: frozenset[TaskName] = frozenset(name for name, task in TASKS.items() if not task.own_rule)
"""The tasks that MedVision's plans are asked for where none is named."""
_WILD = re.compile(r"[*?\[]")


def parse_tasks(text: str | None) -> tuple[TaskName, ...] | None:
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


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What a user asks for; what is empty or None restricts nothing."""

    tasks: tuple[TaskName, ...] | None = None
    configs: tuple[str, ...] = ()
    """MedVision's configurations or tasks (a configuration without its split): names, or patterns with ``*``."""
    split: Literal["train", "test", "all"] | None = None
    """MedVision's split. Unset it is test, as upstream evaluates, unless a name or pattern ends in a split itself."""
    planes: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    limit: int | None = None
    limit_by: Literal["first", "subject"] = "first"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.limit_by == "subject" and self.limit is None:
            raise ConfigError("--limit-by subject needs --limit: how many samples to draw")

    @property
    def is_medvision(self) -> bool:
        """True if it asks for what only MedVision's data has."""
        return bool(self.configs or self.split)

    @property
    def words(self) -> str:
        """What it restricts, in words; empty where nothing."""
        named = {
            "task": self.tasks or (),
            "config": self.configs,
            "split": (self.split,) if self.split else (),
            "plane": self.planes,
            "dataset": self.datasets,
        }
        return ", ".join(f"{name} {' or '.join(values)}" for name, values in named.items() if values)

    @property
    def asks_masks(self) -> bool:
        """Return whether a task is named whose samples are in MedVision's plans of masks."""
        return not _ASKED["MaskSize"].isdisjoint(self.tasks or ())

    def takes(self, sample: Sample) -> bool:
        """Return whether a sample is of the tasks, planes and datasets asked for."""
        return (
            (self.tasks is None or sample.task in self.tasks)
            and (not self.planes or sample.plane.lower() in self.planes)
            and (not self.datasets or sample.dataset in self.datasets)
        )

    def may_take(self, dataset: str) -> bool:
        """Return whether anything of a MedVision dataset could be asked for."""
        heads = [_WILD.split(pattern, maxsplit=1)[0] for pattern in self.configs]
        start = f"{dataset}_"
        fits = not heads or any(head.startswith(start) or start.startswith(head) for head in heads)
        return fits and (not self.datasets or dataset in self.datasets)

    def takes_config(self, config: Config) -> bool:
        """Return whether a MedVision configuration is asked for."""
        tasks = _ASKED[config.family]
        return (
            not tasks.isdisjoint(_USUAL if self.tasks is None else self.tasks)
            and (not self.planes or config.plane.lower() in self.planes)
            and (not self.datasets or config.dataset in self.datasets)
            and (any(self.admits(pattern, config) for pattern in self.configs) if self.configs else self._plain(config))
        )

    def _plain(self, config: Config) -> bool:
        """Without names, distances and angles come once: in the configuration that holds both."""
        return config.whole == config and (self.split or "test") in {"all", config.split.lower()}

    def admits(self, pattern: str, config: Config) -> bool:
        """Return whether one name or pattern means *config*, and the split agrees."""
        named_split = pattern.endswith(SPLITS)
        split = self.split or ("all" if named_split else "test")
        if split not in {"all", config.split.lower()}:
            return False
        # A pattern that means distances and angles together does not mean them separately once more.
        narrow = config.whole != config and _WILD.search(pattern) and _matches(pattern, config.whole)
        return _matches(pattern, config) and not narrow


def _matches(pattern: str, config: Config) -> bool:
    names = (config.name, config.name.rpartition("_")[0])
    if _WILD.search(pattern):
        pattern = pattern.replace("_BoxCoordinate_", "_BoxSize_")
        return any(fnmatch.fnmatchcase(name, pattern) for name in names)
    task, split = task_name(pattern), pattern.rpartition("_")[2]
    return (f"{task}_{split}" if split in SPLITS else task) in names


def select(source: Source, selection: Selection) -> Samples:
    """Return the samples of *source* that are asked; those of one volume stand together.

    DataError if a configuration asked for by name or pattern has no sample.
    """
    draw = Draw(selection.limit, selection.seed if selection.limit_by == "subject" else None)
    volumes = _Volumes()
    if not isinstance(source, Streaming):
        if selection.is_medvision:
            raise ConfigError("--config, --tasks and --split go with --data medvision:DIR")
        listed = Picked.all(source.samples)
        for row, sample in enumerate(listed):
            if selection.takes(sample) and draw.take(row, sample):
                volumes.note(row, sample)
        return _in_order(listed, draw.rows(), volumes)

    met: dict[Config, bool] = {}

    def wanted(config: Config) -> bool:
        if config not in met:
            met[config] = selection.takes_config(config)
        return met[config] and not draw.full(config.name)

    kept = Kept()
    for sample in filter(selection.takes, source.stream(Wants(selection.may_take, wanted, selection.asks_masks))):
        if draw.take(len(kept), sample):
            volumes.note(len(kept), sample)
            kept.add(sample)
    _check_names(selection, [config for config in met if draw.has(config.name)])
    return _in_order(kept, draw.rows(), volumes)


class _Volumes:
    """Which volume each sample is a slice of, a number for each."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._rows, self._of = array("I"), array("I")

    def note(self, row: int, sample: Sample) -> None:
        """Note the volume of a sample; rows rise. Pictures have none."""
        if sample.medvision or sample.volume:
            self._rows.append(row)
            self._of.append(self._numbers.setdefault(sample.image, len(self._numbers)))

    def together(self, rows: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Return rows in such an order that those of one volume stand at the place of its first."""
        own = np.isin(np.asarray(self._rows), rows)
        noted, of = np.asarray(self._rows)[own], np.asarray(self._of)[own]
        leaders = rows.copy()
        _, first, which = np.unique(of, return_index=True, return_inverse=True)
        leaders[np.searchsorted(rows, noted)] = noted[first][which]
        return rows[np.argsort(leaders, kind="stable")]


def _in_order(samples: Samples, drawn: "array[int]", volumes: _Volumes) -> Samples:
    """Return the samples that were drawn, those of one volume together; all of them in their order need no list."""
    rows = volumes.together(np.asarray(drawn, np.uint32))
    if np.array_equal(rows, np.arange(len(samples), dtype=np.uint32)):
        return samples
    return Picked(samples, rows)


def find_sample(source: Source, sample_id: str) -> Sample:
    """Return the sample with this id; DataError with the nearest one that there is."""
    samples: Iterable[Sample] = source.samples if not isinstance(source, Streaming) else ()
    hint, near = "", set()
    if isinstance(source, Streaming):
        # A MedVision sample is named by its configuration and its place there.
        name = sample_id.rpartition("-")[0]
        wants = Wants(lambda dataset: name.startswith(f"{dataset}_"), lambda config: config.name == name, masks=True)
        samples = source.stream(wants)
        hint = "; expected CONFIGURATION-NUMBER, see: medvision-agent data list --samples"
    for sample in samples:
        if sample.id == sample_id:
            return sample
        near.add(sample.id)
    raise DataError(f"--data {source.info.name}: no sample {sample_id!r}{hint}.{nearest(sample_id, near)}")


def _check_names(selection: Selection, found: list[Config]) -> None:
    """Raise DataError for names and patterns that no sample answers to: a run must not be quietly smaller."""
    idle = [pattern for pattern in selection.configs if not any(selection.admits(pattern, c) for c in found)]
    if idle:
        more = f" and {len(idle) - 1} more" if len(idle) > 1 else ""
        masks = "" if selection.asks_masks or "MaskSize" not in idle[0] else "masks are asked only with --task area; "
        raise DataError(
            f"no sample of {idle[0]!r}{more}, with the split, planes and tasks asked for; {masks}"
            f"see: medvision-agent data list.{nearest(idle[0], [config.name for config in found])}"
        )
