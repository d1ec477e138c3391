"""Decisions that follow from stored answers of a run, of two runs, or of MedVision's result files.

Contract: no model is asked, nothing stored is changed, nothing is printed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medvision_agent.api.comparing import refuse_unlike
from medvision_agent.api.found import forms_note
from medvision_agent.api.loaded import PathText
from medvision_agent.api.scoring import is_answers
from medvision_agent.errors import DataError
from medvision_agent.eval.decisions.compare import Turned, turned
from medvision_agent.eval.decisions.decide import Case, Decisions, decide
from medvision_agent.eval.decisions.rules import Rule, read_rules, shipped_rules
from medvision_agent.eval.findings.inputs import named, no_evidence
from medvision_agent.eval.results.heading import form_of
from medvision_agent.eval.results.load import ResultFiles, models_in, without_collector
from medvision_agent.eval.results.plans import Plans, read_plans
from medvision_agent.eval.scorer.answer import Answer
from medvision_agent.eval.scorer.protocol import DEFAULT_PROTOCOL, Protocol
from medvision_agent.eval.scorer.protocol import protocol as protocol_named
from medvision_agent.eval.scorer.score import Score, sample_scores, score, score_numbers
from medvision_agent.eval.store.read import open_run
from medvision_agent.eval.store.run import Run
from medvision_agent.eval.summary.claims import no_claim_of_pair
from medvision_agent.eval.why.filed import NO_TASK, filed_question, subject_lack
from medvision_agent.text import plural

__all__ = ["ArmDecisions", "Decided", "decisions"]


@dataclass(frozen=True, eq=False)
class ArmDecisions:
    """The decisions of one run, or of one model's result files: the categories of its answers beside the true ones.

    Categories follow from the measurements by decision rules (docs/decisions.md).
    """

    name: str
    """The condition of a run in a pair, else the folder of the run or the path of the files."""
    facts: Sequence[str]
    """Lines about the run or the files (model, tools, what is left out) that are printed before the figures."""
    found: Sequence[Decisions]
    """One for each decision rule that applies to any sample."""
    left_out: int
    """Number of scored samples to which no rule applies. Boxes are counted for runs, but not for result files."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as strict JSON data (no NaN)."""
        found = [one.model_dump(mode="json") | {"coverage": one.coverage} for one in self.found]
        return {"name": self.name, "facts": list(self.facts), "decisions": found, "no_rule": self.left_out}


@dataclass(frozen=True, eq=False)
class Decided:
    """The decisions of each run or model and, for two runs of the same samples, which decisions the second changes."""

    arms: Sequence[ArmDecisions]
    turned: Sequence[Turned]
    """For each rule, how many decisions are right in one of two runs only; empty unless just two runs were given."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON that ``decisions --json`` prints."""
        pairs = [one.model_dump(mode="json") for one in self.turned]
        return {"arms": [arm.to_json() for arm in self.arms], "turned": pairs}


def decisions(
    *results: PathText,
    protocol: str = DEFAULT_PROTOCOL,
    rules: PathText | None = None,
    plans: PathText | None = None,
) -> Decided:
    """Return the categories that stored answers decide, beside those that the ground truth decides.

    Args:
        results: Folders of runs, result files of MedVision, or folders of such files. If they are exactly two runs, the
            runs are compared too, and must differ in their tools only.
        protocol: Name of the scoring rules.
        rules: A YAML file of rules that replaces the shipped rules (docs/decisions.md).
        plans: MedVision's data folder, or a JSON file of tasks, for facts that result files lack.

    Raises:
        ConfigError: The rules are invalid, or two runs cannot be compared.
        DataError: Result files have no measurement, or cannot be read. A run without answers gives no decisions.
        StorageError: A run is damaged or cannot be read.
    """
    given = shipped_rules() if rules is None else read_rules(Path(rules))
    scoring, known = protocol_named(protocol), None if plans is None else read_plans(Path(plans))
    paths = [Path(one) for one in results]
    runs = [open_run(path) for path in paths if not is_answers(path)]
    pair = len(runs) == len(paths) == 2
    if pair:
        refuse_unlike(runs[0], runs[1], paths)
    names = iter([arm.name for arm in named(runs)] if pair else [str(run.folder) for run in runs])
    own = {run.folder: _cases(run, scoring) for run in runs}
    arms = [_of_run(run, next(names), own[run.folder], given) for run in runs]
    files = [each for path in paths if is_answers(path) for each in (models_in(path) if path.is_dir() else [path])]
    arms += [_of_files(each, scoring, given, known) for each in files]
    if not pair:
        return Decided(arms, ())
    a, b = runs
    reasons = [*no_evidence(a), *no_claim_of_pair([a], [b], (arms[0].name, arms[1].name))]
    return Decided(arms, turned(given, own[a.folder], own[b.folder], (_costs(a), _costs(b)), reasons))


