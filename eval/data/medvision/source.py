"""MedVision's data folder as a source of samples: ``--data medvision:DIR``.

Contract: opening the source reads no plan. Samples are made on request, one case in memory at a time. A case or
a sample that is broken is left out and named in ``problems``, and the others go on; a plan that breaks off is a
DataError of the whole, because nobody knows what is missing. Masks (``MaskSize``) are asked only where they are named:
they are not among ``samples``.

A mapping file (``--subjects``) says which person a case shows, where dataset and case are not enough to tell. A CSV
file with the columns ``dataset``, ``case`` and ``subject``; cases it does not name keep ``dataset/case``.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from medvision_agent.errors import ConfigError, DataError
from medvision_agent.eval.data.configs import Config
from medvision_agent.eval.data.medvision.folder import DataFolder, PlanFile
from medvision_agent.eval.data.medvision.plan import RawCase, parse_case, read_plan
from medvision_agent.eval.data.medvision.records import Counter, configs_of, facts_of
from medvision_agent.eval.data.medvision.samples import OpenCase
from medvision_agent.eval.data.medvision.units import units_of
from medvision_agent.eval.data.medvision.volume import VolumeCache
from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.data.samples import Kept, Samples
from medvision_agent.eval.data.source import NativeImage, SourceInfo, Wants
from medvision_agent.text import plural

__all__ = ["MedVisionSource", "Reading", "read_subjects"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How MedVision's data is read: which annotations, with which filters, and which cases show one person."""

    annotations: str | None = None
    """The newest annotations up to this version are used; None: the newest plan of each dataset."""
    filters: bool = True
    """Whether annotations that upstream's filters drop are left out (single instance, least size, cluster count)."""
    subjects: Path | None = None
    """CSV file that says which person a case shows."""


