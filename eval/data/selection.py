"""The selection of a source's samples for a run.

Selected slices are ordered by volume, so that each volume is unpacked once; limits are counted before that.
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
"""The tasks of the samples in each family of MedVision's configurations; empty where this program has no such task."""
_USUAL: frozenset[TaskName] = frozenset(name for name, task in TASKS.items() if not task.own_rule)
"""The tasks taken from MedVision's plans where the user names none."""
_WILD = re.compile(r"[*?\[]")


def parse_tasks(text: str | None) -> tuple[TaskName, ...] | None:
    """Return the tasks named in a comma-separated *text*, in the order of TASKS; None stands for all of them.

    Raises ConfigError for an unknown task.
    """
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in TASKS:
            raise ConfigError(f"--task {text}: unknown task {name!r}; known: {', '.join(TASKS)}.{nearest(name, TASKS)}")
    if not names:
        raise ConfigError(f"--task {text!r}: no task is named; give one or more of {', '.join(TASKS)}")
    return tuple(task for task in TASKS if task in names)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The restrictions of a selection, as a user gives them; a field that is empty or None restricts nothing."""

    tasks: tuple[TaskName, ...] | None = None
    """None: all tasks, but of MedVision's data only those that a protocol of MedVision scores."""
    configs: tuple[str, ...] = ()
    """MedVision's configurations or tasks (a configuration without its split): names, or patterns with ``*``."""
    split: Literal["train", "test", "all"] | None = None
    """MedVision's split. Default: test, as upstream evaluates, unless a name or pattern ends in a split."""
    planes: tuple[str, ...] = ()
    """Planes in lower case."""
    datasets: tuple[str, ...] = ()
    limit: int | None = None
    """Most samples of each configuration of MedVision, or of each task of any other source."""
    limit_by: Literal["first", "subject"] = "first"
    """How samples are chosen up to the limit: the first ones, or drawn evenly over the subjects (``draw``)."""
    seed: int = 0
    """Seed of the draw by subject."""

    def __post_init__(self) -> None:
        if self.limit_by == "subject" and self.limit is None:
            raise ConfigError("--limit-by subject needs --limit too: give --limit N, the most samples of each task")

    @property
    def is_medvision(self) -> bool:
        """True if the selection uses a filter that only MedVision's data has."""
        return bool(self.configs or self.split)

    @property
    def words(self) -> str:
        """The restrictions as one line of text, such as "task tl, plane axial"; "" without restrictions."""
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
        """True if a named task has its samples in MedVision's plans of masks."""
        return not _ASKED["MaskSize"].isdisjoint(self.tasks or ())

    def takes(self, sample: Sample) -> bool:
        """Return whether *sample* has one of the selected tasks, planes and datasets; other filters are not applied."""
        return (
            (self.tasks is None or sample.task in self.tasks)
            and (not self.planes or sample.plane.lower() in self.planes)
            and (not self.datasets or sample.dataset in self.datasets)
        )

    def may_take(self, dataset: str) -> bool:
        """Return whether the selection may include samples of a MedVision dataset; False means that it has none."""
        heads = [_WILD.split(pattern, maxsplit=1)[0] for pattern in self.configs]
        start = f"{dataset}_"
        fits = not heads or any(head.startswith(start) or start.startswith(head) for head in heads)
        return fits and (not self.datasets or dataset in self.datasets)

    def takes_config(self, config: Config) -> bool:
        """Return whether the selection includes a MedVision configuration."""
        tasks = _ASKED[config.family]
        return (
            not tasks.isdisjoint(_USUAL if self.tasks is None else self.tasks)
            and (not self.planes or config.plane.lower() in self.planes)
            and (not self.datasets or config.dataset in self.datasets)
            and (any(self.admits(pattern, config) for pattern in self.configs) if self.configs else self._plain(config))
        )

    def _plain(self, config: Config) -> bool:
        """Return whether *config* is selected where no configuration is named: by its split (test, if none is given).

        Distances and angles are selected once: in the configuration that holds both.
        """
        return config.whole == config and (self.split or "test") in {"all", config.split.lower()}

    def admits(self, pattern: str, config: Config) -> bool:
        """Return whether the name or pattern *pattern* matches *config* in a selected split."""
        named_split = pattern.endswith(SPLITS)
        split = self.split or ("all" if named_split else "test")
        if split not in {"all", config.split.lower()}:
            return False
        # A pattern that matches distances and angles together must not match them separately as well.
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
    """Return the selected samples of *source*; those of one volume are next to each other.

    Raises DataError if a configuration named or matched by a pattern has no sample, and ConfigError if a filter for
    MedVision's data is given for another source. The result may be empty if other filters match nothing.
    """
    draw = Draw(selection.limit, selection.seed if selection.limit_by == "subject" else None)
    volumes = _Volumes()
    if not isinstance(source, Streaming):
        if selection.is_medvision:
            raise ConfigError(
                f"--data {source.info.name}: --config, --tasks and --split are for MedVision's data only; leave them "
                "out, or give --data medvision:DIR"
            )
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
    """A table of the volume that each sample is a slice of, by the sample's row in the list."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._rows, self._of = array("I"), array("I")

    def note(self, row: int, sample: Sample) -> None:
        """Note the volume of the sample at *row*; rows must ascend. Samples without a volume are not noted."""
        if sample.medvision or sample.volume:
            self._rows.append(row)
            self._of.append(self._numbers.setdefault(sample.image, len(self._numbers)))

    def together(self, rows: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Return *rows* (ascending) reordered: the rows of one volume follow the first row of that volume."""
        own = np.isin(np.asarray(self._rows), rows)
        noted, of = np.asarray(self._rows)[own], np.asarray(self._of)[own]
        leaders = rows.copy()
        _, first, which = np.unique(of, return_index=True, return_inverse=True)
        leaders[np.searchsorted(rows, noted)] = noted[first][which]
        return rows[np.argsort(leaders, kind="stable")]


