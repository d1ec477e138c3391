"""Arms made from another arm's answers to the same samples: from which arm, whether this is possible, and when.

Contract: an arm is made from the answers of the arm `on`, crossed alike (`matched@cot` from `on@cot`), of the same
model, source, wording and epoch. Both differ only in their tools, and in the size of the image if it is enlarged.
Matching tokens needs a model that draws a different answer each time, and an arm of single answers without tools for
comparison.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from medvision_agent.agent.made import MADE, MATCHED
from medvision_agent.agent.models import ModelConfig
from medvision_agent.errors import ConfigError
from medvision_agent.eval.asking.draws import Draws
from medvision_agent.eval.asking.enlarge import cannot_enlarge, pixels_shown
from medvision_agent.eval.asking.follow import AfterAll, SampleBySample, results_of
from medvision_agent.eval.asking.pool import Ask, Lane
from medvision_agent.eval.asking.thinking import can_think, let_think
from medvision_agent.eval.study.cells import Cell
from medvision_agent.eval.study.noise import fixed, temperature_of
from medvision_agent.eval.study.opened import Attempts, Opened
from medvision_agent.eval.study.schema import Arm, source_arm

__all__ = ["check_made", "ready", "with_truth_told"]


def check_made(arms: Mapping[str, Arm], cells: Sequence[Cell]) -> None:
    """Raise ConfigError if one of *arms* is made from another arm's answers and cannot be.

    The other arm is missing or differs in more than its tools, or the model of a cell does not allow it.
    """
    matched = [name for name, arm in arms.items() if arm.tools in MATCHED]
    for name, arm in arms.items():
        if arm.tools in MADE:
            _source(arms, name)
    for name in matched:
        _single(arms, name)
    for cell in cells:
        if cell.prepared.condition.thinks and not can_think(cell.prepared.model):
            raise ConfigError(
                f"arm {cell.arm!r} of model {cell.model!r}: the model may think as much as the arm `on` spent, but "
                "its entry in the catalogue of models has no `thinking_budget`; add this key, or leave the arm out"
            )
        if cell.prepared.condition.enlarges:
            _check_enlarged(cell)
    for model, row in {cell.model: cell.prepared.model for cell in cells if cell.arm in matched}.items():
        if reason := _same_every_time(row):
            raise ConfigError(
                f"arm {matched[0]!r} of model {model!r}: several answers to each sample are combined, which must be "
                f"able to differ, but {reason}; give the model's entry in the catalogue a `temperature` above 0 and "
                "no `seed`, or leave the arm out"
            )


def with_truth_told(arms: Mapping[str, Arm], cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return *cells*, those that hand back tool results from the ground truth with this fact in their identity."""
    found = {(cell.source, cell.model, cell.arm, cell.wording, cell.epoch): cell.prepared for cell in cells}
    told = list[Cell]()
    for cell in cells:
        prepared = cell.prepared
        if prepared.condition.hands_back:
            source = found[cell.source, cell.model, _source(arms, cell.arm), cell.wording, cell.epoch]
            prepared = replace(prepared, identity=prepared.identity.but(told_truth=source.identity.told_truth))
        told.append(replace(cell, prepared=prepared))
    return tuple(told)


def ready(lanes: Mapping[Opened, Lane], arms: Mapping[str, Arm]) -> dict[Opened, Attempts]:
    """Return, for each run of one model, the samples that can be asked at once, each with its next attempt.

    The others are queued when the answers of other arms that they need exist. Call it once for each session.
    """
    found = {
        (one.cell.source, one.cell.arm, one.cell.wording, one.cell.epoch): one for one in lanes if not one.cell.canary
    }
    begun = dict[Opened, Attempts]()
    for one, lane in lanes.items():
        begun[one] = one.todo
        if one.cell.prepared.condition.made:
            source = found[one.cell.source, _source(arms, one.cell.arm), one.cell.wording, one.cell.epoch]
            others = [source]
            if one.cell.prepared.condition.name == "matched:mean":
                others.append(found[one.cell.source, _single(arms, one.cell.arm), one.cell.wording, one.cell.epoch])
            begun[one] = {sample.id: attempt for _, sample, attempt in _follow(one, lane, others, lanes)}
    return begun