class MedVisionSource:
    """MedVision's data folder as a source: its annotations as samples, and slices of its volumes as images."""

    def __init__(self, root: Path, reading: Reading) -> None:
        """Raise DataError or ConfigError if *root* is not a data folder or *reading* does not fit it."""
        self.folder = DataFolder(root)
        self.reading = reading
        self.plans: Sequence[PlanFile] = list(self.folder.plans(reading.annotations))
        if not self.plans:
            at = (
                f" of the version {reading.annotations} (--annotations) or an earlier one"
                if reading.annotations
                else ""
            )
            raise DataError(
                f"{root}: no folder in Datasets/ has an annotation plan (benchmark_plan_*.json.gz){at}; download "
                f"MedVision's annotations{', or give a later version' if at else ''} (docs/data.md)"
            )
        self.subjects: Mapping[tuple[str, str], str] = {}
        self.subject_lines: Sequence[int] = ()
        """The line numbers of the file of subjects, in its order."""
        if reading.subjects:
            self.subjects, self.subject_lines = read_subjects(reading.subjects)
        self._volumes = VolumeCache()
        self._problems: dict[str, None] = {}

    @property
    def problems(self) -> Sequence[str]:
        """Messages about the broken cases and samples that were left out so far, each message once."""
        return list(self._problems)

    @property
    def info(self) -> SourceInfo:
        """The source's name with a note: annotations, filters, boxes, and how many problems left samples out so far."""
        reading = self.reading
        notes = [
            f"MedVision's annotations of {self.folder.root},",
            f"version {reading.annotations or 'newest'} of each dataset,",
            f"{'with' if reading.filters else 'WITHOUT'} upstream's filters.",
            "Boxes are MedVision's: inclusive pixel indices, one pixel short in each direction.",
        ]
        if self._problems:
            problems = plural(len(self._problems), "problem")
            notes.append(
                f"Samples were left out because of {problems}, listed by: medvision-agent data check {self.folder.root}"
            )
        return SourceInfo(f"medvision:{self.folder.root}", demonstration=False, note=" ".join(notes))

    @cached_property
    def samples(self) -> Samples:
        """All samples of both splits, without masks. They may be millions; use ``stream`` for a part of them."""
        # Distances and angles come once: in the configuration that holds both.
        return Kept(self.stream(Wants(lambda _: True, lambda config: config.whole == config)))

    def stream(self, wants: Wants) -> Iterator[Sample]:
        """Yield the samples of the configurations that *wants* asks for, case by case.

        Broken cases and samples are left out and noted in ``problems``; raises DataError for a plan that breaks off.
        """
        for plan in self.plans:
            if (wants.masks or plan.kind != "segmentation") and wants.dataset(plan.dataset):
                yield from self._plan_samples(plan, wants)

    def _plan_samples(self, plan: PlanFile, wants: Wants) -> Iterator[Sample]:
        counters: defaultdict[Config, Counter] = defaultdict(Counter)
        for task, split, cases in read_plan(plan):
            configs = configs_of(plan, task, split)
            for raw in cases:
                asked = [config for config in configs if wants.config(config)]
                if not asked:
                    break
                if raw.may_have(config.slice_dim for config in asked):
                    yield from self._case_samples(raw, asked, counters, wants)

    def _case_samples(
        self, raw: RawCase, configs: Sequence[Config], counters: defaultdict[Config, Counter], wants: Wants
    ) -> Iterator[Sample]:
        opened: OpenCase | None = None
        try:
            case = parse_case(raw)
        except DataError as error:
            self._problems[str(error)] = None
            return
        try:
            opened = OpenCase.open(self.folder, raw, case, self.subjects)
        except DataError as error:
            self._problems[str(error)] = None
        for config in configs:
            # The records of a broken case are counted too, so that those after it keep upstream's numbers.
            for facts in facts_of(raw, case, config, counters[config], filters=self.reading.filters):
                if not wants.config(config):
                    break
                if opened is not None:
                    try:
                        yield opened.sample(facts)
                    except DataError as error:
                        self._problems[str(error)] = None

    def load(self, sample: Sample) -> NativeImage:
        """Return a sample's slice (height, width) in native values, with access to the neighbouring slices.

        Raises DataError if the volume cannot be read, or does not fit the sample.
        """
        facts, place = sample.medvision, f"{self.folder.root}: {sample.id}"
        if facts is None:
            raise DataError(
                f"{place}: the sample lacks the field medvision, which every sample of MedVision's data has; give the "
                "source that the sample came from"
            )
        path = self.folder.file(facts.image_file, f"{place}: image_file")
        units = units_of(facts.dataset_name, sample.modality)
        native = self._volumes.native(path, facts.slice_dim, facts.slice_idx, units)
        found = native.values.shape
        if found != facts.image_size_2d:
            raise DataError(
                f"{place}: image_size_2d: is {facts.image_size_2d} (height, width), but the slice of {path} has "
                f"{found}; download the data of this dataset again"
            )
        return native


_COLUMNS = ("dataset", "case", "subject")


def read_subjects(path: Path) -> tuple[Mapping[tuple[str, str], str], Sequence[int]]:
    """Return the subject of each (dataset, case) that a CSV file names, and the line number of each, in order.

    Raises ConfigError if the file cannot be read, DataError that names the line if its content is wrong.
    """
    found, lines = dict[tuple[str, str], str](), list[int]()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not set(_COLUMNS) <= set(rows.fieldnames or ()):
                named = ", ".join(rows.fieldnames or ()) or "nothing"
                raise DataError(
                    f"{path}: the first line must name the columns {', '.join(_COLUMNS)}, but it has {named[:200]}"
                )
            for row in rows:
                place = f"{path}:{rows.line_num}"
                dataset, case, subject = ((row[column] or "").strip() for column in _COLUMNS)
                if not (dataset and case and subject):
                    raise DataError(f"{place}: a column is empty; give dataset, case and subject in every row")
                if (dataset, case) not in found:
                    lines.append(rows.line_num)
                if (first := found.setdefault((dataset, case), subject)) != subject:
                    raise DataError(
                        f"{place}: subject: the case {case!r} of {dataset} has the subject {subject!r} here, but "
                        f"{first!r} in an earlier row; give it one subject"
                    )
    except OSError as error:
        raise ConfigError(f"--subjects {path}: this file cannot be read ({error.strerror}); check the path") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: is not a CSV file in UTF-8 ({error}); save the table in this form") from None
    return found, lines