def _in_order(samples: Samples, drawn: "array[int]", volumes: _Volumes) -> Samples:
    """Return the samples at the rows *drawn*, grouped by volume; *samples* itself if that changes nothing."""
    rows = volumes.together(np.asarray(drawn, np.uint32))
    if np.array_equal(rows, np.arange(len(samples), dtype=np.uint32)):
        return samples
    return Picked(samples, rows)


def find_sample(source: Source, sample_id: str) -> Sample:
    """Return the sample of *source* with this id; raises DataError, with the nearest existing id, if it has none."""
    samples: Iterable[Sample] = source.samples if not isinstance(source, Streaming) else ()
    hint, near = "; to list the ids: medvision-agent data list", set()
    if isinstance(source, Streaming):
        # The id of a MedVision sample is its configuration and its number there.
        name = sample_id.rpartition("-")[0]
        wants = Wants(lambda dataset: name.startswith(f"{dataset}_"), lambda config: config.name == name, masks=True)
        samples = source.stream(wants)
        hint = "; expected CONFIGURATION-NUMBER. To list the ids: medvision-agent data list --samples"
    for sample in samples:
        if sample.id == sample_id:
            return sample
        near.add(sample.id)
    name = source.info.name
    raise DataError(f"--data {name}: no sample has the id {sample_id!r}{hint} --data {name}.{nearest(sample_id, near)}")


def _check_names(selection: Selection, found: list[Config]) -> None:
    """Raise DataError for names and patterns that match none of *found*, the configurations with selected samples.

    A run must not be smaller than asked without notice.
    """
    idle = [pattern for pattern in selection.configs if not any(selection.admits(pattern, c) for c in found)]
    if idle:
        more = f" (and of {len(idle) - 1} more names)" if len(idle) > 1 else ""
        masks = "" if selection.asks_masks or "MaskSize" not in idle[0] else "masks are asked only with --task area; "
        raise DataError(
            f"--config or --tasks: MedVision's data have no sample of {idle[0]!r}{more} with the split, planes and "
            f"tasks that are selected; {masks}to list the configurations that have samples: medvision-agent data list "
            f"--data medvision:DIR.{nearest(idle[0], [config.name for config in found])}"
        )
