"""Cells: each arm of each model over each source, in each wording drawn, for each epoch.

Contract: each cell is a prepared ordinary run; nothing is written. All cells of a source share its samples and their
order, except samples that an arm cannot ask because no other subject's image exists, and tasks that a model is not
asked. Cells are ordered by model, arm, source, wording and epoch.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from pathlib import Path

from medvision_agent.agent.limits import Limits
from medvision_agent.errors import ConfigError, MedVisionAgentError
from medvision_agent.eval.asking.chosen import Chosen, choose
from medvision_agent.eval.asking.launch import Prepared, prepare
from medvision_agent.eval.data.configs import read_task_list
from medvision_agent.eval.data.medvision.source import Reading
from medvision_agent.eval.data.selection import Selection
from medvision_agent.eval.settings.budget import Budget
from medvision_agent.eval.settings.settings import Asked, Settings
from medvision_agent.eval.store.read import CELLS
from medvision_agent.eval.study.only import arms_of, samples_of
from medvision_agent.eval.study.schema import Arm, Study
from medvision_agent.tools.registry import NEWEST

__all__ = ["Cell", "cell_folder", "make_cells", "tools_file"]

_MEDVISION = "medvision:"


@dataclass(frozen=True, eq=False)
class Cell:
    """One run of a study: a prepared run of one arm, model, source, wording and epoch."""

    model: str
    arm: str
    source: str
    """Its name in the study file."""
    epoch: int
    """Counted from 1."""
    prepared: Prepared
    wording: int | None = None
    """Number of the wording drawn for it; None if the study draws none (`prompts: 1`)."""
    canary: str = ""
    """The moment at which it is asked, if it belongs to no arm (``canaries``)."""

    @property
    def name(self) -> str:
        """The cell's name in messages: model, arm, source, and wording and epoch where there are several."""
        more = f", epoch {self.epoch}" if self.epoch > 1 else f", canaries at the {self.canary}" if self.canary else ""
        worded = "" if self.wording is None else f", wording {self.wording}"
        return f"{self.model}, {self.arm}, {self.source}{worded}{more}"

    @property
    def folder(self) -> Path:
        """The folder of the cell's run."""
        return self.prepared.settings.out


def cell_folder(out: Path, model: str, arm: str, epoch: int, source: str = "", *, wording: int | None = None) -> Path:
    """Return the folder of a cell's run in the study's folder *out*.

    Give *source* only if the study has several sources, and *wording* only if it draws wordings.
    """
    names = [_safe(name) for name in (source, model, arm) if name]
    return out / CELLS / "--".join([*names, *([] if wording is None else [f"w{wording}"]), str(epoch)])


def _safe(name: str) -> str:
    """Return *name* in a form that any file system accepts; different names give different results."""
    safe = re.sub(r"[^A-Za-z0-9._@+-]", "-", name)[:80]
    return safe if safe == name and "--" not in name else f"{safe}-{sha256(name.encode()).hexdigest()[:6]}"


def make_cells(
    study: Study,
    arms: Mapping[str, Arm],
    *,
    home: Path,
    out: Path,
    budget: Budget,
    month: str = NEWEST,
    asking: bool = True,
) -> tuple[Cell, ...]:
    """Return the prepared cells of a study; relative paths in it start from *home*, runs are placed below *out*.

    Raises a MedVisionAgentError that names arm and model if a run is not possible. *month* is that of the tool set for
    arms that name none. Where nothing will be asked (*asking* is false), models need not be reachable.
    """
    cells, several = list[Cell](), len(study.data) > 1
    for source, chosen in _chosen(study, home, budget).items():
        for model in study.models:
            own = samples_of(study, model, chosen, source)
            for name, arm in arms_of(study, model, arms).items():
                dated = arm.but(tools_dated=arm.tools_dated or month)
                for wording, epoch in product(study.wordings, range(1, study.epochs + 1)):
                    worded = dated if wording is None else dated.but(wording=wording, tool_order=study.seed)
                    settings = _settings(study, source, model, worded, home=home, budget=budget)
                    folder = cell_folder(out, model, name, epoch, source if several else "", wording=wording)
                    settings = settings.but(out=folder)
                    try:
                        prepared = prepare(settings, asking=asking, chosen=own)
                    except MedVisionAgentError as error:
                        where = f"arm {name!r} of model {model!r}{f' over {source}' if several else ''}"
                        raise type(error)(f"{where}: {error}") from None
                    cells.append(Cell(model, name, source, epoch, prepared, wording))
    return tuple(cells)


def tools_file(study: Study, home: Path) -> Path | None:
    """Return the path of the file with the study's own tools, relative paths from *home*.

    None if the study has none.
    """
    return home / study.tools_from if study.tools_from else None


def _chosen(study: Study, home: Path, budget: Budget) -> dict[str, Chosen]:
    """Open every source and select its samples; return them by source.

    Raises ConfigError if two sources name the same samples, DataError if samples cannot be read.
    """
    found = {
        one: choose(_settings(study, one, study.models[0], study.base, home=home, budget=budget)) for one in study.data
    }
    names: dict[str, str] = {}
    for source, chosen in found.items():
        if (other := names.setdefault(chosen.source.info.name, source)) != source:
            raise ConfigError(f"data: {other} and {source} name the same samples; keep one of them")
    return found


def _settings(study: Study, source: str, model: str, arm: Arm, *, home: Path, budget: Budget) -> Settings:
    listed = read_task_list(home / study.task_list) if study.task_list else ()
    # With several sources, settings for MedVision's data are applied to it only.
    own = source.startswith(_MEDVISION) or not any(one.startswith(_MEDVISION) for one in study.data)
    limits = {"tool_calls": arm.max_tool_calls, "model_calls": arm.max_model_calls}
    asked = {name: getattr(arm, name) for name in Asked.model_fields}
    if arm.prompt_file:
        asked["prompt_file"] = home / arm.prompt_file
    if arm.upstream_python:
        asked["upstream_python"] = home / arm.upstream_python
    return Settings(
        **asked,
        model=model,
        data=_place(source, home),
        selection=Selection(
            tasks=study.tasks,
            configs=(*study.configs, *listed) if own else (),
            split=study.split if own else None,
            planes=study.planes,
            datasets=study.datasets,
            limit=study.limit,
            limit_by=study.limit_by,
            seed=study.seed,
        ),
        reading=Reading(
            annotations=study.annotations,
            filters=study.filters,
            subjects=home / study.subjects if study.subjects else None,
        )
        if own
        else Reading(),
        reshape=study.reshape,
        limits=Limits.model_validate(
            study.limits.model_dump() | {key: value for key, value in limits.items() if value is not None}
        ),
        budget=budget,
        tools_from=tools_file(study, home),
        models_file=home / study.models_file if study.models_file else None,
        script=str(home / study.script) if study.script and model == "scripted" else None,
        max_connections=study.max_connections,
        processes=study.processes,
        engine=study.engine,
        address=study.address,
        gpus=study.gpus,
        probe=study.probe,
        unchecked=study.unchecked,
    )


def _place(data: str, home: Path) -> str:
    """Return *data* in the form that `run --data` takes, with relative paths starting from *home*."""
    kind, separator, folder = data.partition(":")
    # How another package's source reads its argument is unknown: an existing path is treated as a path.
    if separator and (kind == "medvision" or (kind != "phantom" and (home / folder).exists())):
        return f"{kind}:{home / folder}"
    return str(home / data) if (home / data).is_file() else data
