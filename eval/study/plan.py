"""The plan of a study: everything fixed before the first call, its hash, and the file that stores it.

Contract: the plan holds what is asked and what will be tested - arms, contrasts, the primary metric and the family of
tests (contrasts x tasks x models x sources) - and no result. A study continues only under the plan it began with; the
budget, the number of connections and the probe are not part of it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from medvision_agent.agent.reader import Reader
from medvision_agent.errors import ConfigError, StorageError
from medvision_agent.eval.compare.statistics.pairs import Key
from medvision_agent.eval.scorer.primary import Primary, primaries_of
from medvision_agent.eval.settings.identity import FIRST_SET
from medvision_agent.eval.store.files import make_folder, sync_folder, unwritable
from medvision_agent.eval.store.provenance import code_sha256
from medvision_agent.eval.store.read import STUDY
from medvision_agent.eval.study.looks import planned_looks
from medvision_agent.eval.study.schema import Arm, Contrast, Only, Study
from medvision_agent.eval.tasks import TASKS, TaskName
from medvision_agent.frozen import Frozen
from medvision_agent.tools.registry import NEWEST
from medvision_agent.version import VERSION

if TYPE_CHECKING:  # reading a plan must not import what running needs
    from medvision_agent.eval.study.cells import Cell

__all__ = [
    "Plan",
    "PlannedCell",
    "PlannedSource",
    "arms_begun",
    "make_plan",
    "month_of",
    "read_plan",
    "settle",
    "widest",
]

FORMAT = 2
"""Format of the file; other formats are rejected."""
_CHANGING = {"budget", "max_connections", "probe", "unchecked", "processes", "engine", "address", "gpus"}
_SHOWN = 12
"""Most differences listed."""
_READING = ("reader", "study.reader", "study.primary_reading")
_LATE = (
    "\nWhich reading is primary is settled before the first call. A reader that is named later is never primary: "
    "medvision-agent report --reader MODEL shows its readings beside the rule's"
)


class PlannedCell(Frozen):
    """One run of a study, as its plan states it."""

    model: str
    arm: str
    source: str
    epoch: int
    folder: str
    """Relative to the study's folder."""
    wording: int | None = None
    """Number of the wording drawn for it; None if the study draws none (`prompts: 1`)."""
    samples: int | None = None
    """Number of its samples, if a model that is asked only some tasks has fewer than the source."""


class PlannedSource(Frozen):
    """One source of samples, as the plan of a study states it."""

    source: str
    """Its name in the study file."""
    tasks: dict[TaskName, int]
    """Number of samples of each task."""
    samples: int
    subjects: int
    samples_sha256: str
    metrics: dict[TaskName, Primary] = Field(default={})
    """The primary metric of each task; empty if all use the default loss."""
    looks: dict[TaskName, tuple[int, ...]] = Field(default={})
    """Number of subjects of each task at each planned look; empty without looks."""


