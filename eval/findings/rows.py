"""The rows of findings: each contrast on each task, or each arm if nothing is compared."""

from array import array
from typing import Literal

from medvision_agent.eval.compare.statistics.enough import MIN_EFFECTIVE, MIN_SUBJECTS
from medvision_agent.eval.compare.statistics.family import Test, Verdict
from medvision_agent.eval.findings.alone import wrong_place
from medvision_agent.eval.findings.contrast import Contrast
from medvision_agent.eval.findings.contrasts import Worked
from medvision_agent.eval.findings.inputs import ArmIn
from medvision_agent.eval.findings.model import ArmRow, Outcome, Row
from medvision_agent.eval.findings.questions import asked_in
from medvision_agent.eval.findings.scores import Epochs, by_sample
from medvision_agent.eval.place.summary import Places
from medvision_agent.eval.summary.effort import Effort
from medvision_agent.eval.summary.efforts import effort_of_runs
from medvision_agent.eval.summary.measures import finite_mean
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["arm_rows", "rows_of"]

_OUTCOMES: dict[Verdict, Outcome] = {
    "second arm has the lower loss": "lower",
    "second arm has the higher loss": "higher",
    "second arm is lower in what was seen; rare failures are not excluded": "lower, not guarded",
    "second arm is higher in what was seen; rare failures are not excluded": "higher, not guarded",
    "no difference shown": "no difference shown",
    "equivalent: apart by less than the margin": "equivalent",
}
_NOT_GUARDED = "rare failures are not excluded: one more subject in whom the better arm fails could undo it"
_NOT_SHOWN = "the test shows no difference"


def rows_of(worked: Worked) -> tuple[Row, ...]:
    """Return a row of findings for each contrast on each task, task by task."""
    main = _main(worked.contrasts)
    return tuple(
        _row(worked, at, one, task, main=one.of == main)
        for task in TASKS
        for at, one in enumerate(worked.contrasts)
        if task in one.tests
    )


def _main(contrasts: tuple[Contrast, ...]) -> str:
    """Return the name of the contrast that the headline is about; empty without contrasts."""
    declared, about = [one for one in contrasts if one.declared], [one for one in contrasts if one.asks == "tools"]
    for group in ([one for one in contrasts if one.main], [one for one in about if one.declared], about, declared):
        if group:
            return group[0].of
    others = [one for one in contrasts if not one.identical]
    return next((one.of for one in others or contrasts), "")


def _row(worked: Worked, at: int, one: Contrast, task: TaskName, *, main: bool) -> Row:
    test, means = one.tests[task], one.means[task]
    found = test.primary
    pair = worked.chapter.contrasts[at]
    cost_ratio, cost_unit = _cost(pair.a, pair.b, task)
    outcome: Outcome = "no claim" if test.verdict is None else _OUTCOMES[test.verdict]
    reason, withheld = _reason(one, test, outcome)
    if reason in {"untested", "scripted"}:
        outcome = "no claim"
    place = next((each.found for each in worked.grounded if (each.contrast, each.task) == (one.name, task)), None)
    return Row(
        task=task,
        contrast=one.name,
        of=one.of,
        arm=one.b,
        against=one.a,
        model=one.model,
        asks=one.asks,
        control=one.control,
        main=main,
        loss=means.loss_b,
        loss_against=means.loss_a,
        difference=found.difference,
        interval=found.interval,
        level=found.level,
        p=test.adjusted_p if found.p is not None else None,
        margin=test.margin,
        n=found.n,
        subjects=found.subjects,
        wins=found.differing.b_lower if found.differing else 0,
        ties=found.differing.equal if found.differing else 0,
        losses=found.differing.b_higher if found.differing else 0,
        success=test.missing.success.difference,
        wrong_place=wrong_place(place.b) if place else None,
        wrong_place_against=wrong_place(place.a) if place else None,
        cost_ratio=cost_ratio,
        cost_unit=cost_unit,
        outcome=outcome,
        reason=reason,
        withheld=withheld,
    )


