"""Agreement of arms with the ground truth: for a contrast over its common samples, for a lone arm over its own.

The answers of a sample's epochs are averaged first. Boxes have no agreement: their measure is the overlap.
"""

from collections.abc import Iterator, Mapping

from medvision_agent.eval.agreement.arm import Agreement, Figure, agreement
from medvision_agent.eval.agreement.coverage import coverage
from medvision_agent.eval.data.sample import Asked
from medvision_agent.eval.findings.inputs import ArmIn, ChapterIn
from medvision_agent.eval.findings.questions import asked_in
from medvision_agent.eval.findings.scores import Epochs
from medvision_agent.eval.report.answers import Answers
from medvision_agent.eval.report.model import ArmAgreement, Chapter
from medvision_agent.eval.report.table import Table, Value
from medvision_agent.eval.report.tables import chapter_table, numbers, signed, slug, texts
from medvision_agent.eval.tasks import TASKS, TaskName

__all__ = ["agreement_tables", "agreements"]

_NOTES = (
    "Over the samples answered in both arms of a contrast; a lone arm, over those it answered.",
    "Bias: the mean of stated minus true. Limits: bias plus and minus 1.96 SD, between and within subjects.",
    "Slope: by how much the error rises with the ground truth. CCC: Lin's concordance; ICC(A,1): absolute agreement.",
    "Intervals: 95%. That of the bias is the jackknife's and needs 20 subjects; the others are drawn and need 30.",
    "Of ln(stated / true), a bias of 0.1 is 10.5% too long. Answers of 0 or below have no logarithm and are left out.",
    "Within: the share of answers whose error is at most the annotators' own, of the samples that state it.",
)
_RISK = (
    "Risk: the mean loss of the answered samples. At half coverage: of the half whose repeated answers differ least; "
    "given where every sample was asked twice at least."
)


def agreements(chapter: ChapterIn, scores: Mapping[str, Epochs]) -> Iterator[ArmAgreement]:
    """Yield how well the numbers of each arm agree with the ground truth, contrast by contrast and task by task.

    *scores* are the scored samples of each arm. Boxes have no agreement and are left out.
    """
    pairs = [(one.name, one.a, one.b) for one in chapter.contrasts]
    groups: list[tuple[str, ArmIn, ArmIn | None]] = [*pairs] or [("", arm, None) for arm in chapter.arms]
    for contrast, a, b in groups:
        asked = {one.task for one in asked_in(a.first)}
        for task in (task for task in TASKS if task in asked and not TASKS[task].is_box):
            rows = {one.id: row for row, one in enumerate(_asked(a, task))}
            arms = [arm for arm in (a, b) if arm is not None]
            stated = {arm.name: Answers(scores[arm.name], task, rows) for arm in arms}
            for arm, other in ((a, b), (b, a)):
                if arm is not None:
                    own, both = stated[arm.name], None if other is None else stated[other.name]
                    yield ArmAgreement(
                        contrast=contrast,
                        arm=arm.name,
                        task=task,
                        numbers=tuple(agreement(_asked(a, task), own, both, evidence=chapter.evidence)),
                        coverage=coverage(len(rows), own.losses, own.repeated),
                    )


def _asked(arm: ArmIn, task: TaskName) -> Iterator[Asked]:
    return (one for one in asked_in(arm.first) if one.task == task)


def agreement_tables(chapter: Chapter, place: str) -> list[Table]:
    """Return the tables of agreement, and of risk and coverage, without those that have no rows.

    *place* is the prefix of the tables' ids.
    """
    tables = [_agreement_table(chapter, place), _coverage_table(chapter, place)]
    return [table for table in tables if table.rows]


def _agreement_table(chapter: Chapter, place: str) -> Table:
    columns = [*texts("contrast", "arm", "task", "number"), *numbers("n", "subjects")]
    columns += [*signed("bias", "low", "high"), *signed("lower limit", "upper limit", "slope")]
    columns += [*numbers("CCC", "CCC low", "CCC high", "ICC(A,1)", "ICC low", "ICC high", "within", "left out")]
    rows: list[tuple[Value, ...]] = [
        (
            *(one.contrast or "alone", one.arm, one.task, _name(number), number.n, number.subjects),
            *_three(number.bias),
            *(number.lower.value, number.upper.value, number.slope.value),
            *_three(number.ccc),
            *_three(number.icc),
            *(number.within, number.left_out or None),
        )
        for one in chapter.agreement
        for number in one.numbers
    ]
    return chapter_table(
        chapter, slug(place, "agreement"), "agreement with the ground truth", columns, rows, notes=_NOTES
    )


def _name(number: Agreement) -> str:
    return f"ln {number.number}" if number.logarithmic else f"{number.number}, {number.unit}"


def _three(figure: Figure) -> tuple[float | None, float | None, float | None]:
    return (figure.value, *(figure.interval or (None, None)))


def _coverage_table(chapter: Chapter, place: str) -> Table:
    columns = [*texts("arm", "task"), *numbers("chosen", "answered", "coverage", "risk", "risk at half coverage")]
    found = {(one.arm, one.task): one.coverage for one in chapter.agreement}
    rows: list[tuple[Value, ...]] = [
        (*names, one.chosen, one.answered, one.answered / one.chosen, one.risk, one.at(0.5))
        for names, one in found.items()
    ]
    return chapter_table(chapter, slug(place, "coverage"), "risk and coverage", columns, rows, notes=(_RISK,))