class Plan(Frozen):
    """The plan of a study: everything fixed before the first call."""

    study: dict[str, Any]
    """The study file with all defaults written out."""
    arms: dict[str, Arm]
    """All arms, including those of designs, in order."""
    contrasts: tuple[Contrast, ...]
    """All declared contrasts."""
    metric: str = "loss"
    """The primary metric, if the source of a test names none."""
    protocol: str
    alpha: float
    margin: float | None = None
    """Margin of equivalence, in units of the primary metric; None in plans of earlier versions, which declared none."""
    family: tuple[Key, ...]
    """The declared tests."""
    primaries: tuple[str, ...] = ()
    """Contrasts whose tests start with all of alpha; empty: all tests start equally (plans of earlier versions)."""
    cells: tuple[PlannedCell, ...]
    sources: tuple[PlannedSource, ...]
    reader: Reader | None = None
    """The second reader as it was at the start of the study; None if the study names none."""
    tools_dated: str = FIRST_SET
    """The month of the tool set for arms that name none: the newest at the start of the study."""

    written: str = Field(default="", exclude=True)
    """The hash stored in the file from which a plan was read; empty for a new plan."""

    @property
    def read_by(self) -> Reader | None:
        """The second reader, if its readings are scored; None if those of the protocol's rule are."""
        return self.reader if self.study.get("primary_reading") == "reader" else None

    def samples_of(self, cell: PlannedCell) -> int:
        """Return how many samples *cell* asks."""
        every = next(one.samples for one in self.sources if one.source == cell.source)
        return every if cell.samples is None else cell.samples

    @property
    def first_tests(self) -> int:
        """Number of tests that share alpha at the start: the primary ones, or all if none is primary."""
        return sum(key.contrast in self.primaries for key in self.family) or len(self.family)

    @property
    def first_arms(self) -> tuple[str, ...]:
        """The arms to show if not all are shown: those of the primary contrast, or else `off` and `on`.

        If neither contrast exists, those of the first contrast; in a study without contrasts, all arms.
        """
        first = [one for one in self.contrasts if one.name in self.primaries]
        usual = [one for one in self.contrasts if (one.a, one.b) == ("off", "on")]
        pair = next(iter((*first, *usual, *self.contrasts)), None)
        return (pair.a, pair.b) if pair is not None else tuple(self.arms)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the whole plan, as first written."""
        return self.written or _hash(self.model_dump(mode="json"))


def _hash(plan: Mapping[str, Any]) -> str:
    return sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()


def _complete(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON data, with defaults for keys that did not exist in the version that wrote it."""
    study = Study.model_validate(plan.study).model_dump(mode="json", exclude=_CHANGING)
    return plan.model_dump(mode="json") | {"study": study}


def make_plan(
    study: Study,
    arms: Mapping[str, Arm],
    contrasts: Sequence[Contrast],
    cells: Sequence["Cell"],
    out: Path,
    *,
    month: str = NEWEST,
    reader: Reader | None = None,
) -> Plan:
    """Return the plan of a study from its prepared cells; *out* is its folder, *month* that of its tool set.

    Raises ConfigError if a metric or a look does not suit the samples.
    """
    sources = [_source(widest(cells, source), study) for source in study.data]
    tasks = {(cell.source, cell.model, cell.arm): cell.prepared.samples.summed.tasks.keys() for cell in cells}
    return Plan(
        study=study.model_dump(mode="json", exclude=_CHANGING),
        arms=dict(arms),
        contrasts=tuple(contrasts),
        protocol=study.protocol,
        alpha=study.alpha,
        margin=study.margin,
        family=tuple(
            Key(contrast.name, task, model, source.source)
            for source in sources
            for contrast in contrasts
            if contrast.tested
            for task in source.tasks
            for model in study.models
            if all(task in tasks.get((source.source, model, arm), ()) for arm in (contrast.a, contrast.b))
        ),
        primaries=_primaries(contrasts),
        cells=tuple(
            PlannedCell(
                model=cell.model,
                arm=cell.arm,
                source=cell.source,
                epoch=cell.epoch,
                folder=cell.folder.relative_to(out).as_posix(),
                wording=cell.wording,
                samples=len(cell.prepared.samples) if study.only.get(cell.model, Only()).tasks else None,
            )
            for cell in cells
        ),
        sources=tuple(sources),
        tools_dated=month,
        reader=reader,
    )


def widest(cells: Iterable["Cell"], source: str) -> "Cell":
    """Return the first of the cells of *source* with the most samples, which include those of all its other cells."""
    return max((cell for cell in cells if cell.source == source), key=lambda cell: len(cell.prepared.samples))


def _primaries(contrasts: Sequence[Contrast]) -> tuple[str, ...]:
    """Return the names of the main contrasts: `matched -> on` if declared, otherwise `off -> on`.

    Empty without both.
    """
    for first in ("matched", "off"):
        found = [one.name for one in contrasts if one.tested and (_arm(one.a), _arm(one.b)) == (first, "on")]
        if found:
            return tuple(found)
    return ()


def _arm(name: str) -> str:
    """Return an arm's name without its crossed factors: `on` for `on@cot`."""
    return name.partition("@")[0]