def _follow(one: Opened, lane: Lane, others: Sequence[Opened], lanes: Mapping[Opened, Lane]) -> list[Ask]:
    """Make the run *one* wait for the runs *others*, from which it is made; return what can be asked at once."""
    prepared = one.cell.prepared
    if prepared.condition.hands_back:
        lane.job = replace(lane.job, results=partial(results_of, others[0].cell.folder))
    elif prepared.condition.enlarges:
        lane.job = replace(lane.job, pixels=partial(pixels_shown, others[0].cell.folder, prepared.model.sees))
    elif prepared.condition.matched:
        lane.draws = Draws.of(one.run, tagged=prepared.wording.tagged)
    todo = {id_: (lane, sample, one.todo[id_]) for sample in prepared.samples if (id_ := sample.id) in one.todo}
    settle: Callable[..., None] | None = None
    if prepared.condition.thinks:
        settle = partial(let_think, lane, one.run.records)
    elif lane.draws and len(others) > 1:
        settle = lane.draws.settle_number
    if settle is not None:
        return AfterAll(todo, settle).begin(*((lanes[other], other.todo, other.run.records) for other in others))
    return SampleBySample(lane, todo).begin(lanes[others[0]], others[0].run.records)


def _check_enlarged(cell: Cell) -> None:
    reason = cannot_enlarge(cell.prepared.model)
    if cell.prepared.pictures.kind == "none":
        reason = "it shows no image (`picture: none`), so none can be enlarged"
    if reason:
        raise ConfigError(f"arm {cell.arm!r} of model {cell.model!r}: {reason}; leave the arm out")


def _source(arms: Mapping[str, Arm], name: str) -> str:
    """Return the name of the arm from whose answers the arm *name* is made.

    Raises ConfigError if that arm does not exist or has no tools, or if the two differ in more than their tools.
    """
    source = source_arm(name)
    if source not in arms:
        raise ConfigError(
            f"arm {name!r} (tools: {arms[name].tools}) is made from the answers of an arm called {source!r}, and the "
            "study has none; add such an arm (the designs matched and result-only do)"
        )
    if arms[source].tools in (*MADE, "off"):
        raise ConfigError(
            f"arm {name!r} (tools: {arms[name].tools}) is made from the answers of the arm {source!r}, but that arm "
            f"has `tools: {arms[source].tools}`; give {source!r} tools that the model can call"
        )
    if more := set(arms[source].differences(arms[name])) - {"tools", "enlarged"}:
        raise ConfigError(
            f"arm {name!r}: it is made from the answers of the arm {source!r} and may differ from it in `tools` only, "
            f"but the two also differ in {', '.join(sorted(more))}; make them equal in this"
        )
    return source


def _single(arms: Mapping[str, Arm], name: str) -> str:
    """Return the name of the arm without tools that gives one answer, with which the arm *name* is compared.

    Raises ConfigError if the study has no such arm.
    """
    for other, arm in arms.items():
        if arm.tools == "off" and set(arm.differences(arms[name])) <= {"tools"}:
            return other
    raise ConfigError(
        f"arm {name!r}: it combines several answers without tools, and the study has no arm with one such answer to "
        "compare it with; add the design on-off, or an arm with `tools: off` that is equal in everything else"
    )


def _same_every_time(row: ModelConfig) -> str:
    """Return why the answers of a model are, or may be, the same each time; empty if they are drawn at random."""
    temperature = temperature_of(row)
    stated = isinstance(temperature, int | float) and temperature > 0
    return next(fixed(row), "" if stated else "its entry in the catalogue states no temperature")
