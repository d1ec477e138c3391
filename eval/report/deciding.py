"""The decisions in a report: the categories that each arm's answers lead to, and the decisions that tools change."""

from collections.abc import Iterator, Mapping, Sequence

from medvision_agent.eval.decisions.compare import turned
from medvision_agent.eval.decisions.decide import Case, Decisions, Share, decide
from medvision_agent.eval.decisions.rules import Rule
from medvision_agent.eval.findings.contrasts import Worked
from medvision_agent.eval.findings.inputs import ArmIn
from medvision_agent.eval.findings.places import demonstration
from medvision_agent.eval.report.model import Chapter, TurnedContrast
from medvision_agent.eval.report.table import Column, Table, Value
from medvision_agent.eval.report.tables import FIRST, chapter_table, numbers, rates, repeated, slug, texts
from medvision_agent.packed_list import PackedList
from medvision_agent.text import fixed, plural

__all__ = ["cases_of", "decided", "decision_sentences", "decision_tables", "turned_contrasts"]

_ARMS = (
    "Right: the share of all samples, failed answers included, whose answer leads to the category of the ground truth. "
    "Answered: the share that led to any decision. Weighted kappa is over the answers alone. Intervals: 95%, jackknife "
    "over subjects; nothing is tested. A category is no diagnosis and no advice."
)
_TURNED = (
    "Turned right: not right in the first arm and right in the second; turned wrong: the reverse. Net: turned right "
    "minus turned wrong, over all pairs. Per dollar: net decisions for each dollar that the second arm cost more."
)


def cases_of(one: Worked, rules: Sequence[Rule]) -> dict[str, PackedList[Case]]:
    """Return, by arm name, the answers of the first epoch to which any of the decision rules applies."""
    return {arm.name: PackedList(_cases(one, arm, rules)) for arm in one.chapter.arms}


def decided(
    one: Worked, cases: Mapping[str, Sequence[Case]], rules: Sequence[Rule]
) -> dict[str, tuple[Decisions, ...]]:
    """Return, by arm name, the categories that the answers in *cases* (``cases_of``) lead to, rule by rule.

    Arms without a sample to which a rule applies are left out.
    """
    reasons = demonstration(one.chapter)
    found = {name: tuple(decide(rules, own, reasons)) for name, own in cases.items()}
    return {name: own for name, own in found.items() if own}


def turned_contrasts(
    one: Worked, cases: Mapping[str, Sequence[Case]], rules: Sequence[Rule]
) -> Iterator[TurnedContrast]:
    """Yield, for each contrast and rule, how many decisions are right in one arm and wrong in the other.

    *cases* are the answers of each arm (``cases_of``).
    """
    for each in one.chapter.contrasts:
        a, b = each.a.name, each.b.name
        if not (cases[a] and cases[b]):
            continue  # the costs take a reading of all records
        reasons = [*demonstration(one.chapter), *each.withheld]
        for found in turned(rules, cases[a], cases[b], (_costs(each.a), _costs(each.b)), reasons):
            yield TurnedContrast(contrast=one.chapter.name_of(each), a=a, b=b, found=found)


def _cases(one: Worked, arm: ArmIn, rules: Sequence[Rule]) -> Iterator[Case]:
    for sample, score in one.scores[arm.name][0]:
        if score is not None and any(rule.decides(sample) for rule in rules):
            yield Case(sample, sample.target, score.values if score.success else None)


def _costs(arm: ArmIn) -> Mapping[str, float]:
    return {record.sample.id: record.cost_usd for record in arm.first.each() if record.cost_usd is not None}


def decision_tables(chapter: Chapter, place: str) -> list[Table]:
    """Return the tables of decisions, without those that have no rows; *place* is the prefix of their ids."""
    tables = [_turned(chapter, place), _arms(chapter, place), _counts(chapter, place)]
    return [table for table in tables if table.rows]


