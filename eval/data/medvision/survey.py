"""A survey of a data folder: what it holds, and everything that is broken, without stopping at the first problem.

Three depths: the plans and headers alone; every sample as well; every volume and mask unpacked as well.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medvision_agent.errors import DataError
from medvision_agent.eval.data.configs import Config
from medvision_agent.eval.data.facts import MedVisionFacts
from medvision_agent.eval.data.medvision.plan import AnyCase, RawCase, parse_case, read_plan
from medvision_agent.eval.data.medvision.records import Counter, configs_of, facts_of
from medvision_agent.eval.data.medvision.samples import OpenCase
from medvision_agent.eval.data.medvision.source import MedVisionSource
from medvision_agent.eval.data.medvision.volume import Header, read_header, read_volume
from medvision_agent.eval.data.sample import Sample

__all__ = ["ConfigCount", "Survey"]


@dataclass(slots=True)
class ConfigCount:
    """How many annotations, cases and subjects one configuration has; ``version`` is that of its annotations."""

    config: str
    version: str
    counter: Counter = field(default_factory=Counter)
    """``key``: annotations in the plan; ``doc_id``: those the filters keep."""
    cases: int = 0
    broken: int = 0
    """Cases that cannot be used."""
    subjects: set[str] = field(default_factory=set)
    """Subjects with samples."""


class Survey:
    """A walk through the configurations that *asks* accepts, which counts annotations and reports each problem once."""

    def __init__(
        self,
        source: MedVisionSource,
        asks: Callable[[Config], bool],
        say: Callable[[str], None],
        *,
        samples: bool = False,
        volumes: bool = False,
        met: Callable[[OpenCase], None] = lambda _: None,
        each: Callable[[Sample], None] = lambda _: None,
    ) -> None:
        """Prepare a survey of *source*.

        *say* is called with each problem, *met* with every case that can be used, and *each* with every sample. With
        *samples* every sample is made, with *volumes* every volume and mask is unpacked.
        """
        self.rows: dict[Config, ConfigCount] = {}
        self.problems: dict[str, None] = {}
        self._source, self._asks, self._say = source, asks, say
        self._samples, self._volumes = samples, volumes
        self._met, self._each = met, each
        self._seen: set[Path] = set()
        self._splits: dict[tuple[Path, str, str], str] = {}

    def run(self) -> None:
        """Go through every plan; afterwards ``rows`` has the counts by configuration, and ``problems`` the messages."""
        for plan in self._source.plans:
            counts: defaultdict[str, int] = defaultdict(int)
            try:
                for task, split, cases in read_plan(plan):
                    counts[task.task_ID] += 0
                    configs = [config for config in configs_of(plan, task, split) if self._asks(config)]
                    for config in configs:
                        self.rows.setdefault(config, ConfigCount(config.name, plan.version))
                    for raw in cases:
                        counts[task.task_ID] += 1
                        if configs:
                            self._case(raw, configs)
            except DataError as error:
                self._complain(str(error))
            for number, count in counts.items():
                if not count:
                    lacks = "there are no cases: train_cases and test_cases are missing or empty"
                    self._complain(f"{plan.path}: task {number}: {lacks}; download the plan again")

    def _case(self, raw: RawCase, configs: list[Config]) -> None:
        rows = [self.rows[config] for config in configs]
        for row in rows:
            row.cases += 1
        try:
            case = parse_case(raw)
            self._check_split(raw, case, configs[0].split)
            opened = OpenCase.open(self._source.folder, raw, case, self._source.subjects)
        except DataError as error:
            for row in rows:
                row.broken += 1
            self._complain(str(error))
            return
        self._met(opened)
        for config, row in zip(configs, rows, strict=True):
            for facts in facts_of(raw, case, config, row.counter, filters=self._source.reading.filters):
                row.subjects.add(opened.subject)
                if self._samples:
                    self._sample(opened, facts, config)
        if self._samples:
            self._try(lambda: self._check_files(opened))

    def _sample(self, opened: OpenCase, facts: MedVisionFacts, config: Config) -> None:
        try:
            sample = opened.sample(facts)
        except DataError as error:
            self._complain(str(error))
            return
        if config.whole == config:  # the others repeat its samples
            self._each(sample)

    def _check_split(self, raw: RawCase, case: AnyCase, split: str) -> None:
        key = raw.plan.path, raw.task.task_ID, case.case_ID
        first = self._splits.setdefault(key, split)
        if first != split:
            self._complain(
                f"{raw.place}: case_ID: this case is also in the split {first}; a case must be in one split only, so "
                "download the plan again"
            )

    def _check_files(self, opened: OpenCase) -> None:
        raw, case = opened.raw, opened.case
        if raw.plan.kind == "biometry":
            self._try(lambda: opened.landmarks)
        self._try(lambda: self._check_volume(opened.image, opened.header))
        if case.mask_file is not None:
            place = f"{raw.place}: mask_file"
            mask = self._source.folder.file(case.mask_file, place, below=f"Datasets/{raw.plan.dataset}")
            header = read_header(mask)
            if header.shape != opened.header.shape:
                raise DataError(
                    f"{place}: {mask} has the shape {header.shape}, but its image has {opened.header.shape}; download "
                    "the data of this dataset again"
                )
            self._check_volume(mask, header)

    def _check_volume(self, path: Path, header: Header) -> None:
        if not self._volumes or path in self._seen:
            return
        self._seen.add(path)
        # A sum of float32 values cannot overflow float64: it is finite if all of them are.
        if not np.isfinite(read_volume(path, header).sum(dtype=np.float64)):
            raise DataError(f"{path}: some voxels are NaN or infinite; download the volume again")

    def _try(self, check: Callable[[], object]) -> None:
        try:
            check()
        except DataError as error:
            self._complain(str(error))

    def _complain(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems[problem] = None
            self._say(problem)