def _reason(one: Contrast, test: Test, outcome: Outcome) -> tuple[str, str]:
    """Return why nothing is claimed, in one or two words and in full; two empty texts if something is claimed."""
    found = test.primary
    cannot = found.interval is None
    reasons = {
        "no pairs": (found.difference is None, "no sample was scored in both arms"),
        "untested": (bool(one.no_claim), "; ".join(one.no_claim)),
        "scripted": (bool(one.by_construction), one.by_construction),
        "demo data": (found.evidence == "demonstration", found.withheld),
        "unfinished": (bool(one.early), one.early),
        "few subjects": (found.subjects < MIN_SUBJECTS or found.effective_subjects < MIN_EFFECTIVE, found.withheld),
        "no spread": (cannot, found.withheld),
        "synthetic": (found.evidence == "synthetic", found.withheld),
        "repeat": (one.identical, "the two runs are identical: what they differ by is noise"),
        "exploratory": (not test.declared, found.withheld),
        "failure price": (found.p is None, found.withheld),
        "not guarded": (outcome.endswith("not guarded"), _NOT_GUARDED),
        "none shown": (outcome == "no difference shown", _NOT_SHOWN),
    }
    return next(((word, said) for word, (true, said) in reasons.items() if true), ("", ""))


def _cost(a: ArmIn, b: ArmIn, task: TaskName) -> tuple[float | None, Literal["US dollars", "tokens"]]:
    """Return the cost of a sample in arm *b* divided by that in arm *a*, and its unit: US dollars, otherwise tokens.

    The ratio is None if the tokens of an arm are not known either.
    """
    one, two = (effort_of_runs(arm.runs, [task]) for arm in (a, b))
    if one.cost_usd.mean and two.cost_usd.mean is not None:
        return two.cost_usd.mean / one.cost_usd.mean, "US dollars"
    before, after = _tokens(one), _tokens(two)
    return (after / before if before and after is not None else None), "tokens"


def _tokens(effort: Effort) -> float | None:
    """Return the mean number of tokens of a sample, input and output together; None if either is unknown."""
    both = effort.input_tokens.mean, effort.output_tokens.mean
    return None if None in both else sum(filter(None, both))


def arm_rows(worked: Worked) -> tuple[ArmRow, ...]:
    """Return the figures of each arm on each task, task by task; an arm without a scored sample has no row."""
    rows = {arm.name: _of_arm(worked, arm) for arm in worked.chapter.arms}
    return tuple(own[task] for task in TASKS for own in rows.values() if task in own)


def _of_arm(worked: Worked, arm: ArmIn) -> dict[TaskName, ArmRow]:
    """Return the figures of an arm by task, all epochs together; a task without a scored sample is left out."""
    epochs, places = worked.scores[arm.name], {task: Places() for task in TASKS}
    for one in worked.looked[arm.name].located:
        places[one.sample.task].add(one)
    asked = {one.task for one in asked_in(arm.first)}
    rows = {task: _arm(arm, task, epochs, places[task]) for task in TASKS if task in asked}
    return {task: row for task, row in rows.items() if row is not None}


def _arm(arm: ArmIn, task: TaskName, epochs: Epochs, places: Places) -> ArmRow | None:
    """Return the figures of an arm on a task, None without a scored sample; *places* are those of its first epoch."""
    losses, success, subjects = array("d"), array("d"), set[str]()
    for each in by_sample(epochs, task):
        losses.append(sum(float(score.loss) for _, score in each) / len(each))
        success.append(sum(score.success for _, score in each) / len(each))
        subjects.add(each[0][0].subject)
    if not losses:
        return None
    return ArmRow(
        task=task,
        arm=arm.name,
        n=len(losses),
        subjects=len(subjects),
        loss=finite_mean(losses)[0],
        success_rate=finite_mean(success)[0],
        wrong_place=wrong_place(places.summary()) if places.losses else None,
    )