def _arms(chapter: Chapter, place: str) -> Table:
    columns = [*texts("arm", "rule"), *numbers("n", "subjects"), *rates("answered", "right", "low", "high")]
    for name in ("kappa, quadratic", "kappa, linear"):
        columns += numbers(name, f"{name}, low", f"{name}, high")
    columns += texts("why there is no interval")
    rows: list[tuple[Value, ...]] = [
        (arm, one.rule.name, one.n, one.subjects, one.coverage, *_share(one.right), *_kappas(one), one.withheld)
        for arm, found in chapter.decided.items()
        for one in found
    ]
    caption = "decisions of each arm beside those of the ground truth"
    notes = [_ARMS, *dict.fromkeys(_said(one) for found in chapter.decided.values() for one in found)]
    return chapter_table(chapter, slug(place, "decisions"), caption, columns, rows, notes=notes)


def _kappas(one: Decisions) -> tuple[Value, ...]:
    return (*_share(one.kappa), *_share(one.kappa_linear))


def _share(one: Share) -> tuple[Value, ...]:
    return (one.value, *(one.interval or (None, None)))


def _said(one: Decisions) -> str:
    """Return a text on one rule: what it decides, its source, its landmarks and its caution."""
    rule, about = one.rule, f" of {one.rule.number}" if one.rule.number else ""
    landmarks = f" Landmarks: {', '.join(one.landmarks)}." if one.landmarks else ""
    caution = f" Note: {rule.caution}." if rule.caution else ""
    return f"{rule.name}{about}: {rule.said()}. Source: {rule.source}.{landmarks}{caution}"


def _turned(chapter: Chapter, place: str) -> Table:
    columns = [*texts("contrast", "rule"), *numbers("pairs", "subjects", "turned right", "turned wrong")]
    columns += [*numbers("right in both", "in neither"), *(Column(name, 1, sign=True, percent=True) for name in _NET)]
    columns += [Column("US dollars more", 4, sign=True), Column("net per dollar", 2, sign=True)]
    columns += texts("why there is no interval")
    rows: list[tuple[Value, ...]] = []
    for one in chapter.turned:
        own = one.found
        cells: list[Value] = [one.contrast, own.rule.name, own.pairs, own.subjects, own.turned_right, own.turned_wrong]
        cells += [own.both_right, own.neither, *_share(own.net), own.more_usd, own.per_dollar, own.withheld]
        rows.append(tuple(cells))
    caption = "decisions that change from the first to the second arm"
    return chapter_table(chapter, slug(place, "turned"), caption, columns, rows, notes=[_TURNED])


_NET = ("net", "net, low", "net, high")


def _counts(chapter: Chapter, place: str) -> Table:
    rows: list[tuple[Value, ...]] = []
    for arm, found in chapter.decided.items():
        for one in found:
            for true, own, total in zip(one.rule.categories, one.counts, one.true, strict=True):
                each = [*zip(one.rule.categories, own, strict=True), ("no answer", total - sum(own))]
                rows += [(arm, one.rule.name, true, answer, count) for answer, count in each if count]
    columns = [*texts("arm", "rule", "category of the ground truth", "of the answer"), *numbers("samples")]
    caption = "samples by the categories of ground truth and answer"
    return chapter_table(chapter, slug(place, "categories"), caption, columns, rows)


def decision_sentences(chapter: Chapter) -> Iterator[str]:
    """Yield a sentence for each contrast and rule: how many decisions the second arm turns right, and how many wrong.

    Contrasts that say nothing about tools are left out.
    """
    silent = {one.name for one in chapter.contrasts if one.no_claim or one.by_construction}
    when = f", {FIRST[several]}" if (several := repeated(chapter)) else ""
    for one in chapter.turned:
        if one.contrast in silent:
            continue
        own = one.found
        text = (
            f"{one.contrast}, {own.rule.name}{when}: of {plural(own.pairs, 'decision')}, {one.b} turns "
            f"{own.turned_right} right and {own.turned_wrong} wrong"
        )
        if own.per_dollar is not None:
            text += f"; net {fixed(own.per_dollar, 2, sign=True)} right for each dollar more"
        yield f"{text}."