def _costs(run: Run) -> Mapping[str, float]:
    """Return the cost of each sample in US dollars, by its id; samples of unknown cost are left out."""
    return {record.sample.id: record.cost_usd for record in run.each() if record.cost_usd is not None}


def _cases(run: Run, scoring: Protocol) -> list[Case]:
    """Return the scored samples of a run, each with the numbers of its answer."""
    each = sample_scores(run.each(), scoring)
    return [_case(sample, sample.target, found) for sample, found in each if found is not None]


def _case(asked: Any, target: tuple[float, ...], found: Score) -> Case:
    """Return a scored sample as a case for the rules; a failed answer has no numbers."""
    return Case(asked, target, found.values if found.success else None)


def _of_run(run: Run, name: str, cases: Sequence[Case], rules: Sequence[Rule]) -> ArmDecisions:
    """Return the decisions of a run under the name *name*."""
    return _arm(name, [*run.facts, *filter(None, [run.source_note])], cases, rules, no_evidence(run))


def _arm(
    name: str, facts: Sequence[str], cases: Sequence[Case], rules: Sequence[Rule], reasons: Sequence[str] = ()
) -> ArmDecisions:
    """Return the decisions that *rules* make on *cases*, and the number of cases to which no rule applies.

    *reasons* say why the answers are no evidence about tools; intervals are then left out.
    """
    unruled = sum(not any(rule.decides(case.asked) for rule in rules) for case in cases)
    return ArmDecisions(name, facts, decide(rules, cases, reasons), unruled)


def _of_files(source: Path, scoring: Protocol, rules: Sequence[Rule], plans: Plans | None) -> ArmDecisions:
    """Return the decisions of one model's result files; raises DataError if they have no measurement."""
    files, left_out, lacks, forms = ResultFiles(source, plans), Counter[str](), Counter[str](), Counter[str]()
    cases = list[Case]()
    with without_collector():
        for answers in files.answers():
            forms.update(map(form_of, answers.column("task")))
            cases += _filed(answers, scoring, plans, left_out, lacks)
    notes = files.remarks(scoring) + forms_note(forms)
    facts = [f"result files: {source}", *(f"note: {note}" for note in notes)]
    if not cases:
        kinds = [f"{plural(count, 'answer')} {reason}" for reason, count in left_out.items()]
        raise DataError(
            f"{source}: no answer can be sorted into categories ({'; '.join(kinds) or 'all answers are boxes'}); "
            "expected answers that are sizes, distances, angles or areas"
        )
    facts += [f"left out: {plural(count, 'answer')} {reason}" for reason, count in left_out.items()]
    facts += [f"not in the files, {plural(count, 'answer')}: {what}" for what, count in lacks.items()]
    return _arm(str(source), facts, cases, rules)


def _filed(
    answers: Iterable[Answer], scoring: Protocol, plans: Plans | None, left_out: Counter[str], lacks: Counter[str]
) -> Iterator[Case]:
    """Yield the answers that are not boxes; count those left out, and those without a known subject."""
    for answer in answers:
        asked = filed_question(answer, plans)
        if asked is None:
            left_out[NO_TASK] += 1
        elif not asked.asks.is_box:
            lacks.update(map(str, filter(None, [subject_lack(answer, plans)])))
            yield _case(asked, answer.target, _score(answer, asked.asks.name, scoring))


def _score(answer: Answer, task: Any, scoring: Protocol) -> Score:
    """Return the score of an answer: of its response, or of its numbers where a parsed file has no response."""
    if answer.response is None:
        return score_numbers(task, answer.extracted or "", answer.target, scoring)
    return score(task, answer.response or None, answer.target, scoring)