def _source(cell: "Cell", study: Study) -> PlannedSource:
    samples = cell.prepared.samples
    try:
        metrics = primaries_of(samples, study.metric, study.failures)
        looks = planned_looks(samples, study.looks, study.seed)
    except ConfigError as error:
        raise ConfigError(f"{cell.source}: {error}") from None
    return PlannedSource(
        source=cell.source,
        tasks={task: samples.summed.tasks[task] for task in TASKS if task in samples.summed.tasks},
        samples=len(samples),
        subjects=samples.summed.subjects,
        samples_sha256=cell.prepared.identity.samples_sha256,
        metrics=metrics,
        looks=looks,
    )


def arms_begun(out: Path, study: Study) -> tuple[dict[str, Arm], tuple[Contrast, ...]] | None:
    """Return the arms and contrasts with which *study* began in the folder *out*.

    None if no study began in *out*, or one whose study file differs. A design may add different arms in different
    versions; a continued study keeps the arms that it began with.
    """
    begun = read_plan(out) if (out / STUDY).exists() else None
    if begun is None or _complete(begun)["study"] != study.model_dump(mode="json", exclude=_CHANGING):
        return None
    return begun.arms, begun.contrasts


def month_of(out: Path) -> str:
    """Return the month of the tool set of the study in the folder *out*; the newest month if *out* has no study."""
    return read_plan(out).tools_dated if (out / STUDY).exists() else NEWEST


def settle(out: Path, plan: Plan) -> bool:
    """Write the plan into the study's folder *out*, unless the same plan is in it; return whether it was.

    Raises StorageError that names every field that differs from the plan with which the study began.
    """
    if (out / STUDY).exists():
        begun = read_plan(out)
        then, now = _complete(begun), _complete(plan.but(primaries=begun.primaries, margin=begun.margin))
        different = list(_differences("", then, now))
        if different:
            more = f"\n  and {len(different) - _SHOWN} more" if len(different) > _SHOWN else ""
            lines = "\n".join(f"  {line}" for line in different[:_SHOWN])
            late = _LATE if any(line.startswith(_READING) for line in different) else ""
            raise StorageError(
                f"{out}: this folder holds a study that began with other settings, so it cannot be continued with "
                f"these; restore the earlier settings, or start a new study with another --out:\n{lines}{more}{late}"
            )
        return True
    content = {"format": FORMAT, "sha256": plan.sha256, "version": VERSION, "code_sha256": code_sha256()}
    part = out / f"{STUDY}.part"
    try:
        make_folder(out)
        part.write_text(json.dumps(content | {"plan": plan.model_dump(mode="json")}, indent=2), encoding="utf-8")
        part.replace(out / STUDY)
        sync_folder(out)
    except OSError as error:
        raise StorageError(unwritable(out, error)) from error
    return False


def read_plan(out: Path) -> Plan:
    """Return the plan in a study's folder *out*; StorageError if it is missing, of another format, or was changed."""
    try:
        content = json.loads((out / STUDY).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise StorageError(
                f"{out / STUDY}: the file has format {content['format']!r}, but this version reads format {FORMAT}; "
                "start the study again with another --out (the runs in this folder can still be read, one by one)"
            )
        plan = Plan.model_validate({**content["plan"], "written": _hash(content["plan"])})
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise StorageError(
            f"{out / STUDY}: the plan of the study cannot be read ({' '.join(str(error).split())[:300]}); restore the "
            "file, or give the folder of another study"
        ) from None
    # The hash is that of the plan as first written: a later version may have more keys.
    if content.get("sha256") != plan.sha256:
        raise StorageError(
            f"{out / STUDY}: the plan was changed after the study began (its hash does not match); restore the file "
            "as it was, or start the study again with another --out"
        )
    return plan


def _differences(place: str, then: Any, now: Any) -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted(then.keys() | now.keys()):
            yield from _differences(f"{place}.{key}" if place else key, then.get(key), now.get(key))
    elif then != now:
        yield f"{place}: the study began with {_short(then)}, this command has {_short(now)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
